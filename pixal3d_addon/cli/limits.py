# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit and interval of this room."""

from __future__ import annotations

WATCH_INTERVAL_SECONDS = 0.1
"""Between two looks at what is under way; a Ctrl-C is heeded after it at the latest."""

PAUSE_PATIENCE_SECONDS = 1.0
"""After a Ctrl-C, for the workers to end. One that hangs in the network is a daemon and ends with Blender."""

GAP_BETWEEN_MODELS = 0.2
"""Of several models in one file, of the width of the one before."""

JOBS_SHOWN = 50
MOST_COUNTED = 1_000_000
"""Of jobs that are asked for; SQLite does not take a number of any size."""

MOST_AT_ONCE = 64
"""Jobs of one batch: each has a thread, and no plan allows more."""
NAME_COLUMN = 24
"""Characters; longer names are cut in tables."""

REASONS_SHOWN = 10
"""Of the failures of a batch, the most frequent ones."""
