# SPDX-License-Identifier: GPL-3.0-or-later
"""From a wish for a model to the objects in the scene: what operators and scripts share. Main thread.

:func:`order` gathers what a wish needs and spends nothing; :func:`begin` carries it out in the background;
:func:`finished` puts the model into the scene. :func:`run` is all of it, blocking.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from ..generation import Generation, GenerationError, ImportOptions, KeptImage, NotFinishedError, State
from ..parameters import complete
from . import image_source, importer, online, provenance, session, watcher
from .errors import ModelImportError, NoImageError, reported
from .image_source import Part
from .open_file import placement_here
from .placement import Location

if TYPE_CHECKING:
    from ..generation import Framing, Manager, Placement, Source
    from ..parameters import Value
    from ..scenario import Connection


@dataclass(frozen=True, slots=True)
class Order:
    """One image to become one model."""

    generation: Generation
    source: Source | None
    """``None`` for a job that the service has already."""
    connection: Connection
    image: bpy.types.Image | None = None
    """The datablock that it is made of, if there is one."""
    instead_of: str = ""
    """A generation that has failed, and goes from the list."""


def connection() -> Connection:
    """The way to the service, if it may be used.

    :raises OnlineAccessError, ConfigurationError: there is no network for add-ons, or no key.
    """
    online.ensure_online()
    return session.connection()


def chosen_image(context: bpy.types.Context) -> bpy.types.Image | None:
    """The image that the artist has selected, or else the one that colors the active object. Memory only."""
    image: bpy.types.Image | None = context.scene.pixal3d.image
    return image or _image_of_active_object(context)


def named_image(context: bpy.types.Context, name_or_path: str) -> bpy.types.Image | None:
    """The datablock of that name, ``None`` if it may be a file's path; empty for the chosen image."""
    return bpy.data.images.get(name_or_path) if name_or_path else chosen_image(context)


def order(
    context: bpy.types.Context,
    image: bpy.types.Image | str | os.PathLike[str] | None,
    parameters: Mapping[str, object],
    *,
    framing: Framing,
    part: Part,
    place_at: str | Location,
    options: ImportOptions,
    may_come_later: bool = False,
) -> Order:
    """What is needed to generate, checked as far as it can be here. Nothing is sent.

    :param image: a datablock, the name of one, or the path of a file; ``None`` or empty for the chosen image.
    :param place_at: see :attr:`ImportOptions.place_at`, or the point on which the model is to stand.
    :raises GenerationError, ScenarioError, ParameterError: it can't be sent, or could not be placed.
    """
    importer.ensure_can_import(context)
    way = connection()
    complete_parameters = complete(parameters)
    if isinstance(image, os.PathLike):
        found, path = None, os.path.abspath(image)  # never a datablock's name
    elif isinstance(image, bpy.types.Image):
        found, path = image, ""
    else:
        found, path = named_image(context, image or ""), image or ""
    if found is not None:
        source = image_source.source_image(found, framing, part, may_come_later=may_come_later)
    elif path:
        source = image_source.find_image(path, framing, part)
    else:
        raise NoImageError("No image is selected.", "Select one in the Pixal3D panel, or an object with a texture.")
    if isinstance(place_at, str):
        placement = placement_here(context, place_at, _source_object(context, found))
    else:
        placement = dataclasses.replace(placement_here(context), location=place_at)
    generation = Generation(name=source.title, parameters=complete_parameters, placement=placement, options=options)
    return Order(generation, source, way, found)


def order_again(
    kept_by: str,
    name: str,
    parameters: Mapping[str, Value],
    placement: Placement,
    options: ImportOptions,
    *,
    instead_of: str = "",
) -> Order:
    """Another model from an image that was sent before.

    :param kept_by: the generation that has it.
    :param instead_of: see :attr:`Order.instead_of`.
    :raises ConfigurationError: there is no key.
    """
    generation = Generation(name=name, parameters=parameters, placement=placement, options=options)
    return Order(generation, KeptImage(kept_by), session.connection(), instead_of=instead_of)


def begin(order: Order) -> None:
    """Carry it out in the background. In a window the watcher places the model, unless a script is quicker."""
    session.manager().start(order.generation, order.source, order.connection, instead_of=order.instead_of)
    watcher.watch()


def run(order: Order) -> list[bpy.types.Object]:
    """Carry it out now: blocks until the model is in the scene, and returns its objects, the root first.

    :raises ScenarioError, GenerationError: the model can't be had.
    """
    from ..generation import wait

    begin(order)
    manager = session.manager()
    wait(manager, [order.generation.id])
    return finished(manager, order.generation.id)


def finished(manager: Manager, generation_id: str) -> list[bpy.types.Object]:
    """The objects of a generation that no worker is at any more, the root first: those that stand in the open file, or
    else the model is placed now.

    :raises ScenarioError, GenerationError: what ended it.
    """
    if (problem := manager.problem(generation_id)) is not None:
        raise problem
    generation = known(manager, generation_id)
    if generation.state is State.IMPORTED and (objects := provenance.objects_of(generation_id)):
        return objects
    if generation.state not in {State.READY, State.IMPORTED}:
        raise NotFinishedError("Stopped waiting for the model.", generation.trouble)
    return _place(generation_id)


def known(manager: Manager, generation_id: str) -> Generation:
    """
    :raises GenerationError: it was removed meanwhile.
    """
    snapshot = manager.get(generation_id)
    if snapshot is None:
        raise GenerationError("This generation is not known any more.", "Select the image and generate.")
    return snapshot.generation


def _place(generation_id: str) -> list[bpy.types.Object]:
    """Through the operator: with an undo step of its own, and adjustable afterwards."""
    before = set(provenance.objects_of(generation_id))
    try:
        with _in_window():
            bpy.ops.pixal3d.import_model(  # type: ignore[attr-defined]
                "EXEC_DEFAULT", True, generation=generation_id, place_at="PLANNED"
            )
    except RuntimeError as error:  # that operator's own report
        raise ModelImportError(reported(error)) from None
    return [obj for obj in provenance.objects_of(generation_id) if obj not in before]


def _in_window() -> AbstractContextManager[object]:
    """An app timer has no window, and without one Blender makes no undo step."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or bpy.context.window or not windows:
        return nullcontext()
    return bpy.context.temp_override(window=windows[0])  # type: ignore[no-any-return]


def _image_of_active_object(context: bpy.types.Context) -> bpy.types.Image | None:
    """Not of a model of ours, which is the active object when it has just arrived: a second click would pay for a model
    of its texture atlas."""
    return None if provenance.of(context.object) else image_source.active_material_image(context)


def _source_object(context: bpy.types.Context, image: bpy.types.Image | None) -> str:
    is_from_it = image is not None and image == _image_of_active_object(context)
    return context.object.name if is_from_it and context.object else ""
