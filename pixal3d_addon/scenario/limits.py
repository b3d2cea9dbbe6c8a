# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit, timeout and interval of this room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# --- waiting ---------------------------------------------------------------------------------------------------------
CONNECT_TIMEOUT_SECONDS: Final = 5.0
"""For all addresses of a host together, and then for a proxy's answer and for TLS, each."""
HEAD_START_SECONDS: Final = 0.25
"""Of one address of a host over the next. RFC 8305 recommends it."""
READ_TIMEOUT_SECONDS: Final = 30.0
"""Silence on an open connection, not the length of a transfer. In both directions."""
SUBMIT_READ_TIMEOUT_SECONDS: Final = 60.0
"""The paid POST waits longer, as giving up on it leaves its outcome unknown. scenario-sdk 2.4.0 waits as long."""
ANSWER_DEADLINE_SECONDS: Final = 120.0
"""An answer that trickles in never runs into the read timeout; this ends it. A model has this time for each
:data:`DOWNLOAD_PROGRESS_BYTES`: the slowest line that brings it has half a kilobyte a second."""

TURN_SECONDS: Final = 0.2
"""Between two polls of all jobs together. The service's rate limits are not documented."""

# --- repeating -------------------------------------------------------------------------------------------------------
ATTEMPTS: Final = 4
"""The first included. scenario-sdk 2.4.0 makes three."""
BACKOFF_FIRST_SECONDS: Final = 0.5
BACKOFF_LAST_SECONDS: Final = 8.0
BACKOFF_JITTER: Final = 0.25
"""Up to this share is taken off, so that many Blenders don't come back in step. These three as scenario-sdk 2.4.0."""
RETRY_AFTER_CAP_SECONDS: Final = 60.0
"""A longer wait that the service asks for is not sat out: the caller gets the error, which carries the seconds."""
DOWNLOAD_ATTEMPTS_WITHOUT_PROGRESS: Final = 5
DOWNLOAD_ATTEMPTS: Final = 200
DOWNLOAD_PROGRESS_BYTES: Final = 64 * 1024
"""An attempt that got less than this further counts as one without progress."""
REDIRECTS: Final = 5
PAGES: Final = 2000

# --- sizes -----------------------------------------------------------------------------------------------------------
JOB_ASSETS: Final = 200
"""A job's files that are looked at. One group of :data:`BULK_ASSETS`; seven were the most that was seen."""
JOB_STATUSES: Final = 100
"""Of a job's history. Eight statuses are known."""
INTEGER_DIGITS: Final = 18
"""A longer number in an answer is passed over: it would not fit into SQLite's 64 bits."""
JSON_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Applies to what comes over the wire and again to what it unpacks to."""
REASON_CHARACTERS: Final = 300
GLB_BYTES: Final = 1024**3
GLB_JSON_BYTES: Final = 32 * 1024 * 1024
GLB_JSON_VALUES: Final = 100_000
"""Commas and brackets in it. Pixal3D's have about 150, and the most of 91 models by others was 21 000."""
GLB_JSON_DEPTH: Final = 100
GLB_JSON_MEMBERS: Final = 1_000
"""Of one object. ``extras`` become custom properties, each of which Blender 4.2 compares with all others: 100 000 took
more than two minutes."""
GLB_ACCESSOR_ELEMENTS: Final = 30_000_000
"""Pixal3D makes at most 2 000 000 faces. An accessor without a buffer view costs a file nothing and Blender's
importer a zeroed array, so its count is believed up to here only."""
GLB_NODE_DEPTH: Final = 200
"""Blender's importer walks the nodes by recursion, and Python ends at a depth of 1000."""
GLB_PIECE_BYTES: Final = 4 * 1024 * 1024
"""Of the binary data, looked at at a time."""
GLB_NODES: Final = 1_000
"""Nodes, instances and a mesh's primitives; five times as many bones and channels of animations together. The most of
91 models by others had 68 nodes. Blender's importer makes 6 000 objects a second, and each has to be placed."""
GLB_SCENES: Final = 20
GLB_MATERIALS: Final = 500
"""Likewise textures, images, skins, animations."""
GLB_SHAPE_KEYS: Final = 200
GLB_LISTED_NUMBERS: Final = 500_000
"""What the importer goes through one by one: keys, weights."""
GLB_GEOMETRY_BYTES: Final = 600 * 1024**2
"""Two million triangles with normals and one UV map, none of whose vertices are shared, take 550 MiB."""
GLB_MOVED_BYTES: Final = 32 * 1024**3
GLB_EXTENT_M: Final = 1e6
GLB_IMAGE_SIDE: Final = 16_384
"""Pixels."""
GLB_PIXEL_BYTES: Final = 2 * 1024**3
"""All pictures, unpacked. Two of 8192 px take 0.5 GiB."""
GLB_READ_BYTES: Final = 4 * 1024**3
"""Of the binary data, in all: a file may have thousands of accessors for the same bytes."""
GLB_PNG_CHUNKS: Final = 20_000
"""So many of a picture are looked at."""
GLB_JPEG_SCANS: Final = 100
"""A progressive JPEG has about ten."""
CHUNK_BYTES: Final = 64 * 1024
"""Read from the network between two looks at the cancel event."""

# --- uploads ---------------------------------------------------------------------------------------------------------
ONE_SHOT_IMAGE_BYTES: Final = 3_500_000
"""Above it the multipart form is used. docs.scenario.com says 6 MB and not of what; the official Blender extension
found a 10 MB cap on bodies and changes over at 3.5 MB."""
PART_BYTES: Final = 8 * 1024 * 1024
"""Parts are at least this long, the last excepted; docs.scenario.com asks for 5 MB or more."""
PARTS: Final = 10_000
ENCODE_CHUNK_BYTES: Final = 48 * 1024
"""A multiple of 3, so that the base64 pieces join without padding. `base64` holds the GIL: 20 MB in one call slowed
Blender's redraw eighteenfold."""
UPLOAD_POLL_FIRST_SECONDS: Final = 0.5
UPLOAD_POLL_SECONDS: Final = 3.0
"""docs.scenario.com, uploading assets. Checking an image may take less, so it begins earlier and doubles."""
UPLOAD_PATIENCE_SECONDS: Final = 600.0
BULK_ASSETS: Final = 200
"""The most that ``POST /assets/get-bulk`` takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a client is. Tests against a server on this machine take a shorter one."""

    connect_seconds: float = CONNECT_TIMEOUT_SECONDS
    read_seconds: float = READ_TIMEOUT_SECONDS
    submit_read_seconds: float = SUBMIT_READ_TIMEOUT_SECONDS
    answer_seconds: float = ANSWER_DEADLINE_SECONDS
    wait_scale: float = 1.0
    """Every pause between two requests is multiplied by this."""
