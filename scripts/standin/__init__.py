# SPDX-License-Identifier: GPL-3.0-or-later
"""The Scenario API for Pixal3D on this machine: for demos, tests and offline work. Not Pixal3D, and it never says so.

    with StandIn(Options(job_seconds=1)) as service:
        client = Scenario(base_url=service.base_url, api_key=service.options.key, api_secret=service.options.secret)

`python -m scripts.standin --help` starts it as a program.
"""

from .faults import Fault
from .options import Options
from .server import StandIn

__all__ = ["Fault", "Options", "StandIn"]
