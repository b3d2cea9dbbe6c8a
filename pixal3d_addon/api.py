# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixal3D for Python scripts inside Blender, in a window and in background mode.

Importable as soon as the add-on is enabled::

    from bl_ext.user_default.pixal3d_addon import api

:func:`generate` turns an image into objects in the scene and returns when they stand there; :func:`submit` returns at
once, with a :class:`Generation` to ask. :func:`fetch` brings the model of a job, :func:`quote` asks for the price.
A call of :func:`generate` or :func:`submit` spends the account's creative units, once for each image.

**Threads.** What makes or touches Blender's data works in Blender's main thread only: :func:`generate`, :func:`submit`,
:func:`fetch`, :func:`quote` and :meth:`Generation.result`; elsewhere they raise :class:`WrongThreadError`. The rest of
:class:`Generation` may be used in any thread. ``on_progress`` is called in the thread that waits.

**Waiting.** What blocks, blocks Blender: in a window nothing is drawn meanwhile. There, :func:`submit` is the better
choice: the model is placed by itself when it has come, as after a click on Generate. In background mode nothing comes
by itself: call :meth:`Generation.result`. If the waiting is ended (the interrupt key, an exception in ``on_progress``),
nothing is lost and nothing more is paid for: a job that was begun is fetched by its ID.

**Errors** are :class:`Pixal3DError`, all of them; ``str()`` of one says what happened and what to do::

    Pixal3DError
    +-- ParameterError              values that the model can't take; a ValueError too
    +-- ScenarioError               the service and the way to it: MissingKeyError, KeyRejectedError,
    |                               CreditsExhaustedError, ModeratedError, TransportError, SubmissionUncertainError …
    +-- GenerationError
        +-- SourceImageError        the image can't be sent
        +-- NotFinishedError        stopped before the model was there
        +-- ResultTimeoutError      it takes longer than was to be waited; a TimeoutError too
        +-- PartlyFailedError       of several images, some gave no model
        +-- BlenderSideError        NoImageError, ModelImportError, OnlineAccessError, WrongThreadError
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, get_args, get_type_hints, overload

import bpy

from .blender import ordering, pricing, session
from .blender.errors import BlenderSideError, ModelImportError, NoImageError, OnlineAccessError, WrongThreadError
from .blender.image_source import Part
from .blender.open_file import placement_here
from .errors import Pixal3DError
from .generation import (
    Framing,
    GenerationError,
    ImportOptions,
    Manager,
    NotFinishedError,
    Progress,
    Snapshot,
    SourceImage,
    SourceImageError,
    State,
    wait,
)
from .generation.known import find_record
from .parameters import ParameterError, complete
from .scenario import (
    CreditsExhaustedError,
    KeyRejectedError,
    MissingKeyError,
    ModeratedError,
    ScenarioError,
    SubmissionUncertainError,
    TransportError,
)

__all__ = (
    "generate",
    "submit",
    "fetch",
    "quote",
    "Generation",
    "ImportedModel",
    "Progress",
    "State",
    "Parameters",
    "Picture",
    "Placing",
    "Settings",
    "Pixal3DError",
    "ParameterError",
    "ScenarioError",
    "MissingKeyError",
    "KeyRejectedError",
    "CreditsExhaustedError",
    "ModeratedError",
    "TransportError",
    "SubmissionUncertainError",
    "GenerationError",
    "SourceImageError",
    "NotFinishedError",
    "ResultTimeoutError",
    "PartlyFailedError",
    "BlenderSideError",
    "NoImageError",
    "ModelImportError",
    "OnlineAccessError",
    "WrongThreadError",
)

Image = bpy.types.Image | str | os.PathLike[str]
"""An image datablock, the name of one, or the path of an image file (``//`` stands for the .blend file's folder)."""
Images = Sequence[Image]
"""Never a single text, which is a sequence too."""

OnProgress = Callable[[Progress], object]

Place = Literal["CURSOR", "ORIGIN", "OBJECT"]
Turn = Literal[0, 90, 180, 270]
Textures = Literal["PACK", "FILES"]


class Parameters(TypedDict, total=False):
    """The settings of the model, as the manual's table says; what is not given has the table's default."""

    generation_resolution: Literal[1024, 1536]
    max_num_tokens: int
    seed: int | None
    mesh_scale: float
    decimation_target: int
    remesh: bool
    resolution: Literal[1024, 2048, 4096]
    ss_guidance_strength: float
    ss_guidance_rescale: float
    ss_sampling_steps: int
    shape_slat_guidance_strength: float
    shape_slat_guidance_rescale: float
    shape_slat_sampling_steps: int
    shape_slat_rescale_t: float
    tex_slat_guidance_strength: float
    tex_slat_guidance_rescale: float
    tex_slat_sampling_steps: int
    tex_slat_rescale_t: float


class Placing(TypedDict, total=False):
    """How the model arrives. Lengths in scene units."""

    place_at: Place | tuple[float, float, float]
    """The 3D cursor (the default), the world's origin, where the object stands that the image comes from, or a point in
    world space. The model stands on it."""
    turn: Turn
    """Degrees about the vertical axis, counter-clockwise seen from above."""
    height: float
    """0 leaves the size to ``mesh_scale``."""
    shade_smooth: bool
    """Instead of the normals that are delivered."""
    merge_distance: float
    """0 merges nothing."""
    is_asset: bool
    asset_catalog: str
    """Path of the catalog, as ``Props/Chairs``. It needs a saved file."""
    textures: Textures
    """Packed into the .blend file, or kept beside it, if that is saved."""


class Picture(TypedDict, total=False):
    """What of the image is sent."""

    crop_to_subject: bool
    pad_to_square: bool
    udim_tile: int
    """Such as 1001; 0 for the first one."""
    frame: int
    """Of a movie or an image sequence; 0 for the one shown now."""


class Settings(Parameters, Placing, Picture, total=False):
    """All that :func:`generate` and :func:`submit` take by name."""


class ResultTimeoutError(GenerationError, TimeoutError):
    """The model takes longer than was to be waited. It is on its way all the same."""


@dataclass(frozen=True)
class ImportedModel:
    """A model that stands in the scene."""

    objects: tuple[bpy.types.Object, ...]
    """All that came with it, the root first; a model of one mesh is one object. As any reference into Blender's data
    they are good until the next undo or File > Open."""
    job_id: str
    """The service's job, for :func:`fetch` and for the account's job list."""
    seed: int | None
    """The seed that was used, if it was set or the service said."""
    cost: float | None
    """Creative units, if the service said."""
    glb_path: Path
    """The GLB as it was delivered, in the folder of the generations: not scaled, turned or cleaned up. Copy what is to
    last: the preferences' disk limit deletes old ones."""


class PartlyFailedError(GenerationError):
    """Of several images, some gave no model. The models of the others stand in the scene.

    :ivar results: for each image, in order, its model or the error that ended it.
    """

    def __init__(self, results: Sequence[ImportedModel | Pixal3DError]) -> None:
        errors = [result for result in results if isinstance(result, Pixal3DError)]
        super().__init__(f"{len(errors)} of {len(results)} models could not be had.", f"The first: {errors[0]}")
        self.results = list(results)


class Generation:
    """A model on its way, as :func:`submit` returns it.

    Example::

        from bl_ext.user_default.pixal3d_addon import api
        chair = api.submit("//chair.png", seed=7, resolution=1024)
        while not chair.wait(timeout=1.0):
            print(chair.status, chair.service_status, chair.progress)
        print(chair.result().objects[0].name, chair.cost)
    """

    def __init__(self, manager: Manager, generation_id: str) -> None:
        """Made by :func:`submit` only."""
        self._manager = manager
        self._id = generation_id

    def __repr__(self) -> str:
        return f"<Generation {self.name}: {self.status}>"

    @property
    def id(self) -> str:
        """Names it in this add-on: in the list of generations, and on the imported object (``["pixal3d"]``)."""
        return self._id

    @property
    def name(self) -> str:
        """The image's name without its file extension: the object will be called so."""
        return self._snapshot.generation.name

    @property
    def status(self) -> State:
        """How far it is. A text, too: ``prepared`` (also while it waits for its turn), ``uploading``, ``submitting``,
        ``running``, ``downloading``, ``ready``, ``imported``; or ``uncertain`` (the reply to the paid request was
        lost), ``failed``, ``abandoned`` (stopped)."""
        return self._snapshot.generation.state

    @property
    def service_status(self) -> str:
        """The service's own word: ``queued``, ``in-progress`` …; empty before there is a job."""
        return self._snapshot.generation.service_status

    @property
    def progress(self) -> float | None:
        """0 to 1 within the present :attr:`status`, ``None`` where nobody knows, 1 once the model is here."""
        return Progress.of(self._snapshot).fraction

    @property
    def job_id(self) -> str:
        """The service's job; empty before there is one. From then on the model is paid for."""
        return self._snapshot.generation.job_id

    @property
    def cost(self) -> float | None:
        """Creative units, once the service has said."""
        return self._snapshot.generation.cost

    @property
    def is_done(self) -> bool:
        """Whether nobody works on it: :meth:`result` won't wait. In a window, what an outage has interrupted is begun
        again by itself, and is not done then."""
        return not self._manager.is_running(self._id)

    def wait(self, timeout: float | None = None, on_progress: OnProgress | None = None) -> bool:
        """Block until it is done, for `timeout` seconds at most; whether it is. Any thread. Raises nothing of its own.

        :param on_progress: called in this thread at each change.
        """
        return wait(self._manager, [self._id], timeout, on_progress)

    def stop(self) -> None:
        """Wait for it no longer. Any thread, returns at once. Before there is a job, nothing is charged; after, the
        service goes on and charges, and :func:`fetch` brings the model."""
        self._manager.stop(self._id)

    def result(self, timeout: float | None = None) -> ImportedModel:
        """The model in the scene: blocks until it is done, and places it if it is not there yet. Main thread only.

        Any number of times: the same objects, as long as they are in the open file; else it is placed once more.

        :param timeout: seconds.
        :raises ResultTimeoutError: it is not done then. Ask again.
        :raises ScenarioError, GenerationError: what ended it.
        """
        _ensure_main_thread()
        if not self.wait(timeout):
            raise ResultTimeoutError(f"The model of {self.name} is not there yet.", "Wait longer, or ask again later.")
        return _imported(self._manager, self._id)

    @property
    def _snapshot(self) -> Snapshot:
        snapshot = self._manager.get(self._id)
        if snapshot is None:
            raise GenerationError("This generation was removed.", "Generate it anew.")
        return snapshot


@overload
def generate(image: Image, *, on_progress: OnProgress | None = None, **settings: Unpack[Settings]) -> ImportedModel: ...
@overload
def generate(
    image: Images, *, on_progress: OnProgress | None = None, **settings: Unpack[Settings]
) -> list[ImportedModel]: ...
def generate(
    image: Image | Images,
    *,
    on_progress: OnProgress | None = None,
    **settings: Unpack[Settings],
) -> ImportedModel | list[ImportedModel]:
    """Turn an image into a textured model in the scene: blocks until it stands there, selected and active. This is
    charged.

    Several images become as many models, all at once, as many at a time as the preferences say; the settings are for
    each. For hundreds of them use ``blender --command pixal3d batch``, which can be killed and started again.

    :param image: an image datablock, the name of one, or the path of a file; or a list of such.
    :param on_progress: called in this thread with a :class:`Progress` at each change. If it raises, the call ends with
        that; a job that was begun goes on at the service, and :func:`fetch` brings its model.
    :param settings: :class:`Parameters`, :class:`Placing` and :class:`Picture`, by name.
    :returns: the model, or a list of them in the order of the images.
    :raises ParameterError, SourceImageError, NoImageError, OnlineAccessError, MissingKeyError: nothing was sent, of no
        image.
    :raises ScenarioError, GenerationError: the model can't be had; ``str()`` of it says why and what to do.
    :raises PartlyFailedError: of several images, some gave no model. The other models stand in the scene.

    Main thread only.

    Example::

        from bl_ext.user_default.pixal3d_addon import api
        chair = api.generate("//chair.png", mesh_scale=2.0, resolution=1024, place_at=(1.0, 0.0, 0.0))
        print(chair.objects[0].name, chair.job_id, chair.cost, chair.glb_path)
        say = lambda now: print(now.name, now.status, now.fraction)
        both = api.generate(["Chair", "//chair.png"], resolution=1024, on_progress=say)
        print([model.objects[0].name for model in both])
    """
    if isinstance(image, str) or not isinstance(image, Sequence):
        (handle,) = _begun([image], settings)
        handle.wait(on_progress=on_progress)
        return handle.result()
    handles = _begun(image, settings)
    wait(session.manager(), [handle.id for handle in handles], on_progress=on_progress)
    results: list[ImportedModel | Pixal3DError] = []
    models: list[ImportedModel] = []
    for handle in handles:
        try:
            models.append(handle.result())
            results.append(models[-1])
        except Pixal3DError as error:
            results.append(error)
    if len(models) < len(results):
        raise PartlyFailedError(results)
    return models


@overload
def submit(image: Image, **settings: Unpack[Settings]) -> Generation: ...
@overload
def submit(image: Images, **settings: Unpack[Settings]) -> list[Generation]: ...
def submit(image: Image | Images, **settings: Unpack[Settings]) -> Generation | list[Generation]:
    """Begin what :func:`generate` does, and return at once. This is charged.

    In a window the model is placed by itself when it has come, as after a click on Generate; in background mode when
    :meth:`Generation.result` is called.

    :param image: as for :func:`generate`.
    :returns: the generation, or a list of them in the order of the images.
    :raises ParameterError, SourceImageError, NoImageError, OnlineAccessError, MissingKeyError: nothing was sent, of no
        image.

    Main thread only.

    Example::

        from bl_ext.user_default.pixal3d_addon import api
        first, second = api.submit(["Chair", "//chair.png"], decimation_target=20000, resolution=1024)
        second.stop()
        print(first.result().glb_path, second.is_done)
    """
    if isinstance(image, Sequence) and not isinstance(image, str):
        return _begun(image, settings)
    (handle,) = _begun([image], settings)
    return handle


def fetch(job_id: str, *, on_progress: OnProgress | None = None, **placing: Unpack[Placing]) -> ImportedModel:
    """Bring the model of a job of this project into the scene, whoever began it. Blocks; nothing is charged for it.

    :param job_id: as :attr:`ImportedModel.job_id`, :attr:`Generation.job_id` or the service's job list says it. A job
        that is not done yet is waited for.
    :param on_progress: as for :func:`generate`.
    :raises NotFoundError: there is no such job, or it is none of Pixal3D.
    :raises ScenarioError, GenerationError: the model can't be had.

    Main thread only.

    Example::

        from bl_ext.user_default.pixal3d_addon import api
        job_id = api.generate("Chair", resolution=1024).job_id
        print(api.fetch(job_id, place_at="ORIGIN", height=0.9).objects[0].name)
    """
    _ensure_main_thread()
    place_at, options = _placed(placing)
    if not job_id.strip():
        raise GenerationError("No job ID was given.", "Copy it from the job list of your Scenario project.")
    way = ordering.connection()
    placement = placement_here(bpy.context, place_at if isinstance(place_at, str) else "CURSOR")
    if not isinstance(place_at, str):
        placement = replace(placement, location=place_at)
    manager = session.manager()
    # A window's manager knows all records; nothing has told a script's of what an earlier one has left.
    known = find_record(manager.store, job_id.strip()) if bpy.app.background else manager.of_job(job_id, placement)
    generation = replace(known, placement=placement, options=options)
    ordering.begin(ordering.Order(generation, None, way))
    handle = Generation(manager, generation.id)
    handle.wait(on_progress=on_progress)
    return handle.result()


def quote(image: Image | None = None, **parameters: Unpack[Parameters]) -> float:
    """What one model with these settings costs, in creative units. Blocks; nothing is charged for it.

    :param image: is uploaded if the service wants to see one; ``None`` asks without one.
    :raises ScenarioError, GenerationError: there is no price to be had, without an image perhaps.

    Main thread only.

    Example::

        from bl_ext.user_default.pixal3d_addon import api
        print(api.quote("//chair.png", resolution=2048))
    """
    _ensure_main_thread()
    settings = complete(parameters)
    if image is None:
        return pricing.quote(ordering.connection(), settings, None)
    source = _order(image, {**parameters}).source
    assert isinstance(source, SourceImage)
    return pricing.quote(ordering.connection(), settings, source)


def _begun(images: Iterable[Image], settings: Mapping[str, Any]) -> list[Generation]:
    """What is wrong with any of them is said before anything is sent."""
    _ensure_main_thread()
    orders = [_order(image, settings) for image in images]
    for order in orders:
        ordering.begin(order)
    return [Generation(session.manager(), order.generation.id) for order in orders]


def _order(image: Image, settings: Mapping[str, Any]) -> ordering.Order:
    if not isinstance(image, bpy.types.Image | str | os.PathLike) or image == "":
        raise NoImageError(f"{image!r} is no image.", "Give an image, the name of one, or the path of an image file.")
    place_at, options = _placed(_named_in(Placing, settings))
    picture = _checked(Picture, _named_in(Picture, settings))
    others = Placing.__annotations__ | Picture.__annotations__
    return ordering.order(
        bpy.context,
        image,
        {name: value for name, value in settings.items() if name not in others},
        framing=Framing(picture.get("crop_to_subject", False), picture.get("pad_to_square", False)),
        part=Part(picture.get("udim_tile", 0), picture.get("frame", 0)),
        place_at=place_at,
        options=options,
    )


def _named_in(kind: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings that a :class:`TypedDict` names."""
    return {name: value for name, value in settings.items() if name in kind.__annotations__}


def _placed(placing: Mapping[str, Any]) -> tuple[str | tuple[float, float, float], ImportOptions]:
    """
    :raises ParameterError: one message that lists everything that is wrong.
    """
    place_at = placing.get("place_at", "CURSOR")
    is_known = place_at in get_args(Place)
    if not isinstance(place_at, str):
        try:
            x, y, z = map(float, place_at)
            place_at = (x, y, z)
            is_known = all(map(math.isfinite, place_at))
        except (TypeError, ValueError):
            pass
    known = f"one of {', '.join(get_args(Place))}, or three numbers"
    problems = [] if is_known else [f"place_at must be {known}, not {place_at!r}"]
    others = {name: value for name, value in placing.items() if name != "place_at"}
    return place_at, ImportOptions(**_checked(Placing, others, problems))


def _checked(kind: Any, given: Mapping[str, Any], problems: Sequence[str] = ()) -> dict[str, Any]:
    """The arguments that a :class:`TypedDict` names, as what it says of them.

    :param problems: what is wrong besides.
    :raises ParameterError: one message that lists everything that is wrong.
    """
    hints, found, values = get_type_hints(kind), [*problems], dict[str, Any]()
    for name, value in given.items():
        if (hint := hints.get(name)) is None:
            found.append(f"There is no argument named {name!r}")
            continue
        choices = get_args(hint) or ((True, False) if hint is bool else ())
        if choices:
            values[name] = next((choice for choice in choices if choice == value), None)
            wanted = f"one of {', '.join(map(str, choices))}"
        elif hint is str:
            values[name], wanted = value if isinstance(value, str) else None, "text"
        else:
            is_number = isinstance(value, int | (float if hint is float else int)) and not isinstance(value, bool)
            values[name] = value if is_number and 0 <= value < math.inf else None
            wanted = f"a {'' if hint is float else 'whole '}number that is not negative"
        if values[name] is None:
            found.append(f"{name} must be {wanted}, not {value!r}")
    if found:
        raise ParameterError(". ".join(found))
    return values


def _imported(manager: Manager, generation_id: str) -> ImportedModel:
    objects = ordering.finished(manager, generation_id)
    snapshot = manager.get(generation_id)
    assert snapshot is not None, "it was there just now"
    generation = snapshot.generation
    return ImportedModel(tuple(objects), generation.job_id, generation.seed, generation.cost, Path(generation.glb_file))


def _ensure_main_thread() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise WrongThreadError(
            "Pixal3D was called in another thread than Blender's main thread.",
            "Call it in the main thread; bpy.app.timers.register() leads there.",
        )
