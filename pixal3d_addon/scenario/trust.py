# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose certificates are believed.

``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE``, as everywhere with requests: what they name is believed, and nothing else.
Otherwise certifi's list, and with it what this computer believes, as its web browsers do: there a company puts the
certificate with which it looks into TLS. For that, Windows has its stores and OpenSSL its own places, or those that
``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name. Of macOS's keychain, Python can't read anything.
"""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .errors import TlsError

BUNDLE_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def trusting_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """For connections that only a trusted server can answer, with TLS 1.2 or newer. Shared by all of them.

    :raises TlsError: the file that the environment names can't be used.
    """
    for variable in BUNDLE_VARIABLES:
        if path := environ.get(variable):
            return _context_of(variable, path, _changed_at(path))
    return _context_of_this_computer(environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=4)
def _context_of(variable: str, path: str, changed_at: int) -> ssl.SSLContext:
    context = _empty_context()
    is_folder = Path(path).is_dir()
    message = ""
    try:
        context.load_verify_locations(cafile=None if is_folder else path, capath=path if is_folder else None)
    except FileNotFoundError:
        message = f"The environment variable {variable} names a certificate file that does not exist: {path}."
    except ssl.SSLError:
        message = f"The environment variable {variable} names a file without certificates in the PEM format: {path}."
    except (OSError, ValueError):
        message = f"The environment variable {variable} names a certificate file that can't be read: {path}."
    if message:
        raise TlsError(message, "Correct the variable or remove it, then start Blender again.")
    return context


@functools.lru_cache(maxsize=4)
def _context_of_this_computer(file: str | None, folder: str | None) -> ssl.SSLContext:
    import certifi

    context = _empty_context()
    with contextlib.suppress(OSError):
        context.load_verify_locations(cafile=certifi.where())
    # Windows' stores may hold a certificate that OpenSSL can't read, and some Pythons then give up on all of them.
    with contextlib.suppress(OSError):
        context.load_default_certs()
    return context


def _empty_context() -> ssl.SSLContext:
    """Python's own and not urllib3's, which writes the keys of a connection to the file named by ``SSLKEYLOGFILE``."""
    import urllib3

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # 1.26 compares the host's name itself, and can't work with a context that does.
    context.check_hostname = not str(vars(urllib3)["__version__"]).startswith("1.")
    return context


def _changed_at(path: str) -> int:
    """So that a file that was mended is read again."""
    try:
        return os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return 0
