# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stand-in of each test's own, the official SDK for it, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from scenario_sdk import Scenario
from skimage import data

from scripts.standin import Options, StandIn, traffic
from tests.unit.standin.support import alpha_picture, make_client, png


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests send is not what the add-on sends."""
    monkeypatch.delenv(traffic.VARIABLE, raising=False)


@pytest.fixture(scope="session")
def ring() -> bytes:
    return png(alpha_picture())


@pytest.fixture(scope="session")
def photograph() -> Callable[[str], bytes]:
    """PNG bytes of a photograph that comes with scikit-image."""
    return lambda name: png(Image.fromarray(getattr(data, name)()))


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(Options(job_seconds=0.4, upload_seconds=0.2)) as service:
        yield service


@pytest.fixture
def client(standin: StandIn) -> Iterator[Scenario]:
    with make_client(standin) as made:
        yield made
