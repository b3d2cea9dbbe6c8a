# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogs of the asset library that the open file belongs to, in Blender's own text file for them."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import bpy

from ..files import create_file

_FILE_NAME = "blender_assets.cats.txt"
_HEADER = (
    "# This is an Asset Catalog Definition file for Blender.\n"
    "#\n"
    "# Empty lines and lines starting with `#` will be ignored.\n"
    "# The first non-ignored line should be the version indicator.\n"
    '# Other lines are of the format "UUID:catalog/path/for/assets:simple catalog name"\n\n'
    "VERSION 1\n\n"
)


def id_of(path: str) -> str:
    """The id of the catalog of that path (``Props/Chairs``), which is made if there is none. Empty if there is no path,
    or no saved file to know a library by, or it can't be written. Main thread; a file of some lines."""
    path = "/".join(part.strip().replace(":", "-") for part in path.split("/") if part.strip())
    if not path or not bpy.data.filepath:
        return ""
    file = _library() / _FILE_NAME
    try:
        text = (file.read_text(encoding="utf-8") if file.exists() else "") or _HEADER
        for line in text.splitlines():
            parts = [] if line.startswith("#") else line.split(":")
            if len(parts) == 3 and parts[1].strip() == path:
                return parts[0].strip()
        catalog_id = str(uuid.uuid4())
        text = f"{text.rstrip()}\n{catalog_id}:{path}:{path.replace('/', '-')}\n"
        file = file.resolve()  # it may be a link to one that is shared
        part = file.with_name(f"{file.name}.part")
        with create_file(part) as written:
            written.write(text.encode())
        if file.exists():
            shutil.copymode(file, part)
        os.replace(part, file)
    except (OSError, UnicodeError):
        return ""
    return catalog_id


def _library() -> Path:
    """The folder of the asset library that holds the open file, or else the file's own."""
    folder = Path(bpy.data.filepath).parent
    libraries = (Path(bpy.path.abspath(lib.path)) for lib in bpy.context.preferences.filepaths.asset_libraries)
    return next((library for library in libraries if folder.is_relative_to(library)), folder)
