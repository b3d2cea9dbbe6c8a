# SPDX-License-Identifier: GPL-3.0-or-later
"""An image file in, a GLB file out: the pipeline for plain Python, without Blender.

Each call is for one model, which is known by the image's bytes, the parameters and the target's place. A record of it
is in a store, by default the folder ``.pixal3d`` beside the target, before anything is paid for. So the same call
again, whatever ended the first one, goes on where that was: it is paid for once. Of what was delivered only the record
is kept.

What the call finds, and does:

* the target, as it was delivered: nothing;
* a model that is paid for or may be: fetches it. If the reply to the paid request was lost, it looks for the job in the
  service's list; it never sends that request again;
* one that failed, at the service or before there was a job: begins anew, and pays for that;
* a record that another call is at, in this process or elsewhere: raises :class:`TakenError`.

So another model of the same image needs another seed, another target or another store.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..parameters import SETTINGS, Value, complete
from ..scenario import DEFAULT_BASE_URL, Connection, Credentials, MissingKeyError
from .errors import GenerationError, SourceImageError, StoreError
from .glb_scale import ensure_deliverable, write_scaled
from .manager import Manager, Settings
from .record import Generation
from .scale import AppliedBy, import_scale
from .source import source_image_from_file
from .state import UNPAID, State
from .store import Store
from .waiting import Progress, wait

STORE_NAME = ".pixal3d"


def connection_from_environment(environ: Mapping[str, str] = os.environ) -> Connection:
    """The way to the service, from ``SCENARIO_SDK_API_KEY``, ``SCENARIO_SDK_API_SECRET`` and, if it is not the usual
    one, ``SCENARIO_BASE_URL``.

    :raises ConfigurationError: no key (:class:`MissingKeyError`), or the address is not one to send a key to.
    """
    credentials = Credentials.from_environment(environ)
    if credentials is None:
        raise MissingKeyError(remedy="Set the environment variables SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET.")
    return Connection(credentials, environ.get("SCENARIO_BASE_URL", "").strip() or DEFAULT_BASE_URL)


def generate_file(
    image: str | os.PathLike[str],
    glb: str | os.PathLike[str],
    connection: Connection,
    *,
    parameters: Mapping[str, object] | None = None,
    store: str | os.PathLike[str] | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> Generation:
    """Turn the image file into a GLB file at `glb`, as large as ``mesh_scale`` says. Blocks; any thread.

    :param image: PNG, JPEG or WebP of at most 20 MB, sent as it is.
    :param glb: is there in whole or not at all; its folder is made if there is none.
    :param parameters: by identifier, as the manual's table names them; the defaults for the rest.
    :param store: the folder with the records, ``None`` for ``.pixal3d`` beside `glb`. Several processes may share it.
    :param on_progress: called in this thread. If it raises, or the interrupt key is pressed, the call ends with that,
        and the same call again goes on.
    :returns: the record: ``job_id``, ``cost`` (creative units) and ``seed`` if the service said, ``glb_file``.
    :raises ParameterError, SourceImageError: nothing was sent.
    :raises ScenarioError, GenerationError: the model could not be had; the text says what to do. Unless it says that
        the job failed, the same call again costs nothing more.
    """
    settings = complete(parameters or {})
    _ensure_numpy()
    target = Path(os.path.abspath(glb))
    folder = Path(os.path.abspath(store)) if store is not None else target.parent / STORE_NAME
    generation_id = _identifier(_image_digest(Path(image)), settings, target, folder)
    with _as_target_error(target):  # said before anything is paid for
        target.parent.mkdir(parents=True, exist_ok=True)
        ensure_deliverable(target)
    with Manager(folder, Settings(takes_over=False)) as manager:
        record = _known(manager.store, generation_id)
        if record is not None and record.state is State.IMPORTED and _digest(target) == record.glb_sha256:
            return dataclasses.replace(record, glb_file=str(target))
        source = source_image_from_file(Path(image))
        if record is None or record.has_failed_job:
            record = Generation(source.title, settings, id=generation_id)
        if record.state is not State.READY or not Path(record.glb_file).is_file():
            manager.start(record, source if record.state in UNPAID else None, connection)
            wait(manager, [generation_id], on_progress=on_progress)
            if (problem := manager.problem(generation_id)) is not None:
                raise problem
            snapshot = manager.get(generation_id)
            assert snapshot is not None, "nobody drops it"
            record = snapshot.generation
        return _deliver(record, target, manager.store)


def _ensure_numpy() -> None:
    """Said before anything is paid for: the model's data are looked at with it."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise GenerationError("This Python lacks the module numpy.", "Install it. Nothing was sent.") from None


def _known(store: Store, generation_id: str) -> Generation | None:
    try:
        record = store.take(generation_id) if store.exists else None
    except ValueError as error:
        raise StoreError(
            f"The record of this model can't be read ({error!r}), and it may be paid for.",
            f"Look at the jobs in your Scenario project; to begin anew, remove {store.folder}.",
        ) from error
    if record is None and store.notice:  # it may have been among those that are lost
        raise StoreError(store.notice, "The same call again begins anew, and pays for that.")
    return record


def _deliver(record: Generation, target: Path, store: Store) -> Generation:
    """The model at its place, then the record of that, and only then the files go: each step can be done again."""
    factor, _ = import_scale(float(record.parameters["mesh_scale"] or 1.0), record.bounds, AppliedBy.AUTO)
    with _as_target_error(target):
        write_scaled(Path(record.glb_file), target, factor)
    delivered = store.save(record.changed(state=State.IMPORTED, is_kept=True, glb_sha256=_digest(target)))
    store.empty(delivered)
    return dataclasses.replace(delivered.without_files(), glb_file=str(target))


@contextlib.contextmanager
def _as_target_error(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GenerationError(
            f"The model can't be written to {target}: {error.strerror}.",
            "Check the disk's free space and your rights. The same call again goes on, and pays for nothing twice.",
        ) from error


def _identifier(image_digest: str, settings: Mapping[str, Value], target: Path, folder: Path) -> str:
    """The same for the same wish: also after the folder was moved, or is seen from another machine, and by a version
    that knows more parameters."""
    chosen = {p.identifier: settings[p.identifier] for p in SETTINGS if settings[p.identifier] != p.default}
    try:
        place = Path(os.path.relpath(target, folder)).as_posix()
    except ValueError:  # on another drive
        place = target.as_posix()
    text = json.dumps([image_digest, chosen, place], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _image_digest(image: Path) -> str:
    digest = _digest(image)
    if not digest:
        raise SourceImageError(f"There is no image file {image} that can be read.", "Name another one.")
    return digest


def _digest(file: Path) -> str:
    """SHA-256 of the file's bytes, empty if it can't be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
