# SPDX-License-Identifier: GPL-3.0-or-later
"""Large models are prepared before they are placed: a second Blender turns the GLB into a .blend file with the same
importer, and Blender's main thread only appends that.

Appending 400,000 triangles with their packed textures takes 13 to 37 ms where importing takes 660 to 850 (bpy 5.2.3).
The second Blender is started while the model is still being downloaded, and ends when nothing has come for a while.
Where it fails, the model is imported directly, and the log says why; only one that has crashed it is not imported.

The file stays in the generation's folder, for the next time that the model is placed. Its name tells for which GLB,
which Blender and which unit scale it is good.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..generation import Generation, Snapshot, State
from ..parameters import readable
from . import limits, session
from .second_blender import SecondBlender, command

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Preparation:
    """Of one model. Written by the thread, read by the main thread."""

    generation_id: str
    order: dict[str, Any]
    is_done: bool = False
    vertices: int | None = None
    """What the second Blender has counted; ``None`` if it failed, or the file was there already."""
    has_crashed: bool = False
    """The second Blender, over it."""


class _Helper:
    """A thread, and the second Blender that it speaks to. Ends by itself when nothing has come for a while."""

    def __init__(self) -> None:
        self._blender = SecondBlender(command("prepare_in_blender.py"))
        self._orders: queue.SimpleQueue[_Preparation | None] = queue.SimpleQueue()
        """``None`` only starts the second Blender, or wakes the thread."""
        self._lock = threading.Lock()
        """Between the last order and the end. Never held while anything waits."""
        self._has_ended = False
        threading.Thread(target=self._work, name="pixal3d-prepare", daemon=True).start()

    def put(self, preparation: _Preparation | None) -> bool:
        """Whether it was taken. Main thread; memory only."""
        with self._lock:
            if not self._has_ended:
                self._orders.put(preparation)
            return not self._has_ended

    def stop(self) -> None:
        """Returns at once."""
        self._blender.stop()
        self._orders.put(None)

    def _work(self) -> None:
        while not self._blender.is_stopped:
            try:
                preparation = self._orders.get(timeout=limits.PREPARE_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    self._has_ended = self._orders.empty()
                if self._has_ended:
                    break
                continue
            self._carry_out(preparation)
        self._blender.end()

    def _carry_out(self, preparation: _Preparation | None) -> None:
        try:
            if preparation is not None:
                preparation.vertices = _prepared_vertices(self._blender, preparation)
            elif not self._blender.is_stopped:
                self._blender.start()
        except Exception as error:  # whatever it is, the model must not wait for it
            _log.warning("No second Blender prepares models: %r", error)
        if preparation is not None:
            preparation.is_done = True


def _prepared_vertices(blender: SecondBlender, preparation: _Preparation) -> int | None:
    """Have the file made, if it isn't there; see :attr:`_Preparation.vertices`."""
    blend = Path(preparation.order["blend"])
    if blend.is_file():
        return None
    answer = blender.ask(preparation.order, limits.PREPARE_SECONDS)
    if blender.is_stopped:
        return None
    preparation.has_crashed = blender.has_crashed
    if answer is None or answer["error"]:
        reason = answer["error"] if answer else "it crashed, or took too long"
        _log.warning("A second Blender could not prepare %s: %s", preparation.order["glb"], reason)
        return None
    if manager := session.manager_or_none():
        manager.note_file(preparation.generation_id, blend.stat().st_size)
    return int(answer["vertices"])


class _Stage:
    """A model that was appended and is in no scene yet.

    An undo, or opening a file, takes it away and leaves references that must not be touched, so only numbers are kept,
    which an undo does not change.
    """

    def __init__(self, objects: list[bpy.types.Object]) -> None:
        self._objects = [obj.session_uid for obj in objects]
        images = dict.fromkeys(image.session_uid for obj in objects for image in images_of(obj))
        self._steps = [(uid, step) for uid in images for step in (_decode, _upload)]

    def objects(self) -> list[bpy.types.Object]:
        """Empty if any of them is gone, or was put to use by somebody."""
        found = {obj.session_uid: obj for obj in bpy.data.objects}
        objects = [found[uid] for uid in self._objects if uid in found]
        is_whole = len(objects) == len(self._objects) and not any(obj.users_collection for obj in objects)
        return objects if is_whole else []

    def step(self) -> bool:
        """Returns whether one was left to be taken."""
        if not self._steps:
            return False
        uid, do = self._steps.pop(0)
        image = next((image for image in bpy.data.images if image.session_uid == uid), None)
        if image is not None:
            do(image)
        return True


def _decode(image: Any) -> None:
    len(image.pixels)


def _upload(image: Any) -> None:
    image.gl_load()


def images_of(obj: Any) -> list[bpy.types.Image]:
    """The textures of an object's materials."""
    return [
        node.image
        for material in (getattr(obj.data, "materials", None) or ())
        if material and material.node_tree
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    ]


_stages: dict[Path, _Stage] = {}
_preparations: dict[Path, _Preparation] = {}
"""By the file that is to be there."""
_helper: _Helper | None = None
_is_warm = False
"""Whether the second Blender was started for what is about to arrive."""


def look_ahead(snapshots: Iterable[Snapshot], arrived: Iterable[Generation], scene: Any) -> None:
    """Have prepared what is large enough and has arrived, and the second Blender started for what is about to. Main
    thread; memory only."""
    global _is_warm
    for generation in arrived:
        path = _path(generation, scene)
        if path not in _preparations and generation.triangles >= limits.PREPARE_TRIANGLES:
            order = {
                "glb": generation.glb_file,
                "blend": str(path),
                "scale_length": scene.unit_settings.scale_length,
                "options": import_arguments(),
            }
            preparation = _preparations[path] = _Preparation(generation.id, order)
            _put(preparation)
    is_coming = any(_is_about_to_arrive(snapshot) for snapshot in snapshots)
    if is_coming and not _is_warm:
        _put(None)
    _is_warm = is_coming


def is_awaited(generation: Generation, scene: Any) -> bool:
    """Whether it will be prepared in a moment: until then it is not placed. Memory only."""
    preparation = _preparations.get(_path(generation, scene))
    return preparation is not None and not preparation.is_done


def has_crashed(generation: Generation, scene: Any) -> bool:
    """Whether the importer crashed a second Blender with it, so that it would crash this one. Memory only."""
    preparation = _preparations.get(_path(generation, scene))
    return preparation is not None and preparation.has_crashed


def append(generation: Generation, scene: Any) -> list[bpy.types.Object]:
    """The objects of a prepared model, in no scene and no collection; none if there is no file that is good for `scene`
    in this Blender. Main thread."""
    path = _path(generation, scene)
    if (staged := _stages.pop(path, None)) and (known := staged.objects()):
        return known
    if is_awaited(generation, scene) or not generation.folder or not path.is_file():
        return []
    try:
        objects = _objects_in(path)
    except (OSError, RuntimeError) as error:
        _log.warning("The prepared file %s can't be read: %s", path, error)
        return []
    preparation = _preparations.get(path)
    vertices = sum(len(obj.data.vertices) for obj in objects if obj.type == "MESH")
    if not vertices or (preparation and preparation.vertices not in (None, vertices)):
        _log.warning("The prepared file %s holds another model: %d vertices", path, vertices)
        return []
    if not bpy.app.background:
        _work_out_normals(objects)
    return objects


def _work_out_normals(objects: Iterable[Any]) -> None:
    """Blender keeps them, and needs them to draw: 35 ms of the first redraw of 400,000 triangles, which is a longer
    stop than this one (5.2.2)."""
    for mesh in {obj.data for obj in objects if obj.type == "MESH"}:
        if mesh.corner_normals:
            _ = mesh.corner_normals[0].vector


def _objects_in(path: Path) -> list[bpy.types.Object]:
    """All that is in the file is linked and made local. To append takes as long, and leaves the file's path on each
    datablock, to be saved with the artist's file.

    :raises OSError, RuntimeError: it can't be read, or its parts hang together in a way that is not the importer's.
    """
    libraries, groups = set(bpy.data.libraries), {group.name: group for group in bpy.data.node_groups}
    try:
        loading: Any = bpy.data.libraries.load(str(path), link=True)
        with loading as (found, wanted):
            for kind in _KINDS:
                setattr(wanted, kind, getattr(found, kind))
            shared = [groups.get(name) for name in found.node_groups]
        objects: list[bpy.types.Object] = sorted(filter(None, wanted.objects), key=_parents, reverse=True)
        others = [block for kind in _KINDS if kind != "objects" for block in getattr(wanted, kind) if block]
        for block in [*objects, *others]:
            block.make_local()
        if any(block.library for block in [*objects, *others]):
            raise RuntimeError("A datablock is still used by one of the file's.")
        for group, known in zip(wanted.node_groups, shared, strict=True):
            if group and known:  # as the importer does
                group.user_remap(known)
                bpy.data.node_groups.remove(group)
        return objects
    finally:
        # An entry that leads to nothing, since nothing is linked any more.
        bpy.data.batch_remove(set(bpy.data.libraries) - libraries)


def _parents(obj: Any) -> int:
    """How many stand above it."""
    return 1 + _parents(obj.parent) if obj.parent else 0


def stage(generation: Generation, scene: Any) -> bool:
    """Take one step ahead of placing a prepared model, where its textures will be seen at once: append it, decode a
    texture, bring one to the graphics card. Each stops Blender for a moment; all in one would be felt (two textures of
    4096 px: 1.3 s with a graphics card made of software). Main thread, in a window.

    :returns: whether one was taken; if not, the model may be placed.
    """
    path = _path(generation, scene)
    staged = _stages.get(path)
    if staged is None:
        objects = append(generation, scene)
        if objects:
            _stages[path] = _Stage(objects)
        return bool(objects)
    return staged.step()


def import_arguments() -> dict[str, Any]:
    """Of Blender's glTF importer, as far as this Blender's has them."""
    known = bpy.ops.import_scene.gltf.get_rna_type().properties.keys()  # type: ignore[call-arg]
    return {name: value for name, value in _IMPORT_ARGUMENTS.items() if name in known}


def close() -> None:
    """For ``unregister``: the second Blender is killed, and the thread ends."""
    global _helper
    if _helper is not None:
        _helper.stop()
    _helper = None
    _preparations.clear()
    _stages.clear()


_KINDS = ("objects", "meshes", "armatures", "cameras", "lights", "materials", "node_groups", "images")
"""Of datablocks that the importer makes, the users before what they use: what a linked one uses stays linked."""

_IMPORT_ARGUMENTS: dict[str, Any] = {
    "import_pack_images": True,
    "import_shading": "NORMALS",
    "merge_vertices": False,
    "disable_bone_shape": True,  # a ball, and a collection for it
    # The options below are newer than Blender 4.2.
    "import_scene_as_collection": False,
    "import_unused_materials": False,
    "import_scene_extras": False,  # onto the artist's scene
}


def _is_about_to_arrive(snapshot: Snapshot) -> bool:
    generation = snapshot.generation
    faces = readable(generation.parameters)["decimation_target"]  # a record may be of another version
    is_large = 2 * int(faces or 0) >= limits.PREPARE_TRIANGLES
    is_near = (snapshot.shown_progress or 0.0) >= limits.PREPARE_PROGRESS
    return is_large and (generation.state is State.DOWNLOADING or (generation.state is State.RUNNING and is_near))


def _path(generation: Generation, scene: Any) -> Path:
    blender = ".".join(map(str, bpy.app.version))
    name = f"prepared-{generation.glb_sha256[:8]}-{blender}-{scene.unit_settings.scale_length:g}.blend"
    return Path(generation.folder) / name


def _put(preparation: _Preparation | None) -> None:
    global _helper
    if _helper is None or not _helper.put(preparation):
        _helper = _Helper()
        _helper.put(preparation)
