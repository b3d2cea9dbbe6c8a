# SPDX-License-Identifier: GPL-3.0-or-later
"""Run as a script, in another process: imports damaged models that our check has passed, as the add-on does.

``python in_blender.py LIST NOTES``: the files' names, one a line; what became of each is added to `NOTES`, and before
it that it was begun. Each is then evaluated, its pictures are decoded, and the file is saved: what crashes Blender may
do so later.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
MEMORY_BYTES = 6 * 1024**3
"""More than an idle Blender; the machine has to live on."""

os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="pixal3d-fuzz-"))
sys.path[0] = str(PROJECT)  # and not this folder, whose names are other modules' too

import bpy  # noqa: E402, I001  (it makes addon_utils importable)
import addon_utils  # noqa: E402

ADDON = "bl_ext.dev.pixal3d_addon"


def main(names: Path, notes: Path) -> None:
    repository = bpy.context.preferences.extensions.repos.new(
        name="dev", module="dev", custom_directory=str(PROJECT), source="USER"
    )
    module = addon_utils.enable(ADDON, default_set=True)
    assert module is not None, "The add-on could not be enabled; Blender printed why"
    limit = status("VmSize:") + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with notes.open("a", encoding="utf-8", buffering=1) as file:
        for name in names.read_text(encoding="utf-8").splitlines():
            file.write(f"begin\t{name}\n")
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
            began = time.monotonic()
            outcome = tried(Path(name))
            file.write(f"{outcome}\t{name}\t{time.monotonic() - began:.3f}\t{status('VmHWM:')}\n")
    addon_utils.disable(ADDON, default_set=True)
    bpy.context.preferences.extensions.repos.remove(repository)


def tried(path: Path) -> str:
    """imported, refused, or what is wrong."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.mesh.primitive_cube_add()
    before = state()
    try:
        objects = imported(path)
    except room("blender.errors").ModelImportError:
        return "refused" if state() == before else f"FAULT left behind: {difference(before, state())}"
    except Exception as error:
        return f"FAULT {type(error).__name__}: {error}".replace("\n", " ").replace("\t", " ")[:300]
    if not any(obj.type == "MESH" for obj in objects):
        return "FAULT no mesh"
    use(path)
    return "imported"


def imported(path: Path) -> list[Any]:
    """Through our own importer."""
    info = room("scenario").inspect_glb(path)
    generation = room("generation").Generation(
        name="Chair",
        parameters=room("parameters").complete({}),
        state=room("generation").State.READY,
        glb_file=str(path),
        bounds=(info.bounds_min, info.bounds_max),
    )
    applied_by = room("generation.scale").AppliedBy.AUTO
    return list(room("blender.importer").import_model(bpy.context, generation, applied_by))


def use(path: Path) -> None:
    """As an artist would."""
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    for obj in bpy.context.scene.objects:
        if obj.type == "MESH":
            evaluated: Any = obj.evaluated_get(graph)
            mesh = evaluated.to_mesh()
            mesh.calc_loop_triangles()
            evaluated.to_mesh_clear()
    for image in bpy.data.images:
        if image.size[0] * image.size[1] <= 1 << 22:
            len(image.pixels)
    bpy.ops.wm.save_as_mainfile(filepath=str(path.with_suffix(".blend")), copy=True)
    path.with_suffix(".blend").unlink()


def state() -> dict[str, Any]:
    """What an import that has failed must not change."""
    kinds = [p.identifier for p in bpy.data.bl_rna.properties if p.type == "COLLECTION"]
    found: dict[str, Any] = {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}
    return found | {"mode": bpy.context.mode, "active": getattr(bpy.context.object, "name", "")}


def difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    return "; ".join(f"{key} {before[key]} {after[key]}" for key in before if before[key] != after[key])[:200]


def room(name: str) -> Any:
    """A module of the enabled add-on."""
    return importlib.import_module(f"{ADDON}.{name}")


def status(line: str) -> int:
    """Bytes, as ``/proc`` counts them."""
    for each in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if each.startswith(line):
            return int(each.split()[1]) * 1024
    raise AssertionError(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
