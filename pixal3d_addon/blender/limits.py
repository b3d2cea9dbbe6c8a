# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit and interval of this room."""

from __future__ import annotations

WATCH_INTERVAL_SECONDS = 0.1
"""The watcher's tick: reads memory, and at most one model is imported in it."""

WATCH_TURN_SECONDS = 20.0
"""Blender does not auto-save while a modal operator runs (4.3.2 and 5.2.2: none in 105 s at an interval of a minute),
so the watcher ends after this time and is started again."""

WATCH_PAUSE_SECONDS = 0.1
"""How soon the watcher is started again after its turn, after File > Open, or after its window was closed."""

IDLE_INTERVAL_SECONDS = 1.0
"""Between two looks for something to watch: a key that was corrected, a file that was opened, a take-over."""

CONCURRENCY = 3
MAX_CONCURRENCY = 16
DISK_LIMIT_GB = 10.0
"""Defaults of the preferences. A model with 4096 px textures takes 5 to 60 MB."""

RESUME_DELAY_SECONDS = 1.0
"""After Blender's start, to leave it to Blender until its window stands."""

IMAGE_HEADER_BYTES = 32
"""Read on the main thread, to know a file's format without decoding it."""
