# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, times and counts of the service. What is not documented for the real one is the stand-in's own choice."""

from __future__ import annotations

from typing import Final

JSON_BODY_MAX_BYTES: Final = 10 * 1024 * 1024
"""Body cap of the gateway, seen by the official Blender plugin."""
ASSET_IMAGE_MAX_BYTES: Final = 6_000_000
"""docs.scenario.com, uploading assets: under 6 MB. File or encoded body is not said; here it is the file."""
PART_MIN_BYTES: Final = 5_000_000
"""docs.scenario.com, uploading assets: every part but the last has at least 5 MB."""
PARTS_MAX: Final = 10_000
PUT_BODY_MAX_BYTES: Final = 512 * 1024 * 1024
DISCARD_MAX_BYTES: Final = 64 * 1024 * 1024
"""A refused body is read and thrown away up to here, so that the client gets the answer and not a reset."""

PAGE_SIZE_DEFAULT: Final = 50
PAGE_SIZE_MAX: Final = 100
BULK_MAX_ASSETS: Final = 200
SEED_MAX: Final = 2_147_483_647

UPLOAD_URL_LIFETIME_SECONDS: Final = 3600.0
IDLE_CONNECTION_SECONDS: Final = 120.0
PARENT_CHECK_SECONDS: Final = 0.5
ACCEPT_POLL_SECONDS: Final = 0.05
"""So late at most the server notices that it shall stop, or refuse."""
STOP_JOIN_SECONDS: Final = 2.0
FAULT_HANG_SECONDS: Final = 30.0
REQUEST_LOG_ENTRIES: Final = 20_000
"""A batch of 1,000 images asks about 5,000 times. An entry takes a kilobyte or two."""
STREAM_CHUNK_BYTES: Final = 256 * 1024

QUEUED_UNTIL: Final = 0.1
WARMING_UP_UNTIL: Final = 0.2
IN_PROGRESS_UNTIL: Final = 0.9
"""Shares of a job's length at which the next status begins."""
PROGRESS_HELD_AT: Final = 0.95
"""Progress stays here while the length is over but the model is not made yet."""
