# SPDX-License-Identifier: GPL-3.0-or-later
"""An image to send, made without any library; and waiting for what other threads and processes do."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

from pixal3d_addon.generation import Generation, Manager, SourceImage, State
from pixal3d_addon.parameters import complete

PATIENCE_SECONDS = 60.0


def a_png() -> bytes:
    """A 64 px PNG of a green disk on nothing."""
    green, nothing, side = bytes((30, 160, 60, 255)), bytes(4), range(64)
    rows = b"".join(
        b"\0" + b"".join(green if (x - 32) ** 2 + (y - 32) ** 2 < 500 else nothing for x in side) for y in side
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 64, 64, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def paid_requests(service: Any) -> int:
    """How often the request that costs was sent, accepted or not."""
    return sum(
        r["method"] == "POST" and r["path"].endswith("/generate/custom/model_pixal3d") and "dryRun" not in r["query"]
        for r in service.requests()
    )


PARAMETERS = complete({"decimation_target": 5000, "resolution": 1024, "seed": 7})


def a_generation(name: str = "disk", **changes: Any) -> Generation:
    return Generation(name, PARAMETERS, **changes)


def an_image() -> SourceImage:
    return SourceImage("disk.png", a_png())


def state_of(manager: Manager, generation: Generation) -> State:
    """As it can be seen."""
    snapshot = manager.get(generation.id)
    assert snapshot
    return snapshot.generation.state


def on_disk(manager: Manager, generation: Generation) -> Generation:
    """As another Blender would find it."""
    record = manager.store.get(generation.id)
    assert record
    return record


def until_ended(manager: Manager, *generations: Generation) -> None:
    for generation in generations:
        until(lambda g=generation: not manager.is_running(g.id), f"the end of {generation.name}")  # type: ignore[misc]


def until_state(manager: Manager, state: State, *generations: Generation) -> None:
    for generation in generations:
        until(lambda g=generation: state_of(manager, g) is state, f"{state}: {generation.name}")  # type: ignore[misc]
