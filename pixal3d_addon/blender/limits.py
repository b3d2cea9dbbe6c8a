# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit and interval of this room."""

from __future__ import annotations

WATCH_INTERVAL_SECONDS = 0.05
"""The watcher's tick: reads memory, and at most one model is imported in it."""

ARRIVAL_INTERVAL_SECONDS = 0.02
"""The same while a model is downloaded or prepared: it waits for two ticks, from its last byte to the scene."""

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

PRICE_REST_SECONDS = 1.0
"""The settings must have been left alone for so long before their price is asked for by itself."""

PRICE_LOOK_SECONDS = 0.25
"""Between two looks whether they have, or whether the answer is there. None while no price is wanted."""

REDRAW_SECONDS = 1.0
"""Between two redraws of our panels while something is under way and nothing but the time left changes."""

PROGRESS_REDRAW_SECONDS = 0.25
"""Between two redraws for which only a transfer's progress speaks: each draws the whole window's frame anew (35 to 60
ms without a graphics card), and a download is heard of at each tick."""

ROWS_IN_PANEL = 5
"""So many generations that need attention are shown at once. The others are in the list."""

THUMBNAILS = 300
"""Kept in memory at most, 0.25 MB each."""

LOOK_INTERVAL_SECONDS = 0.05
"""Between two steps of a look at an image. None while none is wanted."""

LOOKS = 8
"""Images of which it is remembered what was found. Each has four thumbnails of 0.25 MB."""

MAX_LOOK_PIXELS = 4096 * 4096
"""An image with more of them is judged by its preview: copying so many takes 37 ms."""

PREVIEW_WAIT_SECONDS = 1.0
"""For Blender to draw an image's preview, and then to load the image, when no job of its is running."""

LOOK_REST_SECONDS = 2.0
LOOK_REST_FACTOR = 100.0
"""A painted image is looked at again after this time, or this many times what copying its pixels took, if that is more,
but not while a model is being downloaded or prepared. So is one that could not be loaded: its file may have come."""

LOOK_AGAIN_SECONDS = 30.0
"""Any image, since Blender does not tell that one was reloaded."""

CONTACT_SHEET_QUEUE = 200
"""Models that may wait for their thumbnails while a batch runs; what comes on top is drawn at its end."""

CONTACT_SHEET_ORDERS_PER_BLENDER = 50
"""After so many pictures the second Blender is started anew (1 to 2 s). Its peak: 0.7 GB with one large model, 1.0 GB
after 50 of them (5.2.3)."""

CONTACT_SHEET_ORDER_SECONDS = 180.0
"""For one picture. A model of 200,000 vertices with textures of 4096 px takes 2 s on two cores."""

CONTACT_SHEET_LOST_BLENDERS = 3
"""After so many second Blenders that died over their orders, one after the other, no further one is started."""

CONTACT_SHEET_CELLS = 96
"""Models in ``contact_sheet.png``: 2112 by 3456 px."""

CONTACT_SHEET_PAGE = 1000
"""Entries on one page of ``contact_sheet.html``."""

PREPARE_TRIANGLES = 50_000
"""A larger model is prepared by a second Blender. So many triangles are imported directly in 110 ms, and a stop of 100
is felt; to prepare them takes 80 ms more (5.2.2)."""

PREPARE_SECONDS = 60.0
"""For one model. 2,000,000 triangles take 4 to 8 s on two cores."""

PREPARE_IDLE_SECONDS = 60.0
"""After so long without a model the second Blender ends."""

PREPARE_PROGRESS = 0.5
"""Of the service's job: then the second Blender is started, 0.5 s, busy 2 s, so that the model does not wait for it."""

COPY_LOOK_SECONDS = 0.02
"""Between two looks whether a worker has memory for an image's pixels, after a click. None before and after."""

COPY_REST_SECONDS = 0.1
"""After one copy of an image's pixels (40 ms at 4096 px), so that two never stop Blender in a row."""

MERGE_DISTANCE = 0.0001
"""In the mesh's own units; Blender's default of Merge by Distance."""

HOLE_MAX_EDGES = 16
