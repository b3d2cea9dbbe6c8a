# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the service is, who asks, and which addresses may be opened at all."""

from __future__ import annotations

import base64
import functools
import hashlib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from . import DEFAULT_BASE_URL
from .errors import ConfigurationError, MissingKeyError

MODEL_ID: Final = "model_pixal3d"
USER_AGENT: Final = "Pixal3D-Blender/0.1.0"
LOOPBACK_ONLY_VARIABLE: Final = "PIXAL3D_LOOPBACK_ONLY"
"""Set by tests and demos: then nothing but this machine is spoken to, so that no paid job can start."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key of a Scenario project with its secret. The repr shows neither."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Credentials | None:
        """From the variables that scenario-sdk 2.4.0 reads too; ``None`` unless both are set."""
        key = environ.get("SCENARIO_SDK_API_KEY", "").strip()
        secret = environ.get("SCENARIO_SDK_API_SECRET", "").strip()
        return cls(key, secret) if key and secret else None

    @functools.lru_cache(maxsize=8)  # noqa: B019 (a few, and small; a panel asks for it at each draw)
    def fingerprint(self, base_url: str = DEFAULT_BASE_URL) -> str:
        """16 hex digits that stand for the key at `base_url`'s origin in records; the key can't be had from them.

        The secret plays no part, so a rotated secret is the same account.
        """
        text = "\0".join(("pixal3d account", _origin(urlsplit(base_url)), self.key))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def token(self) -> str:
        """What follows ``Basic`` in the Authorization header."""
        return base64.b64encode(f"{self.key}:{self.secret}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Connection:
    """The service as the preferences name it, checked.

    :raises ConfigurationError: `base_url` is not an address to send a key to (:class:`MissingKeyError`: no key).
    """

    credentials: Credentials
    base_url: str = DEFAULT_BASE_URL
    project_id: str = ""

    def __post_init__(self) -> None:
        if not self.credentials.key.strip() or not self.credentials.secret.strip():
            raise MissingKeyError()
        parts = check_url(self.base_url.strip())
        if parts.query or parts.fragment:
            raise ConfigurationError("The Service URL must not have a query or a fragment.", _URL_REMEDY)
        object.__setattr__(self, "base_url", urlunsplit(parts).rstrip("/"))
        object.__setattr__(self, "project_id", self.project_id.strip())

    def fingerprint(self) -> str:
        """:meth:`Credentials.fingerprint` at this connection's origin."""
        return self.credentials.fingerprint(self.base_url)

    def secrets(self) -> tuple[str, ...]:
        """What must not show up in any text."""
        return self.credentials.key, self.credentials.secret, self.credentials.token()


_URL_REMEDY: Final = f"Use an address like {DEFAULT_BASE_URL}, or leave the field empty."


def host_and_port(url: str) -> str:
    """What may be said of the address of a proxy: without the password that it may have."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        port = parts.port
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"{host}:{port}" if host and port else host


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, by name or address, without looking it up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> SplitResult:
    """The parts of `url`, if it may be opened: https, or http to this machine; no user name in it.

    Holds for every address, also those that the service hands out.

    :raises ConfigurationError: it may not. The text has no more of the address than its host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError("The web address is not valid.", _URL_REMEDY) from None
    # urllib3 and urllib.parse disagree about where the host ends when there is a backslash or white space.
    if not host or port == 0 or "\\" in url or any(c.isspace() or not c.isprintable() for c in url):
        raise ConfigurationError("The web address is not valid.", _URL_REMEDY)
    if "@" in parts.netloc:
        raise ConfigurationError("The web address must not have a user name or password in it.", _URL_REMEDY)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigurationError(
            f"The web address must begin with https:// ({host} is not this computer).", _URL_REMEDY
        )
    if os.environ.get(LOOPBACK_ONLY_VARIABLE) and not is_loopback(host):
        raise ConfigurationError(
            f"The web address leads to {host}, but only this computer may be contacted.",
            f"Unset the environment variable {LOOPBACK_ONLY_VARIABLE} to use the real service.",
        )
    return parts


def check_given_url(url: str, connection: Connection) -> None:
    """Check an address that the service gave, to fetch from or to send the image to.

    A service on the internet has no business with the artist's own network: with this computer, where programs answer
    whoever is on it, or with an address as ``192.168.0.1`` or ``169.254.169.254``. Names are not looked up for that, as
    a name can mean another address a moment later. Behind one, only a server that has a certificate for the name gets
    our request, without credentials.

    :raises ConfigurationError: it may not be opened.
    """
    host = check_url(url).hostname or ""
    if _is_private(host) and not _is_private(urlsplit(connection.base_url).hostname or ""):
        raise ConfigurationError(f"The web address leads into the local network ({host}).")


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        last = host.lower().rstrip(".").rpartition(".")[2]
        # 127.1, 2130706433 and 0x7f000001 are 127.0.0.1 for the system's lookup.
        return last == "localhost" or last.isdigit() or last.startswith("0x")


def _origin(parts: SplitResult) -> str:
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"
