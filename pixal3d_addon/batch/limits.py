# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit and interval of this room."""

from __future__ import annotations

PROBLEMS_TOLD = 20
"""Of the wrong rows of a list so many are told one by one."""

ROW_CHARACTERS = 1 << 20
"""Of a line of a list. Two paths and all parameters take ten thousand at most; 1 GB in one line is no list."""

NAME_BYTES = 100
"""Of a result's name, in UTF-8. File systems take 255 with all that is added to it, Windows 260 for the whole path."""

KEY_DIGITS = 20
"""Hexadecimal. Two of a million different rows have the same 80 bits once in 10^12 lists."""

LINE_BYTES = 1 << 20
"""Of a line of the manifest. One of ours has a path of 4 kB, an error of some hundred letters, and little else."""

EVENT_SECONDS = 0.25
"""Between two looks at how the generations are going."""

OTHERS_SECONDS = 2.0
"""Between two looks at the items that other processes are at, when there is nothing else to do."""

OUTAGE_PAUSES_SECONDS = (5.0, 15.0, 30.0, 60.0)
"""Before an item whose paid request had not left is tried again after the network failed; the last one is repeated."""

STOP_PATIENCE_SECONDS = 5.0
"""How long a stopped run waits for its threads: a request that hangs in the network ends by itself, later."""

TRIES = 3
"""So often the making of a result may end the whole process (Blender crashes, the system is out of memory) before it is
left alone."""

FREE_BYTES = 200 * 1000 * 1000
"""With less space on the disk of the results nothing further is paid for. A model takes 5 to 60 MB, and several come at
once."""

FAILURES_IN_A_ROW = 20
"""So many items that the network or the service failed one after the other, without a model in between, end the run."""
