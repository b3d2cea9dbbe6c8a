# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in as the tests use it: a process of its own (``scripts/standin/process.py``)."""

from scripts.standin.process import PROJECT
from scripts.standin.process import StandInProcess as StandIn

__all__ = ("PROJECT", "StandIn")
