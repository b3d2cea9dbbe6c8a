# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing paid twice, nothing lost: whatever goes wrong, and wherever Blender is killed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.lab import table
from tests.lab.bench import Lab
from tests.lab.cases import Case


def test_one_charge_at_most_and_every_finished_job_in_the_scene(
    lab: Lab, case: Case, output: Path, request: pytest.FixtureRequest
) -> None:
    started = time.monotonic()
    run = lab.run(case)
    table.note(output, run, time.monotonic() - started)
    if run.problems:
        options = request.config.option
        pytest.fail(
            "\n".join(
                [
                    *run.problems,
                    f"again: --lab {options.lab} --lab-seed {options.lab_seed} -k '{case.id}'",
                    f"case: {case}",
                    f"kills: {run.kills}",
                    f"result: {json.dumps(run.result, indent=1)}",
                    f"charges: {run.books.charges}",
                    f"jobs: {run.books.jobs}",
                    *(f"{r['at']:.3f} {r['method']} {r['path']} {r['fault'] or ''}" for r in run.books.requests),
                    f"Blender's output:\n{run.output[-6000:]}",
                ]
            ),
            pytrace=False,
        )
