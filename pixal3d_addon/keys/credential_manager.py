# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows's Credential Manager, through its own library."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, byref, c_uint8, c_uint32, c_void_p, c_wchar_p, cast
from typing import Any

from .errors import KeyPlaceError

_TARGET = "pixal3d-for-blender/scenario-api-key"
_USER = "scenario-api-key"
_GENERIC = 1
_THIS_COMPUTER = 2
"""CRED_PERSIST_LOCAL_MACHINE: for this user, on this computer, after the next logon too."""
_NOT_FOUND = 1168
"""ERROR_NOT_FOUND."""


class Credential(Structure):
    """CREDENTIALW of wincred.h."""

    _fields_ = (
        ("Flags", c_uint32),
        ("Type", c_uint32),
        ("TargetName", c_wchar_p),
        ("Comment", c_wchar_p),
        ("LastWritten", c_uint32 * 2),
        ("CredentialBlobSize", c_uint32),
        ("CredentialBlob", POINTER(c_uint8)),
        ("Persist", c_uint32),
        ("AttributeCount", c_uint32),
        ("Attributes", c_void_p),
        ("TargetAlias", c_wchar_p),
        ("UserName", c_wchar_p),
    )


class CredentialManager:
    """
    :param library: advapi32.
    :param last_error: what the thread's last call of it failed with.
    """

    def __init__(self, library: Any = None, last_error: Any = None) -> None:
        self._library = library or _advapi32()
        self._last_error = last_error or ctypes.get_last_error  # type: ignore[attr-defined,unused-ignore]

    def load(self) -> str:
        found = POINTER(Credential)()
        if not self._library.CredReadW(_TARGET, _GENERIC, 0, byref(found)):
            self._raise_unless_absent()
            return ""
        try:
            kept = found.contents
            return ctypes.string_at(kept.CredentialBlob, kept.CredentialBlobSize).decode(errors="replace")
        finally:
            self._library.CredFree(found)

    def store(self, text: str) -> None:
        data = text.encode()
        blob = (c_uint8 * len(data)).from_buffer_copy(data)
        credential = Credential(
            Type=_GENERIC,
            TargetName=_TARGET,
            CredentialBlobSize=len(data),
            CredentialBlob=cast(blob, POINTER(c_uint8)),
            Persist=_THIS_COMPUTER,
            UserName=_USER,
        )
        if not self._library.CredWriteW(byref(credential), 0):
            raise self._refused()

    def empty(self) -> None:
        if not self._library.CredDeleteW(_TARGET, _GENERIC, 0):
            self._raise_unless_absent()

    def _raise_unless_absent(self) -> None:
        if self._last_error() != _NOT_FOUND:
            raise self._refused()

    def _refused(self) -> KeyPlaceError:
        return KeyPlaceError(
            f"Windows's Credential Manager refused (error {self._last_error()}).", "Enter the key in the fields."
        )


def _advapi32() -> Any:
    library = ctypes.WinDLL("advapi32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    library.CredReadW.argtypes = (c_wchar_p, c_uint32, c_uint32, POINTER(POINTER(Credential)))
    library.CredWriteW.argtypes = (POINTER(Credential), c_uint32)
    library.CredDeleteW.argtypes = (c_wchar_p, c_uint32, c_uint32)
    library.CredFree.argtypes = (c_void_p,)
    library.CredFree.restype = None
    return library
