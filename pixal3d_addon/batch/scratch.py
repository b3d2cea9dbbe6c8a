# SPDX-License-Identifier: GPL-3.0-or-later
"""A place for what would fill the memory with a long list: SQLite's temporary database.

It is this process's own, keeps 2 MB in memory and the rest in a file that goes away by itself, however the process
ends. With 100,000 items a set of their keys takes 14 MB, and what else is to be known of them ten times as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def scratch(tables: str) -> sqlite3.Connection:
    """An empty database with these tables. Any thread may use it, one at a time. It is one transaction without an end:
    there is nothing to go back to, and each commit would cost as much as a change."""
    import sqlite3

    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {tables}; BEGIN")
    return database
