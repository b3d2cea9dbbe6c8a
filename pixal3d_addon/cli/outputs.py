# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about files that can be known to fail before a model is paid for."""

from __future__ import annotations

import os
from pathlib import Path

from ..blender import exporter, image_source
from ..generation import Framing, GenerationError, SourceImage
from ..generation.glb_scale import ensure_deliverable
from .exit_codes import UsageError


def readable_image(path: Path, framing: Framing) -> SourceImage:
    """
    :raises UsageError: it is not there, can't be read or is no image.
    """
    if not os.path.isfile(path):
        raise UsageError(f"There is no image file {path}.")
    try:
        return image_source.find_image(str(path), framing)
    except GenerationError as error:
        raise UsageError(str(error)) from None


def ensure_writable_file(path: Path, *, overwrite: bool) -> None:
    """
    :raises UsageError: it can't be written, or is there already.
    """
    if reason := exporter.reason_against(path.suffix.lower()):
        raise UsageError(reason)
    ensure_writable_folder(path.parent)
    try:
        ensure_deliverable(path)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}. Name another file.") from None
    beside = (path.with_name(path.stem + ending) for ending in exporter.endings_beside(path.suffix.lower()))
    for there in (path, *beside):
        if os.path.lexists(there) and not overwrite:
            raise UsageError(f"{there} exists already. Name another file, or add --overwrite.")


def ensure_writable_folder(folder: Path) -> None:
    """
    :raises UsageError: it is not there, or nothing can be written to it.
    """
    if not os.path.isdir(folder):
        raise UsageError(f"There is no folder {folder}. Make it, or name another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"Nothing can be written to the folder {folder}. Name another one.")
