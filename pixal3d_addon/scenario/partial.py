# SPDX-License-Identifier: GPL-3.0-or-later
"""A GLB that is on its way: what of it is on the disk, and whether that is all."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from typing import BinaryIO, Final

from . import limits
from .body import Progress
from .errors import ConnectionLostError, DownloadError, IncompleteDownloadError
from .reply import length_of

_HEADER: Final = struct.Struct("<4sII")  # magic, version, length of the whole file: glTF 2.0, GLB header
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_ETAG: Final = re.compile(r'"[!#-~]{0,200}"')
"""A strong one, fit to go back in a header."""
_PAGE_STARTS: Final = (b"<!doctype", b"<html")


class NotGlbError(Exception):
    """The file is something else; the job's next one may be it."""


class PartialGlb:
    """Written into `file` as it comes. Memory use does not depend on its size.

    :ivar done: bytes on the disk.
    :ivar furthest: the most there ever were; more only if an attempt brought something new.
    """

    def __init__(self, file: BinaryIO, on_progress: Progress | None) -> None:
        self.done = 0
        self.furthest = 0
        self._file = file
        self._on_progress = on_progress
        self._hash = hashlib.sha256()
        self._start = b""
        self._declared: int | None = None
        self._total: int | None = None
        self._etag = ""
        self._damaged = 0
        self._unpacker: zlib._Decompress | None = None

    def sha256(self) -> str:
        """Of what is there, in hex."""
        return self._hash.hexdigest()

    def request_headers(self) -> dict[str, str]:
        """For the next request: the rest, if there is a part already."""
        if self._unpacker is not None:
            self._restart()  # a position in the unpacked file is none in the packed one
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
            if self._etag:
                headers["If-Range"] = self._etag
        return headers

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """An answer is about to bring bytes; ``False`` if they fit nothing, and the next request has to start anew.

        A 206 is believed only if it is exactly the rest that was asked for, of a file of the same length.

        :raises DownloadError: a login page, or packed in a way that was not asked for.
        """
        if "html" in headers.get("content-type", "").lower():
            raise _page()
        total = length_of(headers.get("content-length"))
        if status != 200:
            found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
            whole = length_of(found[2]) if found else None
            is_same = whole is None or self._total in (None, whole)
            if status != 206 or not found or int(found[1]) != self.done or not is_same:
                self._restart()
                return False
            total = self._total if whole is None else whole
        elif self.done:
            self._restart()
        etag = headers.get("etag", "")
        self._etag = etag if _ETAG.fullmatch(etag) else ""
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):  # stored so at the CDN, whatever we accept
            self._unpacker, total = zlib.decompressobj(wbits=47), None
        elif encoding not in ("", "identity"):
            raise DownloadError("The model is packed in a way that the add-on can't unpack.")
        self._total = total
        return True

    def take(self, chunk: bytes) -> None:
        """The next bytes off the wire.

        :raises NotGlbError: they are not a GLB's.
        :raises DownloadError: a login page, or far too much.
        :raises ConnectionLostError: they can't be unpacked.
        """
        if self._unpacker is None:
            self._write(chunk)
            return
        while not self._unpacker.eof:
            try:
                unpacked = self._unpacker.decompress(chunk, limits.CHUNK_BYTES)
            except zlib.error:
                break
            chunk = self._unpacker.unconsumed_tail
            self._write(unpacked)
            if not chunk and len(unpacked) < limits.CHUNK_BYTES:
                return
        self._damage("The model arrives damaged.")
        raise ConnectionLostError()

    def is_too_long(self) -> bool:
        """Whether there is more already than the GLB's header says. What follows is of no use."""
        return self._declared is not None and self.done > self._declared

    def is_complete(self) -> bool:
        """After an answer has ended. If not, the next request asks for the rest, or for all of it.

        :raises NotGlbError: it is shorter than a GLB's header.
        :raises DownloadError: the file is of the wrong length at the server.
        """
        if self.done == self._declared and self._total in (None, self.done):
            self._file.flush()
            return True
        if self._total is not None and self.done < self._total:
            return False
        if self._declared is None and self._total is not None:
            raise NotGlbError
        if self._declared is not None and (self._total is not None or self.done > self._declared):
            self._damage(f"The model file has {self.done} bytes and should have {self._declared}.")
        return False

    def _write(self, chunk: bytes) -> None:
        if self._declared is None and chunk:
            self._start += chunk[: _HEADER.size - len(self._start)]
            self._read_header()
        if self.done + len(chunk) > limits.GLB_BYTES:
            raise _too_large()
        self._file.write(chunk)
        self._hash.update(chunk)
        self.done += len(chunk)
        self.furthest = max(self.furthest, self.done)
        if self._on_progress is not None:
            self._on_progress(self.done, self._total or self._declared or 0)

    def _read_header(self) -> None:
        if self._start.lower().startswith(_PAGE_STARTS):
            raise _page()
        if not b"glTF".startswith(self._start[:4]):
            raise NotGlbError
        if len(self._start) == _HEADER.size:
            _, _, self._declared = _HEADER.unpack(self._start)
            if self._declared > limits.GLB_BYTES:
                raise _too_large()

    def _damage(self, message: str) -> None:
        """One more try from the start may help, as far as it is the CDN's doing."""
        self._damaged += 1
        self._restart()
        if self._damaged > 1:
            raise IncompleteDownloadError(message)

    def _restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self._start, self._declared, self._total, self._etag, self._unpacker = b"", None, None, "", None
        self.done = 0


def _page() -> DownloadError:
    return DownloadError(
        "A web page came instead of the model.",
        "Log in to the network in a web browser if it asks for that, then fetch the model again.",
    )


def _too_large() -> DownloadError:
    return DownloadError(
        f"The model is larger than {limits.GLB_BYTES >> 20} MB.", "Generate it with fewer Target Vertices."
    )
