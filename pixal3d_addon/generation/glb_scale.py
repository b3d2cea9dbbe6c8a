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
        with source.open("rb") as model, part.open("wb") as file:
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
    except (struct.error, ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise UnreadableModelError() from None
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    file.write(_HEADER.pack(magic, version, length - json_length + len(text)))
    file.write(_CHUNK.pack(len(text), kind) + text)


def _scale(document: dict[str, Any], factor: float) -> None:
    nodes: list[Any] = document["nodes"]
    scaled: dict[int, int] = {}
    """For each root the node above it. A root may stand in several scenes, and has one parent."""
    for scene in document["scenes"]:
        for root in scene["nodes"]:
            if root not in scaled:
                scaled[root] = len(nodes)
                nodes.append({"name": _NAME, "children": [root], "scale": [factor] * 3})
        scene["nodes"] = [scaled[root] for root in scene["nodes"]]
