# SPDX-License-Identifier: GPL-3.0-or-later
"""The binary data of a GLB: what its accessors really hold. Read in pieces with numpy, so that memory stays flat.

Not by mapping the file into memory: where it is on a network drive that goes away, or is cut meanwhile, the system
ends a process that looks at the mapping, and that would be Blender.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from . import limits
from .answers import string
from .errors import UnreadableModelError
from .glb_schema import Document, Fields, contradiction, items

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

COMPONENT_BYTES: Final = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
COMPONENTS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_NUMPY: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_MOST_STRIDE: Final = 252
_NORMALIZED: Final = {5120: 127.0, 5121: 255.0, 5122: 32767.0, 5123: 65535.0}


class Data:
    """
    :param file: the GLB, whose binary chunk begins at `start` and has `length` bytes.
    :raises UnreadableModelError: the document contradicts itself about its data.
    """

    def __init__(self, document: Document, file: BinaryIO, start: int, length: int) -> None:
        self._views = items(document, "bufferViews")
        self._accessors = items(document, "accessors")
        self._sources: list[tuple[BinaryIO, int]] = []
        """For each buffer, where its bytes are."""
        self._bytes_left = limits.GLB_READ_BYTES
        self._boxes: dict[int, tuple[list[float], list[float]] | None] = {}
        self._highest: dict[int, int] = {}
        lengths = []
        for index, buffer in enumerate(items(document, "buffers")):
            source, there = (file, start), length if index == 0 else 0
            if uri := string(buffer.get("uri")):
                data = unpacked(uri)
                source, there = (io.BytesIO(data), 0), len(data)
            lengths.append(buffer["byteLength"])
            self._sources.append(source)
            if lengths[-1] > there:
                raise UnreadableModelError("The model file has less data than it says.", reason=f"buffers/{index}")
        for index, view in enumerate(self._views):
            is_beyond = (view.get("byteOffset") or 0) + view["byteLength"] > lengths[view["buffer"]]
            if is_beyond or (view.get("byteStride") or 0) > _MOST_STRIDE:
                raise contradiction(f"bufferViews/{index}")
        for index, accessor in enumerate(self._accessors):
            self._check(accessor, f"accessors/{index}")

    def accessor(self, index: int) -> Fields:
        return self._accessors[index]

    def view(self, index: int) -> tuple[BinaryIO, int, int]:
        """The file, where the view begins in it, and its length."""
        view = self._views[index]
        file, start = self._sources[view["buffer"]]
        return file, start + (view.get("byteOffset") or 0), view["byteLength"]

    def box(self, index: int) -> tuple[list[float], list[float]] | None:
        """Lowest and highest position, of those that are numbers; ``None`` if there is none. Blender puts all others to
        the origin (seen in 4.2, 4.5 and 5.2).

        What a sparse accessor replaces counts as well.
        """
        import numpy as np

        if index not in self._boxes:
            found = []
            scale = 1.0
            if self._accessors[index].get("normalized"):
                scale = 1.0 / _NORMALIZED.get(self._accessors[index]["componentType"], 1.0)
            for piece in self._pieces(index):
                ends = piece.min(axis=0), piece.max(axis=0)
                if not all(np.isfinite(end).all() for end in ends):
                    piece = piece[np.isfinite(piece).all(axis=1)]
                    if not len(piece):
                        continue
                    ends = piece.min(axis=0), piece.max(axis=0)
                found.append(np.array(ends, np.float64) * scale)
            box = np.array(found)
            self._boxes[index] = (box[:, 0].min(axis=0).tolist(), box[:, 1].max(axis=0).tolist()) if found else None
        return self._boxes[index]

    def highest(self, index: int) -> int:
        """The largest value; -1 if there is none."""
        if index not in self._highest:
            self._highest[index] = max((int(piece.max()) for piece in self._pieces(index)), default=-1)
        return self._highest[index]

    def _pieces(self, index: int) -> Iterator[Array]:
        """(elements, components): the accessor's values, and after them those of its sparse ones."""
        import numpy as np

        accessor = self._accessors[index]
        components = COMPONENTS[accessor["type"]]
        if accessor.get("bufferView") is not None:
            yield from self._read(accessor, accessor["componentType"], components, accessor["count"])
        elif accessor["count"]:
            yield np.zeros((1, components), _NUMPY[accessor["componentType"]])
        if sparse := accessor.get("sparse"):
            yield from self._read(sparse["values"], accessor["componentType"], components, sparse["count"])

    def _read(self, place: Fields, component_type: int, components: int, count: int) -> Iterator[Array]:
        import numpy as np

        element = COMPONENT_BYTES[component_type]
        file, start, _ = self.view(place["bufferView"])
        stride = self._views[place["bufferView"]].get("byteStride") or element * components
        start += place.get("byteOffset") or 0
        at_once = max(1, limits.GLB_PIECE_BYTES // stride)
        for first in range(0, count, at_once):
            number = min(at_once, count - first)
            self._bytes_left -= number * stride
            if self._bytes_left < 0:
                raise UnreadableModelError("The model is far larger than Pixal3D makes them.", reason="bufferViews")
            file.seek(start + first * stride)
            data = file.read((number - 1) * stride + element * components)
            if len(data) < (number - 1) * stride + element * components:  # cut since its size was looked at
                raise UnreadableModelError("The model file is cut short.")
            yield np.ndarray((number, components), _NUMPY[component_type], data, strides=(stride, element))

    def _check(self, accessor: Fields, where: str) -> None:
        if accessor["count"] > limits.GLB_ACCESSOR_ELEMENTS:
            raise UnreadableModelError("The model is far larger than Pixal3D makes them.", reason=where)
        element = COMPONENT_BYTES[accessor["componentType"]] * COMPONENTS[accessor["type"]]
        if accessor.get("bufferView") is not None:
            self._check_place(accessor, element, accessor["count"], where)
        if sparse := accessor.get("sparse"):
            count, indices = sparse["count"], sparse["indices"]
            if count > accessor["count"]:
                raise contradiction(f"{where}/sparse")
            self._check_place(indices, COMPONENT_BYTES[indices["componentType"]], count, f"{where}/sparse/indices")
            self._check_place(sparse["values"], element, count, f"{where}/sparse/values")
            pieces = self._read(indices, indices["componentType"], 1, count)
            if max((int(piece.max()) for piece in pieces), default=0) >= max(1, accessor["count"]):
                raise contradiction(f"{where}/sparse/indices")

    def _check_place(self, place: Fields, element: int, count: int, where: str) -> None:
        view = self._views[place["bufferView"]]
        stride = view.get("byteStride") or element
        if count and (place.get("byteOffset") or 0) + stride * (count - 1) + element > view["byteLength"]:
            raise contradiction(where)


def unpacked(uri: str) -> bytes:
    """What a ``data:`` URI holds, read as the importer reads it.

    :raises UnreadableModelError: it is damaged.
    """
    try:
        return base64.b64decode(uri.partition(";base64,")[2])
    except ValueError:
        raise contradiction("uri") from None
