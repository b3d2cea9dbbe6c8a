# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that will be sent: what it is made from, and its file in the generation's folder.

Whoever selects the image hands over a :class:`SourceImage`, which costs nothing to make. :func:`write_source` does
the work (reading, encoding, hashing) in a worker.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

from ..files import create_file, open_file
from . import limits
from .errors import SourceImageError
from .pixels_to_come import PixelsToCome

if TYPE_CHECKING:
    import numpy as np

_COPY_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 16
_TITLE_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels as Blender's ``image.pixels.foreach_get`` gives them."""

    width: int
    height: int
    values: np.ndarray[Any, np.dtype[np.float32]] = field(repr=False)
    """float32, length width * height * channels, bottom row first."""
    channels: int = 4
    """1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""
    is_linear: bool = False
    """Scene-linear with premultiplied alpha (a float image) rather than sRGB with straight alpha (a byte image)."""
    has_alpha: bool = True
    """Whether the last channel of 2 or 4 means transparency."""


@dataclass(frozen=True, slots=True)
class Framing:
    """What of the image is sent. Acts on pixels only: a file or its bytes are sent as they are."""

    crop_to_subject: bool = False
    pad_to_square: bool = False


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image as the artist holds it."""

    name: str
    """The datablock's or file's name, with or without its extension."""
    content: Path | bytes | Pixels | PixelsToCome = field(repr=False)
    """A file to be sent as it is, the bytes of one, or pixels to be encoded."""
    framing: Framing = Framing()

    @property
    def title(self) -> str:
        """The name without a file extension: ``Chair.png`` is called ``Chair``. Blender takes it for a name: no
        half surrogate (a file's name that is no UTF-8) and no NUL (a name that the service tells) is in it."""
        path = PurePath(re.sub(r"\.\d{3,}$", "", self.name))  # Blender's number for a second image of the name
        if path.suffix.lower() not in _FILE_EXTENSIONS:
            path = PurePath(self.name)
        title = path.stem if path.suffix.lower() in _FILE_EXTENSIONS else path.name
        return re.sub("[\x00-\x1f\x7f\ud800-\udfff]", "\ufffd", title[:_TITLE_CHARACTERS]) or "Image"


@dataclass(frozen=True, slots=True)
class KeptImage:
    """The image that an earlier generation sent."""

    generation_id: str


Source = SourceImage | KeptImage


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The image as it will be sent."""

    path: Path
    mime: str
    size: int
    """Bytes."""
    sha256: str


def source_image_from_file(path: Path) -> SourceImage:
    """An image file in one of the formats that the service takes, as a source. Reads nothing yet."""
    return SourceImage(name=path.name, content=path)


def sniff_mime(header: bytes) -> str | None:
    """The MIME type that the first 16 bytes of a file speak of, ``None`` if it is none that the service takes.

    The service takes JPEG, PNG, GIF, WebP, AVIF, TIFF and HEIC (docs.scenario.com, uploading assets). SVG has no
    magic number and no pixels; it is left out.
    """
    if header.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if header.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "image/webp"
    if header.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if header.startswith((b"II*\0", b"MM\0*")):
        return "image/tiff"
    if header[4:8] == b"ftyp":
        return {b"avif": "image/avif", b"avis": "image/avif"}.get(header[8:12], _HEIC.get(header[8:12]))
    return None


_HEIC = {brand: "image/heic" for brand in (b"heic", b"heix", b"heim", b"heis", b"mif1")}
_EXTENSION = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "image/avif": ".avif",
    "image/heic": ".heic",
}
TAKEN_EXTENSIONS = frozenset({*_EXTENSION.values(), ".jpeg", ".tiff", ".heif"})
"""Of files that the service takes as they are, lower case. What is in one decides: see :func:`sniff_mime`."""
_FILE_EXTENSIONS = frozenset(
    {*TAKEN_EXTENSIONS, ".bmp", ".tga", ".exr", ".hdr", ".dds", ".psd", ".jp2", ".cin", ".dpx"}
    | {".mp4", ".mov", ".avi", ".mkv", ".webm"}
)


def write_source(source: SourceImage, folder: Path, stop: threading.Event) -> SourceFile:
    """Write the image that will be sent into `folder`, scaled and encoded where it must be. For a worker.

    :raises SourceImageError: it can't be read, is empty, too large or of a kind that the service does not take.
    """
    content = source.content.get(stop) if isinstance(source.content, PixelsToCome) else source.content
    if isinstance(content, Pixels):
        from .framing import frame
        from .image_check import check_image
        from .png import encode_png

        framed = frame(
            content,
            crop_to_subject=source.framing.crop_to_subject,
            pad_to_square=source.framing.pad_to_square,
            check=check_image(content),
        )
        return _write([encode_png(framed, stop)], "image/png", folder)
    if isinstance(content, bytes):
        mime = _mime_or_error(source, content[:_HEADER_BYTES], len(content))
        return _write([content], mime, folder)

    try:
        file = open_file(content)
    except FileNotFoundError:
        raise SourceImageError(
            f"The image file of {source.name} is not there: {content}.",
            "Find the file, or select another image.",
        ) from None
    except OSError as error:
        raise _unreadable(content, error) from None
    with file:
        chunks = _chunks(file, content)
        header = next(chunks, b"")
        size = os.fstat(file.fileno()).st_size
        mime = _mime_or_error(source, header[:_HEADER_BYTES], size)
        return _write(itertools.chain([header], chunks), mime, folder)


def _chunks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """What is in the file, as far as it may be sent: it may grow meanwhile.

    :raises SourceImageError: it can't be read.
    """
    left = limits.MAX_SOURCE_BYTES
    try:
        while left and (chunk := file.read(min(left, _COPY_CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> SourceImageError:
    return SourceImageError(
        f"The image file {path} can't be read: {error.strerror}.", "Select a file that you may read."
    )


def _mime_or_error(source: SourceImage, header: bytes, size: int) -> str:
    if size == 0:
        raise SourceImageError(f"The image {source.name} is empty.", "Select another image.")
    mime = sniff_mime(header)
    if mime is None:
        raise SourceImageError(
            f"The image {source.name} is in a format that the service does not take.", "Save it as PNG or JPEG."
        )
    if size > limits.MAX_SOURCE_BYTES:
        raise SourceImageError(
            f"The image {source.name} is too large to send ({size / 1e6:.0f} MB).",
            f"Scale it down: the model sees no more than {limits.MAX_SOURCE_SIDE_PX} pixels a side.",
        )
    return mime


def _write(chunks: Iterable[bytes], mime: str, folder: Path) -> SourceFile:
    """Through a file of another name, so that no half image is ever taken for a whole one."""
    path = folder / f"source{_EXTENSION[mime]}"
    part = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    size = 0
    try:
        with create_file(part) as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise SourceImageError(
            f"The image can't be written to {folder}: {error.strerror}.", "Check the disk's free space and your rights."
        ) from None
    return SourceFile(path=path, mime=mime, size=size, sha256=digest.hexdigest())
