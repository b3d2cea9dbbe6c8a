# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in service, as it is when nothing goes wrong, and the way to it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Manager, limits
from pixal3d_addon.scenario import Connection, Credentials

from .processes import QUICK


@pytest.fixture
def service(standin: Any) -> Any:
    standin.clear_faults()
    standin.set_options(
        job_seconds=0.5,
        variant="normal",
        job_outcome="success",
        texture_format="webp",
        model_cache=True,
        list_lag_seconds=0.0,
        job_lag_seconds=0.0,
        parallel_jobs=None,
        url_lifetime_seconds=3600.0,
    )
    return standin


@pytest.fixture
def connection(service: Any) -> Connection:
    return Connection(Credentials(service.key, service.secret), service.base_url)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is minutes in the artist's Blender is moments here."""
    for name, value in QUICK.items():
        monkeypatch.setattr(limits, name, value)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "generations")
    yield manager
    manager.close()


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that another user may use too."""
    folder = Path(tempfile.mkdtemp(prefix="pixal3d-store-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)
