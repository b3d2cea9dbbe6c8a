# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window: the list of what was made in earlier sessions, and what can be done with it."""

from __future__ import annotations

import dataclasses
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Manager, SourceImage, State, Store
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection, Credentials
from tests.gui.conftest import Window
from tests.support.standin import PROJECT

STORE = "blender/extensions/.user/user_default/pixal3d_addon/generations"
"""In the profile."""
SAMPLE = PROJECT / "scripts/sample/mushroom.png"
OLD = 196
DRAGON = {"decimation_target": 6000, "resolution": 2048, "seed": 77}
HOUR_SECONDS = 3600.0
SCENARIO_TIMEOUT_SECONDS = 240.0
"""Its buttons are far down, and are looked for from the top."""


def a_model(folder: Path, service: Any) -> Generation:
    """Made by the stand-in, from the sample."""
    manager = Manager(folder)
    connection = Connection(Credentials(service.key, service.secret), service.base_url)
    image = SourceImage("mushroom.png", SAMPLE)
    settings = complete({"decimation_target": 5000, "resolution": 1024, "seed": 7})
    made = manager.run(Generation("mushroom", settings), image, connection)
    manager.close()
    return made


def another(store: Store, model: Generation, name: str, hours: float, **changes: Any) -> Generation:
    """The same once more, as an entry of its own with files of its own."""
    new = dataclasses.replace(model, id=uuid.uuid4().hex, name=name, folder="", job_id=f"job_{uuid.uuid4().hex}")
    folder = store.make_folder(new)
    for file in Path(model.folder).iterdir():
        shutil.copy(file, folder)
    files = {key: str(folder / Path(getattr(model, key)).name) for key in ("source_file", "glb_file")}
    at = time.time() - hours * HOUR_SECONDS
    values = {"state": State.IMPORTED, "is_kept": True, "created_at": at, "folder": str(folder), **files, **changes}
    return store.save(dataclasses.replace(new, **values))


@pytest.mark.newest_only
def test_what_was_made_earlier_is_found_and_used_again(window: Window, standin: Any) -> None:
    standin.clear_faults()
    standin.set_options(job_seconds=1.0, mesh_scale="honoured", texture_format="webp")
    folder = window.profile / STORE
    model = a_model(folder, standin)
    store = Store(folder)
    for number in range(OLD):
        another(store, model, f"concept sheet {number:03d}", OLD - number + 2.0, cost=60.0)
    failed = {"state": State.FAILED, "is_kept": False, "glb_file": "", "service_status": "failure"}
    another(store, model, "chair", 1.5, **failed, error="The service could not make it.", hint="Use another image.")
    dragon = another(store, model, "dragon", 30.0, parameters=complete(DRAGON), seed=77, cost=42.0)
    another(store, model, "lamp", 2.5, glb_file="", source_file="", folder="", bytes_on_disk=0)
    store.release()
    charges = len(standin.charges())
    environment = {**standin.environment(), "GUI_DRAGON": dragon.id}
    seen = window.play("generations", environment, timeout=SCENARIO_TIMEOUT_SECONDS).recorded
    assert seen["listed"] == OLD + 4
    assert seen["needing_attention"] == ["mushroom"]
    assert not seen["is_list_in_file"], "a file that is passed on tells nobody what else was made"
    assert seen["found_by_typing"] == dragon.id
    assert seen["imported_again"] == ["dragon"]
    assert seen["settings"] == [6000, "2048", 77]
    assert seen["replaced"] == {"name": "Cube", "location": [3.0, 1.0, 0.0], "children": 0, "is_dragon": True}
    assert seen["after_undo"] == 8
    assert seen["clipboard"] == dragon.job_id
    assert seen["asked_before_removing"]
    assert seen["listed_at_the_end"] == OLD + 3
    assert not Path(dragon.folder).exists() and len(standin.charges()) == charges
