# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit and interval of this room."""

from __future__ import annotations

MAX_SOURCE_SIDE_PX = 2048
"""Longest side of an image that we encode. The model works on 1024 px (TencentARC/Pixal3D, ``inference.py``)."""

MAX_SOURCE_BYTES = 20 * 1024 * 1024
"""A larger file is scaled down and encoded anew where its pixels are to be had, and refused otherwise."""

PNG_COMPRESSION_LEVEL = 1
"""Level 6 takes four times as long for a file of the same size (4096 px painted image: 2.1 s against 0.5 s)."""

PNG_ROWS_PER_CHUNK = 256
"""Rows encoded between two looks at the stop event."""

POLL_FIRST_SECONDS = 2.0
POLL_LAST_SECONDS = 10.0
POLL_GROWTH = 1.15
"""Polling starts at two seconds and backs off to ten; a Pixal3D job's length is not documented."""

LOOKUP_PAUSES_SECONDS = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Before each look at the service's list of jobs for one whose request got no answer: the list may lag behind."""

LOOKUP_MARGIN_SECONDS = 24 * 3600.0
"""The list is asked for jobs since the record was made, less this: this machine's clock may be off."""

OUTAGE_PATIENCE_SECONDS = 15 * 60.0
"""How long one run keeps asking for a paid job while the service can't be reached."""

DOUBLE_CLICK_SECONDS = 2.0
"""A second click on Generate within this time is taken for a double click; it would be charged."""

CLOSE_PATIENCE_SECONDS = 0.7
"""How long closing waits for the threads to end, so that quitting Blender stays under a second."""
