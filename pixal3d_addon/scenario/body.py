# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request carries, in pieces: it takes little memory, can be stopped in between, and tells whether it was begun.

The last one is what the paid POST rests on. http.client and urllib3 (1.26.8 to 2.8) send the headers and only then
ask an object with ``read`` for its first piece. So a body that was never asked never left, whatever the error says.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from . import limits
from .errors import CanceledError, InvalidRequestError, UploadFailedError

Progress = Callable[[int, int], None]
Source = bytes | Path


class Body:
    """One attempt's body. requests takes it for a file: it has a length, ``read`` and ``__iter__``.

    :param pieces: gives `length` bytes in all.
    :param on_progress: called with bytes handed over and `length`, in the calling thread.
    """

    def __init__(
        self,
        length: int,
        pieces: Iterator[bytes],
        cancel: threading.Event,
        on_progress: Progress | None = None,
    ) -> None:
        self.started = False
        self._length = length
        self._pieces = pieces
        self._cancel = cancel
        self._on_progress = on_progress
        self._rest = b""
        self._given = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(limits.CHUNK_BYTES):
            yield piece

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, ``b""`` at the end.

        :raises CanceledError: the cancel event is set; the service has not got the whole body then.
        """
        if self._given == self._length:
            return b""
        if self._cancel.is_set():
            raise CanceledError()
        self.started = True
        if not self._rest:
            self._rest = next(self._pieces, b"")
        piece = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(piece) :]
        self._given += len(piece)
        if not piece or self._given > self._length:
            raise UploadFailedError("The image changed while it was being uploaded.", "Try again.")
        if self._on_progress is not None:
            self._on_progress(self._given, self._length)
        return piece


MakeBody = Callable[[threading.Event], Body]
"""Makes a body anew for each attempt."""


def json_body(fields: Mapping[str, object]) -> MakeBody:
    """`fields` as compact JSON, as scenario-sdk 2.4.0 sends it.

    :raises InvalidRequestError: JSON has no word for a value, such as NaN.
    """
    try:
        data = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError):
        raise InvalidRequestError("A parameter has a value that can't be sent.") from None
    return lambda cancel: Body(len(data), iter((data,)), cancel)


def image_body(name: str, image: Source, on_progress: Progress | None = None) -> MakeBody:
    """``{"name": ..., "image": "<base64>"}`` for ``POST /assets``, encoded on the way."""
    size = size_of(image)
    # A file name that is not valid UTF-8 comes out of the file system with lone surrogates.
    head = b'{"name":' + json.dumps(name, ensure_ascii=False).encode(errors="replace") + b',"image":"'
    tail = b'"}'
    length = len(head) + 4 * ((size + 2) // 3) + len(tail)

    def pieces() -> Iterator[bytes]:
        yield head
        for chunk in _chunks(image, 0, size, limits.ENCODE_CHUNK_BYTES):
            yield base64.b64encode(chunk)
        yield tail

    def scaled(given: int, of: int) -> None:
        if on_progress is not None:
            on_progress(size * given // of, size)

    return lambda cancel: Body(length, pieces(), cancel, scaled)


def part_body(image: Source, start: int, end: int, on_progress: Progress | None = None) -> MakeBody:
    """The bytes from `start` to before `end`, for a presigned PUT. Progress is told of the whole image."""
    size = size_of(image)

    def shifted(given: int, of: int) -> None:
        if on_progress is not None:
            on_progress(start + given, size)

    return lambda cancel: Body(end - start, _chunks(image, start, end, limits.CHUNK_BYTES), cancel, shifted)


def size_of(image: Source) -> int:
    """Bytes.

    :raises UploadFailedError: the file can't be read.
    """
    if isinstance(image, bytes):
        return len(image)
    try:
        return image.stat().st_size
    except OSError as error:
        raise _unreadable(image, error) from None


def _chunks(image: Source, start: int, end: int, length: int) -> Iterator[bytes]:
    """Ends early, without an error, where a file does: the body's own count tells."""
    if isinstance(image, bytes):
        view = memoryview(image)
        for at in range(start, end, length):
            yield bytes(view[at : min(at + length, end)])
        return
    try:
        with image.open("rb") as file:
            file.seek(start)
            while start < end and (chunk := file.read(min(length, end - start))):
                start += len(chunk)
                yield chunk
    except OSError as error:
        raise _unreadable(image, error) from None


def _unreadable(image: Path, error: OSError) -> UploadFailedError:
    return UploadFailedError(f"The image {image.name} can't be read ({error.strerror}).", "Check the file, then retry.")
