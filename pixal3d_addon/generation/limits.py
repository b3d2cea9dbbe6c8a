# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit and interval of this room."""

from __future__ import annotations

MAX_SOURCE_SIDE_PX = 2048
"""Longest side of an image that we encode. The model works on 1024 px (TencentARC/Pixal3D, ``inference.py``)."""

MAX_SOURCE_BYTES = 20 * 1024 * 1024
"""A larger file is scaled down and encoded anew where its pixels are to be had, and refused otherwise."""

MODEL_NAME = "model.glb"
"""In a generation's folder."""

TOO_LARGE = 2**63
"""For SQLite, whose whole numbers have 64 bits."""

PNG_COMPRESSION_LEVEL = 1
"""Level 6 takes four times as long for a file of the same size (4096 px painted image: 2.1 s against 0.5 s)."""

PNG_ROWS_PER_CHUNK = 256
"""Rows encoded between two looks at the stop event."""

POLL_FIRST_SECONDS = 2.0
POLL_LAST_SECONDS = 5.0
POLL_GROWTH = 1.15
"""Polling starts at two seconds and backs off to five; a Pixal3D job's length is not documented. At ten, the model of a
job of a minute was here 4 s after its end."""

EXPECTED_MOST_SECONDS = 60.0
"""A job is asked after at least so often, however long earlier ones took: it may end early, if only by failing."""

LOOKUP_PAUSES_SECONDS = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Before each look at the service's list of jobs for one whose request got no answer: the list may lag behind."""

LOOKUP_MARGIN_SECONDS = 24 * 3600.0
"""The list is asked for jobs since the record was made, less this: this machine's clock may be off."""

OUTAGE_PATIENCE_SECONDS = 15 * 60.0
"""How long one run keeps asking for a paid job while the service can't be reached."""

UNKNOWN_JOB_PATIENCE_SECONDS = 60.0
"""How long one run keeps asking for a job that the service says it does not know: it may be slow to show a new one."""

BUSY_PAUSE_SECONDS = 15.0
"""Before the paid request is sent again after the service said that as many jobs run as the plan allows, or asked to
slow down without saying how long. Both mean that it accepted nothing."""

RETRY_PAUSES_SECONDS = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Before an interrupted run of a mesh that is owed is begun again; the last one is repeated."""

KEEPER_SECONDS = 2.0
"""Between two looks for runs to begin again."""

TAKE_OVER_SECONDS = 15.0
"""Between two looks for the records of a Blender that has died meanwhile."""

INTENT_SECONDS = 3600.0
"""A click whose paid request had not left when its Blender ended is carried out by the next one within this time. An
older one is for the artist to decide: who opens Blender the next morning does not expect to spend."""

PLACE_CHECK_SECONDS = 0.5
"""Between two looks of one that waits for its turn, whether it was stopped."""

WAIT_LOOK_SECONDS = 0.05
"""Between two looks of a script that waits: reads memory."""

CONCURRENCY = 3
"""Generations at the service at once, unless the artist sets another number."""

DOUBLE_CLICK_SECONDS = 2.0
"""A second click on Generate within this time is taken for a double click; it would be charged."""

CLOSE_PATIENCE_SECONDS = 0.7
"""How long closing waits for the threads to end, so that quitting Blender stays under a second."""

HISTORY = 200
"""So many of the newest records are read and listed."""

TIMES_KEPT = 20
TIMES_NEEDED = 2
"""How long a job takes is said from the last so many of the same quality, and not at all from fewer than these."""

STORE_BUSY_SECONDS = 5.0
"""How long a call waits for another Blender's transaction."""

STORE_BUSY_PAUSE_SECONDS = 0.02
LOCK_PATIENCE_SECONDS = 30.0

QUOTE_VALID_SECONDS = 10 * 60.0
"""A price that is older than this is asked for again."""

QUOTE_PAUSE_SECONDS = 5 * 60.0
"""Before a price that the service did not tell is asked for again by itself."""

# --- meshes ----------------------------------------------------------------------------------------------------------
TINY_SHELL_RATIO = 0.01
"""A shell with a smaller part of the largest one's faces is tiny: most likely a crumb, none of the model's parts."""
