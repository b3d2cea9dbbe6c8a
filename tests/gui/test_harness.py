# SPDX-License-Identifier: GPL-3.0-or-later
"""The window harness itself: what it types and clicks arrives, and a scenario that goes wrong is seen to."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tests.gui.conftest import Window

SIGNATURE_BYTES = 8


def pixels(png: Path) -> bytes:
    """The rows of a PNG, from its one IDAT chunk."""
    data = png.read_bytes()
    at = SIGNATURE_BYTES
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            return zlib.decompress(data[at + 8 : at + 8 + length])
        at += 12 + length
    raise AssertionError("no picture in the PNG")


def test_typing_clicking_and_shortcuts_reach_blender(window: Window) -> None:
    result = window.play("window_and_keyboard")
    assert len(set(pixels(result.pictures["edit_mode"]))) > 200, "the picture is blank"


def test_a_scenario_that_fails_fails_its_test(window: Window) -> None:
    with pytest.raises(pytest.fail.Exception, match="the sidebar has no tab 'No Such Tab'"):
        window.play("no_such_tab")
