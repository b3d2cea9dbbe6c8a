# SPDX-License-Identifier: GPL-3.0-or-later
"""A model that a second Blender has prepared is the same as one that was imported directly, and never in its way."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.blender.test_importer import glb as glb  # a fixture
from tests.support.datablocks import described_data, differences

PATIENCE_SECONDS = 60


@pytest.fixture
def prepared(room: Callable[[str], Any]) -> Any:
    return room("blender.prepared")


@pytest.fixture
def ready(room: Callable[[str], Any], tmp_path: Path) -> Callable[..., Any]:
    """A generation whose model is on disk and is said to be large."""

    def make(glb_file: str, **changes: Any) -> Any:
        generation = room("generation").Generation(
            name="Chair",
            parameters=room("parameters").complete({}),
            state=room("generation").State.READY,
            folder=str(tmp_path),
            glb_file=glb_file,
            glb_sha256="0123456789abcdef",
            triangles=room("blender.limits").PREPARE_TRIANGLES,
        )
        return generation.changed(**changes)

    return make


def prepare(prepared: Any, generation: Any) -> None:
    prepared.look_ahead([], [generation], bpy.context.scene)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while prepared.is_awaited(generation, bpy.context.scene):
        assert time.monotonic() < deadline, "it is never done"
        time.sleep(0.02)


def imported(room: Any, generation: Any) -> list[bpy.types.Object]:
    applied_by = room("generation.scale").AppliedBy.AUTO
    return room("blender.importer").import_model(bpy.context, generation, applied_by)


@pytest.mark.parametrize("shape", [{}, {"with_helper": True}, {"parts": 3, "with_helper": True}])
@pytest.mark.parametrize("unit_scale", [1.0, 0.01])
def test_a_prepared_model_differs_in_nothing_from_one_imported_directly(
    room: Any, prepared: Any, ready: Any, glb: Any, shape: dict[str, Any], unit_scale: float
) -> None:
    generation = ready(glb(**shape))
    bpy.context.scene.unit_settings.scale_length = unit_scale
    imported(room, generation)
    direct = described_data()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.unit_settings.scale_length = unit_scale
    prepare(prepared, generation)
    Path(generation.glb_file).unlink()  # so that no direct import could do it
    imported(room, generation)
    assert differences(direct, described_data()) == []
    assert list(bpy.data.libraries) == []
    assert len(bpy.data.scenes) == 1 and not [c.name for c in bpy.data.collections if c.name != "Collection"]


def test_the_textures_of_the_service_arrive_as_they_were_sent(
    room: Any, prepared: Any, service: Any, tmp_path: Path
) -> None:
    """Through the whole way, with WebP textures, as the stand-in sends them."""
    image = bpy.data.images.new("Chair", 32, 32)
    image.pixels.foreach_set([0.7, 0.2, 0.1, 1.0] * (32 * 32))
    image.update()
    assert bpy.ops.pixal3d.generate(image="Chair", decimation_target=5000, seed=1) == {"FINISHED"}
    manager = room("blender.session").manager()
    (generation,) = (s.generation for s in manager.snapshots())
    assert generation.triangles > 1000
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    imported(room, generation)
    direct = described_data()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    large = generation.changed(triangles=room("blender.limits").PREPARE_TRIANGLES)
    before = manager.get(generation.id).generation.bytes_on_disk
    prepare(prepared, large)
    (blend,) = Path(generation.folder).glob("prepared-*.blend")
    assert manager.get(generation.id).generation.bytes_on_disk == before + blend.stat().st_size
    imported(room, large)
    assert differences(direct, described_data()) == []
    assert sum(block.startswith("Image ") for block in direct) == 2


def test_a_model_that_was_staged_is_what_is_placed(
    room: Any, prepared: Any, ready: Any, glb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation, scene = ready(glb()), bpy.context.scene
    monkeypatch.setattr(prepared, "_upload", lambda image: None)  # without a window there is no graphics card
    prepare(prepared, generation)
    assert prepared.stage(generation, scene)
    (staged,) = bpy.data.objects
    assert not staged.users_collection
    while prepared.stage(generation, scene):
        pass
    assert all(image.has_data for image in bpy.data.images)
    (blend,) = Path(generation.folder).glob("prepared-*.blend")
    blend.unlink()  # so that it could not be appended anew
    number = staged.session_uid
    assert [obj.session_uid for obj in imported(room, generation)] == [number]


def test_a_staged_model_that_is_gone_meanwhile_is_appended_anew(room: Any, prepared: Any, ready: Any, glb: Any) -> None:
    generation = ready(glb())
    prepare(prepared, generation)
    assert prepared.stage(generation, bpy.context.scene)
    bpy.data.batch_remove(list(bpy.data.objects))  # as an undo does
    (model,) = imported(room, generation)
    assert model.users_collection and len(model.data.vertices) > 0


def test_a_small_model_is_not_prepared(room: Any, prepared: Any, ready: Any, glb: Any) -> None:
    generation = ready(glb(), triangles=room("blender.limits").PREPARE_TRIANGLES - 1)
    prepared.look_ahead([], [generation], bpy.context.scene)
    assert not prepared.is_awaited(generation, bpy.context.scene)
    assert prepared._helper is None, "no second Blender for it"


def test_the_file_is_used_again_but_not_for_another_unit_scale_or_model(
    room: Any, prepared: Any, ready: Any, glb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = ready(glb())
    prepare(prepared, generation)
    prepared.close()  # as when Blender is started again
    assert len(prepared.append(generation, bpy.context.scene)) == 1
    assert prepared.append(generation.changed(glb_sha256="fedcba"), bpy.context.scene) == []
    bpy.context.scene.unit_settings.scale_length = 0.5
    assert prepared.append(generation, bpy.context.scene) == []


BAD_BLENDERS = {
    "it can't be started": ["/nowhere/blender"],
    "it crashes": [sys.executable, "-c", "raise SystemExit(11)"],
    "it hangs": [sys.executable, "-c", "import time; time.sleep(600)"],
    "it says that it failed": [
        sys.executable,
        "-c",
        'input(); print(\'pixal3d-answer:{"error": "RuntimeError: no"}\', flush=True)',
    ],
}


@pytest.mark.parametrize("trouble", BAD_BLENDERS)
def test_whatever_happens_to_the_second_blender_the_model_is_imported_and_the_log_says_why(
    room: Any,
    prepared: Any,
    ready: Any,
    glb: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    monkeypatch.setattr(prepared, "command", lambda script: BAD_BLENDERS[trouble])
    monkeypatch.setattr(room("blender.limits"), "PREPARE_SECONDS", 1.0)
    generation = ready(glb())
    with caplog.at_level(logging.WARNING):
        prepare(prepared, generation)
    assert "second Blender" in caplog.text
    assert [obj.type for obj in imported(room, generation)] == ["MESH"]


def test_a_model_that_crashes_the_second_blender_is_not_given_to_the_artists(
    room: Any, prepared: Any, ready: Any, glb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = "import os, signal; input(); os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(prepared, "command", lambda script: [sys.executable, "-c", crash])
    generation = ready(glb())
    prepare(prepared, generation)
    with pytest.raises(room("blender.errors").ModelImportError, match=r"crashed .* The file is kept: .*glb"):
        imported(room, generation)
    assert not bpy.data.objects and Path(generation.glb_file).is_file()


def test_a_file_that_holds_another_model_is_not_used(
    room: Any, prepared: Any, ready: Any, glb: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    two_parts = ready(glb(parts=2, with_helper=True))
    prepare(prepared, two_parts)
    (blend,) = tmp_path.glob("prepared-*.blend")
    other = ready(glb(), glb_sha256="fedcba9876543210")
    prepare(prepared, other)
    (own,) = (path for path in tmp_path.glob("prepared-*.blend") if path != blend)
    own.write_bytes(blend.read_bytes())
    with caplog.at_level(logging.WARNING):
        assert len(imported(room, other)) == 1
    assert "holds another model" in caplog.text
    assert len(bpy.data.meshes) == 1, "nothing of it is left"
    own.write_bytes(b"no .blend file at all")
    assert len(imported(room, other)) == 1


def test_disabling_ends_the_second_blender_at_once(prepared: Any, ready: Any, glb: Any) -> None:
    generation = ready(glb())
    prepare(prepared, generation)
    child = prepared._helper._blender._child
    prepared.close()
    assert child.wait(PATIENCE_SECONDS) != 0
