# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenarios need of the installed add-on, from inside Blender."""

from __future__ import annotations

import sys
from typing import Any

import bpy

from tests.support.blender_process import ADDON
from tests.support.standin import PROJECT

SAMPLE = PROJECT / "scripts/sample/mushroom.png"


def settings() -> Any:
    return bpy.context.window_manager.windows[0].scene.pixal3d


def use_sample_image() -> None:
    """The sample selected in the panel, and settings that the stand-in is quick with."""
    settings().image = bpy.data.images.load(str(SAMPLE), check_existing=True)
    settings().decimation_target = 5000
    settings().resolution = "1024"


def manager() -> Any:
    """The add-on's manager, ``None`` before its first use."""
    return sys.modules[f"{ADDON}.blender.session"].manager_or_none()


def preferences() -> Any:
    return bpy.context.preferences.addons[ADDON].preferences


def generations() -> list[Any]:
    return [snapshot.generation for snapshot in manager().snapshots()] if manager() else []


def state() -> str:
    """Of the newest generation."""
    return generations()[-1].state.value if generations() else ""


def states() -> list[str]:
    """Of all generations, oldest first."""
    return [generation.state.value for generation in generations()]


def watcher() -> Any:
    return sys.modules[f"{ADDON}.blender.watcher"]


def model() -> Any:
    """The imported object, not its placeholder, which had its name before."""
    return next((obj for obj in bpy.data.objects if obj.name == "mushroom" and "pixal3d" in obj), None)
