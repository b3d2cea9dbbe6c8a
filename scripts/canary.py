# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that works only for the tests' stand-in, and the search for it in whatever a test run has left behind.

Key and secret differ, and have the same random middle, so that one search finds either: as it is (which is also how it
looks in JSON and in a URL), in UTF-16, and in base64 at each of its three alignments, as in an Authorization header;
in files and in their names; within zip, gzip and zstd, also one in another, and in the tables of SQLite.

What a stand-in was sent is searched too: it keeps all requests in a file, without the Authorization of those that went
to the API's origin, where that belongs (``scripts/standin/traffic.py``).
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import ctypes.util
import fnmatch
import io
import itertools
import json
import os
import secrets
import sqlite3
import stat
import string
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from scripts.environments import EnvironmentFailed

ALLOWED: Final = (
    ("*/config/userpref.blend", "Blender's preferences, where the key is if it is kept in them"),
    ("*/.user/*/pixal3d_addon/key.json", "the key file, if the key is kept in it; only its owner can read it"),
)
"""The only files that may hold a key (the keyring's are encrypted). ``SECURITY.md`` names them."""

CHUNK_BYTES: Final = 4 * 1024 * 1024
MOST_DEPTH: Final = 3
"""Of archives in archives."""
MOST_UNPACKED_BYTES: Final = 2_000_000_000
"""Of one file."""

_ZIP, _GZIP, _ZSTD = b"PK\3\4", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Canary:
    """One run's."""

    middle: str = ""

    @classmethod
    def new(cls) -> Canary:
        return cls("".join(secrets.choice(_LETTERS) for _ in range(24)))

    @property
    def key(self) -> str:
        return f"api_{self.middle}"

    @property
    def secret(self) -> str:
        """With letters that an address must not have as they are."""
        return f"s+/={self.middle}"

    def needles(self) -> dict[str, bytes]:
        """What is looked for, by the encoding's name."""
        plain = self.middle.encode()
        found = {"plain": plain, "UTF-16": b"\0".join(plain[i : i + 1] for i in range(len(plain)))}
        for alignment in range(3):
            # Only what is made of the middle alone: three bytes are four characters. Letters and digits are never
            # encoded as + or /, so this is base64 for addresses as well.
            skipped = -alignment % 3
            whole = plain[skipped : skipped + (len(plain) - skipped) // 3 * 3]
            found[f"base64 at alignment {alignment}"] = base64.b64encode(whole)
        return found


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that holds the key."""

    path: Path
    where: str
    is_allowed: bool = False
    """The file may."""

    def __str__(self) -> str:
        return f"{self.path}: the key is there, {self.where}"


def search(canary: Canary, *places: Path) -> list[Hit]:
    """Every file in the folders, and the files themselves, that holds the key, also if it may."""
    needles, found = canary.needles(), []
    for name in (name for place in places for name in _files(place)):
        if canary.middle in os.path.basename(name):
            found.append(Hit(Path(name), "in its name"))
        with contextlib.suppress(FileNotFoundError):  # it was of a process that is just ending
            about = os.lstat(name)
            if stat.S_ISREG(about.st_mode) and (where := _search_file(name, about, needles)):
                is_private = not name.endswith("/key.json") or stat.S_IMODE(about.st_mode) == 0o600
                is_named = any(fnmatch.fnmatch(Path(name).as_posix(), pattern) for pattern, _ in ALLOWED)
                found.append(Hit(Path(name), where, is_private and is_named))
    return found


def misled(folder: Path) -> list[Hit]:
    """The requests with an Authorization, whatever is in it, that did not go to the API's origin."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for line in filter(None, file.read_text(encoding="utf-8").split("\n")):  # bodies hold other line ends
            request = json.loads(line)
            if request["to"] != "api" and "authorization" in request["headers"]:
                found.append(Hit(file, f"in the Authorization of {request['method']} {request['path']}"))
    return found


def _files(place: Path) -> Iterator[str]:
    """With the folders in them, whose names count too."""
    if not place.is_dir():
        yield from [str(place)] if place.exists() else []
    folders = [str(place)]
    while folders:  # not by recursion, as os.walk does it: tests make folders as deep as can be
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry.path
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def _search_file(name: str, about: os.stat_result, needles: dict[str, bytes]) -> str:
    """How the key is in it; empty if it is not."""
    if not about.st_mode & stat.S_IRUSR:
        os.chmod(name, about.st_mode | stat.S_IRUSR)  # what a test took the rights from
    with open(name, "rb", buffering=0) as file:
        pieces = _written(file) if about.st_blocks * 512 < about.st_size else _pieces(file)
        first = next(pieces, b"")
        if where := _search_pieces(itertools.chain((first,), pieces), needles):
            return where
        if first.startswith(b"SQLite format 3\0"):
            return _search_database(Path(name), needles)
        if not _is_packed(first[:4]):
            return ""
        file.seek(0)
        return _search_packed(file, needles, 0)


def _search_pieces(pieces: Iterable[bytes], needles: dict[str, bytes]) -> str:
    most, rest, size = max(map(len, needles.values())) - 1, b"", 0
    for piece in pieces:
        data = rest + piece if rest else piece
        for name, needle in needles.items():
            if needle in data:
                return name
        rest = data[-most:]
        size += len(piece)
        if size > MOST_UNPACKED_BYTES:
            break
    return ""


def _search_packed(file: IO[bytes], needles: dict[str, bytes], depth: int) -> str:
    """What is compressed in it."""
    if depth == MOST_DEPTH:
        return ""
    for name, pieces in _unpacked(file):
        first = next(pieces, b"")
        whole = itertools.chain((first,), pieces)
        if _is_packed(first[:4]):
            inner = io.BytesIO(b"".join(whole))
            where = _search_pieces((inner.getvalue(),), needles) or _search_packed(inner, needles, depth + 1)
        else:
            where = _search_pieces(whole, needles)
        if where:
            return f"{where} in {name}"
    return ""


def _unpacked(file: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """What it holds, by names; nothing if it is not compressed. Tests leave torn files: those as far as they go."""
    head = file.read(4)
    file.seek(0)
    if head == _ZIP:
        with contextlib.suppress(zipfile.BadZipFile, OSError, ValueError), zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                yield member.filename, _member(archive, member)
    elif head[:2] == _GZIP:
        yield "gzip", _gunzipped(file)
    elif head == _ZSTD:
        yield "zstd", _unzstd(file)


def _is_packed(head: bytes) -> bool:
    return head in (_ZIP, _ZSTD) or head[:2] == _GZIP


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(CHUNK_BYTES):
        yield piece


def _written(file: IO[bytes]) -> Iterator[bytes]:
    """Of a file with holes what is not one: tests make some that are larger than any disk."""
    descriptor, end = file.fileno(), 0
    with contextlib.suppress(OSError):  # there is no more
        while True:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, begin, os.SEEK_HOLE)
            for at in range(begin, end, CHUNK_BYTES):
                yield os.pread(descriptor, min(CHUNK_BYTES, end - at), at)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with contextlib.suppress(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        with archive.open(member) as stream:
            yield from _pieces(stream)


def _gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    with contextlib.suppress(zlib.error):
        for piece in _pieces(file):
            while piece:
                yield unpacker.decompress(piece)
                piece = unpacker.unused_data
                if piece:  # another one follows
                    unpacker = zlib.decompressobj(wbits=31)


def _search_database(path: Path, needles: dict[str, bytes]) -> str:
    """A long text is spread over pages that need not be neighbors."""
    with contextlib.suppress(sqlite3.Error, UnicodeError):  # tests damage some
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(database):
            database.text_factory = bytes
            names = [name.decode() for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for name in names:
                quoted = name.replace('"', '""')
                for row in database.execute(f'SELECT * FROM "{quoted}"'):
                    for value in row:
                        if isinstance(value, bytes) and (where := _search_pieces((value,), needles)):
                            return f"{where} in the table {name}"
    return ""


class _Buffer(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


def _unzstd(file: IO[bytes]) -> Iterator[bytes]:
    """Of all frames that follow each other, as in a compressed .blend. With the system's library: Python has none
    before 3.14."""
    library = zstd_library()
    stream = ctypes.c_void_p(library.ZSTD_createDStream())
    try:
        made = ctypes.create_string_buffer(CHUNK_BYTES)
        for piece in _pieces(file):
            given = ctypes.create_string_buffer(piece, len(piece))
            source, is_more = _Buffer(ctypes.addressof(given), len(piece), 0), True
            while is_more:
                target = _Buffer(ctypes.addressof(made), len(made), 0)
                code = library.ZSTD_decompressStream(stream, ctypes.byref(target), ctypes.byref(source))
                if library.ZSTD_isError(ctypes.c_size_t(code)):
                    return
                yield ctypes.string_at(made, target.position)
                # With its buffer full it may hold more, though all was taken.
                is_more = source.position < source.size or target.position == target.size
    finally:
        library.ZSTD_freeDStream(stream)


def zstd_library() -> Any:
    """
    :raises EnvironmentFailed: there is none.
    """
    name = ctypes.util.find_library("zstd")
    if not name:
        raise EnvironmentFailed("libzstd is needed, to look for the key in compressed .blend files")
    library = ctypes.CDLL(name)
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    return library
