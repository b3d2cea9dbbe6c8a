# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window: each state of each panel can be reached and is seen. ``scripts/gallery.py`` keeps the pictures."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import State, Store
from pixal3d_addon.parameters import complete
from scripts.gallery import CAPTIONS, STATES
from tests.gui.conftest import Window
from tests.gui.test_generations import DRAGON, STORE, a_model, another

EARLIER = (("mushroom", 1.0), ("garden gnome", 3.0), ("desk lamp", 5.0), ("tea pot", 26.0), ("chair", 50.0))
"""Name and age in hours."""
WORKED_SECONDS = 150.0
SCENARIO_TIMEOUT_SECONDS = 400.0


PROOFS: dict[str, Any] = {
    "no_key": True,
    "half_a_key": ["SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"],
    "no_image": True,
    "first_image": [],
    "ready": "Generate",
    "quoted": "Generate · 60 CU",
    "old_price": "Generate · 60 CU?",
    "findings": ["Busy Background"],
    "uploading": "uploading",
    "queued": ["queued", None],
    "waiting_for_object_mode": "Waiting for Object Mode",
    "done": "mushroom",
    "reply_lost": "uncertain",
    "reply_lost_stopped": "uncertain",
    "stopped": "abandoned",
    "many": [8, 5],
}
WORDS = {
    "offline": "Online access is off",
    "connected": "Connected to the project",
    "key_rejected": "does not accept this API key",
    "network_away": "connection",
    "failed": "could not make a model",
    "other_file": "Made for a file",
    "mesh_check": "Vertices",
}


@pytest.fixture
def service(standin: Any) -> Iterator[Any]:
    standin.clear_faults()
    standin.set_options(
        job_seconds=2.0, mesh_scale="honoured", texture_format="png", dry_run_checks_image=False, prices=[(1024, 60)]
    )
    yield standin
    standin.clear_faults()
    standin.set_options(job_outcome="success", dry_run_checks_image=True, prices=[(1024, 30), (2048, 42), (4096, 42)])


def worked(hours: float) -> tuple[tuple[str, str], ...]:
    """As the service's history says it of a job that took :data:`WORKED_SECONDS`."""
    ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    began = ended - datetime.timedelta(seconds=WORKED_SECONDS)
    return (("in-progress", began.isoformat()), ("success", ended.isoformat()))


def make_earlier_generations(folder: Path, service: Any) -> None:
    model = a_model(folder, service)
    store = Store(folder)
    store.take_over()
    for name, hours in EARLIER:
        another(store, model, name, hours, cost=60.0, status_history=worked(hours))
    another(store, model, "dragon", 30.0, parameters=complete(DRAGON), seed=77, cost=42.0, status_history=worked(30.0))
    failed = {"state": State.FAILED, "is_kept": False, "glb_file": "", "service_status": "failure"}
    another(store, model, "wine glass", 75.0, **failed, error="Scenario could not make a model of this image.")
    store.remove(model)
    store.release()


@pytest.mark.newest_only
def test_every_state_of_every_panel_is_reached_and_looks_different(window: Window, service: Any) -> None:
    wanted = os.environ.get("PIXAL3D_GALLERY", "")
    environment = {
        "GUI_KEY": service.key,
        "GUI_SECRET": service.secret,
        "GUI_BASE_URL": service.base_url,
        "GUI_ALL": wanted,
    }
    first = window.play("gallery", {**environment, "GUI_PART": "first"}, timeout=SCENARIO_TIMEOUT_SECONDS)
    make_earlier_generations(window.profile / STORE, service)
    environment |= service.environment()
    later = window.play("gallery", {**environment, "GUI_PART": "later"}, timeout=SCENARIO_TIMEOUT_SECONDS)
    reached = {**first.recorded["reached"], **later.recorded["reached"]}
    assert set(reached) == set(CAPTIONS) - (set() if wanted else set(STATES["Settings"]))
    for state, proof in PROOFS.items():
        assert reached[state] == proof, state
    for state, words in WORDS.items():
        assert words in reached[state], state
    progress, seconds_left = reached["40_percent"]
    assert progress == 0.4 and 60 < seconds_left < 120, "the earlier jobs took 150 s, and this one 60 so far"
    assert 0.0 < reached["downloading"] < 1.0
    rows, chosen = reached["list"]
    assert rows > len(EARLIER) and chosen == "dragon"
    pictures = {**first.pictures, **later.pictures}
    rectangles = {**first.recorded["rectangles"], **later.recorded["rectangles"]}
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in pictures.values()}) == len(rectangles)
    if wanted:
        shown = {name: {"file": str(pictures[name]), **entry} for name, entry in rectangles.items()}
        Path(wanted).write_text(json.dumps(shown), encoding="utf-8")
