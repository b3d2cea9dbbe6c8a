# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in service, as it is when nothing goes wrong, and the way to it."""

from __future__ import annotations

from typing import Any

import pytest

from pixal3d_addon.scenario import Connection, Credentials


@pytest.fixture
def service(standin: Any) -> Any:
    standin.clear_faults()
    standin.set_options(job_seconds=0.5, variant="normal", job_outcome="success", texture_format="webp")
    return standin


@pytest.fixture
def connection(service: Any) -> Connection:
    return Connection(Credentials(service.key, service.secret), service.base_url)
