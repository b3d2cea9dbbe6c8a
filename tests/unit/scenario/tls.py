# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that a test makes, good and bad ones."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme


def server_context(ca: trustme.CA, *names: str, **validity: Any) -> ssl.SSLContext:
    """For a server that is called `names`, by default by its address.

    :param validity: ``not_before`` and ``not_after``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*(names or ("127.0.0.1",)), **validity).configure_cert(context)
    return context


def trust(ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, folder: Path, variable: str = "REQUESTS_CA_BUNDLE") -> Path:
    """Have the environment name a file with `ca`."""
    file = folder / f"{variable.lower()}.pem"
    ca.cert_pem.write_to_path(file)
    monkeypatch.setenv(variable, str(file))
    return file
