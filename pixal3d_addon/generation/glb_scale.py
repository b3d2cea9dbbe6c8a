# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivered model as a file of its own, in the size that was asked for (:mod:`.scale`). No Blender."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any, BinaryIO, Final

from ..files import create_file
from ..scenario import UnreadableModelError
from ..scenario import limits as scenario_limits

_HEADER: Final = struct.Struct("<4sII")
_CHUNK: Final = struct.Struct("<I4s")
_NAME: Final = "meshScale"


def ensure_deliverable(target: Path) -> None:
    """
    :raises OSError: no file can be put there by :func:`write_scaled`, as far as can be known without writing one.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with contextlib.suppress(FileNotFoundError):
        _part(target).lstat()  # a name may be too long
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target.parent))


def write_scaled(source: Path, target: Path, factor: float) -> None:
    """Put the GLB `source` at `target`, `factor` times as large: byte for byte if that is 1, else with a node of that
    scale above each root of its scenes. Nothing else changes, and `target` is whole or not there.

    :raises UnreadableModelError: `source` is no GLB.
    :raises OSError: it can't be read or written.
    """
    part = _part(target)
    try:
        with source.open("rb") as model, create_file(part) as file:
            if factor != 1.0:
                _write_head(model, file, factor)
            shutil.copyfileobj(model, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _write_head(model: BinaryIO, file: BinaryIO, factor: float) -> None:
    """The header and the chunk of JSON, scaled. `model` stands behind them then."""
    try:
        magic, version, length = _HEADER.unpack(model.read(_HEADER.size))
        json_length, kind = _CHUNK.unpack(model.read(_CHUNK.size))
        if (magic, version, kind) != (b"glTF", 2, b"JSON") or json_length > scenario_limits.GLB_JSON_BYTES:
            raise ValueError
        document = json.loads(model.read(json_length))
        _scale(document, factor)
    except (struct.error, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UnreadableModelError() from None
    try:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a name with half a surrogate, which JSON can say and UTF-8 can't
        text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    try:
        head = _HEADER.pack(magic, version, length - json_length + len(text))
    except struct.error:  # it says that it is shorter than that chunk, or has four gigabytes
        raise UnreadableModelError() from None
    file.write(head + _CHUNK.pack(len(text), kind) + text)


def _scale(document: dict[str, Any], factor: float) -> None:
    nodes: list[Any] = document["nodes"]
    scaled: dict[int, int] = {}
    """For each root the node above it. A root may stand in several scenes, and has one parent."""

    def above(root: int) -> int:
        if root not in scaled:
            scaled[root] = len(nodes)
            nodes.append({"name": _NAME, "children": [root], "scale": [factor] * 3})
        return scaled[root]

    scenes = document.get("scenes")
    if not scenes:  # then what has no parent is a root
        children = {child for node in nodes for child in node.get("children") or ()}
        scenes = [{"nodes": [index for index in range(len(nodes)) if index not in children]}]
    for scene in scenes:
        scene["nodes"] = [above(root) for root in scene.get("nodes") or ()]
