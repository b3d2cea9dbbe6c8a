# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit of this room."""

from __future__ import annotations

TOOL_SECONDS = 60.0
"""For a keyring's answer: its user may have to enter a password first."""

TOOL_LOOK_SECONDS = 0.05
"""Between two looks whether the program has ended, or shall end."""

MOST_BYTES = 10_000
"""Of a key file. A key and its secret take about 150."""

WORDS_OF_TOOL = 200
"""Characters of what a program said against it that are passed on."""
