# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for the tests inside Blender (the bpy module): the add-on enabled, an empty file, the stand-in service.

The add-on is enabled from the project's own folder, as an extension of a repository that is this project's root, so
that what is tested is what Blender loads: ``bl_ext.dev.pixal3d_addon``.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]

# Before bpy is imported: nothing may touch the profile of whoever runs the tests.
os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="pixal3d-test-"))

import bpy  # noqa: E402, I001  (it makes addon_utils importable)
import addon_utils  # noqa: E402

ADDON = "bl_ext.dev.pixal3d_addon"


@pytest.fixture(scope="session")
def repository() -> Iterator[None]:
    """The project's root as an extension repository. Removed at the end: what is still registered when the bpy
    module of 4.2 and 4.5 is unloaded crashes it."""
    repo = bpy.context.preferences.extensions.repos.new(
        name="dev", module="dev", custom_directory=str(PROJECT), source="USER"
    )
    yield
    if addon_utils.check(ADDON)[1]:
        addon_utils.disable(ADDON, default_set=True)
    bpy.context.preferences.extensions.repos.remove(repo)


@pytest.fixture
def addon(repository: None) -> Iterator[ModuleType]:
    """The enabled add-on, in an empty file, online, without a key."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.preferences.system.use_online_access = True
    module = addon_utils.enable(ADDON, default_set=True)
    assert module is not None, "The add-on could not be enabled; Blender printed why"
    yield module
    addon_utils.disable(ADDON, default_set=True)
    # What a test has left behind, and a worker of it may still be at, is none of the next one's.
    shutil.rmtree(bpy.utils.extension_path_user(ADDON, path="generations"), ignore_errors=True)


@pytest.fixture
def room(addon: ModuleType) -> Callable[[str], Any]:
    """``room("blender.importer")`` is that module of the enabled add-on, not a second copy of it."""
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def service(addon: ModuleType, standin: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-in service, which the add-on is set up to use."""
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", standin.key)
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", standin.secret)
    monkeypatch.setenv("SCENARIO_BASE_URL", standin.base_url)
    standin.clear_faults()
    standin.set_options(
        job_seconds=1.0,
        mesh_scale="honoured",
        texture_format="webp",
        variant="normal",
        job_outcome="success",
        creative_units=None,
    )
    return standin


@pytest.fixture
def quick(service: Any, room: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The service, with short jobs."""
    service.set_options(job_seconds=0.3, model_cache=True)
    monkeypatch.setattr(room("generation.limits"), "POLL_FIRST_SECONDS", 0.1)
    yield service
    service.set_options(job_seconds=1.0, model_cache=False)


@pytest.fixture
def manager(service: Any, room: Callable[[str], Any]) -> Any:
    """The add-on's manager, with the stand-in to ask."""
    return room("blender.session").manager()


@pytest.fixture
def painted(addon: ModuleType) -> Any:
    """An image named Chair: a painted disk on nothing."""
    import numpy as np

    size = 64
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    picture = np.zeros((size, size, 4), np.float32)
    picture[x**2 + y**2 < 0.1] = (0.8, 0.3, 0.1, 1.0)
    image = bpy.data.images.new("Chair", size, size, alpha=True)
    image.pixels.foreach_set(picture.ravel())
    return image
