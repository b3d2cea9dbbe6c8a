# SPDX-License-Identifier: GPL-3.0-or-later
"""``generate`` and ``fetch``: the models of some images or jobs, in one file.

They work on the same records as the artist's Blender. Whatever ends the command, a model that is paid for is fetched
from its record: by ``fetch`` here, or by the next Blender.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..blender import importer, session
from ..errors import Pixal3DError
from ..generation import (
    UNPAID,
    Generation,
    GenerationError,
    ImportOptions,
    Manager,
    NotFinishedError,
    Source,
    State,
    wait,
)
from ..generation.known import find_record
from ..parameters import complete
from ..scenario import Connection
from . import arguments as command_line
from . import limits
from .console import Console
from .delivery import write_models
from .exit_codes import ExitCode, of_error, of_errors
from .interrupts import interrupts
from .outputs import ensure_writable_file, readable_image
from .progress import Reporter
from .service import connection


@dataclass(slots=True)
class _Wish:
    """One model that is to come into the file."""

    generation: Generation
    source: Source | None = None
    """``None`` for what was begun before."""
    image: str = ""
    problem: Pixal3DError | None = field(default=None)

    @property
    def is_here(self) -> bool:
        """Whether its checked GLB is on disk."""
        return _is_here(self.generation)


def _is_here(generation: Generation) -> bool:
    return generation.state in {State.READY, State.IMPORTED} and Path(generation.glb_file).is_file()


def generate(arguments: argparse.Namespace, console: Console) -> ExitCode:
    parameters = complete(command_line.settings(arguments))
    _ensure_writable(arguments)
    sources = [readable_image(path, command_line.framing(arguments)) for path in arguments.images]
    way = connection()
    wishes = [
        _Wish(Generation(name=source.title, parameters=parameters), source, str(path))
        for source, path in zip(sources, arguments.images, strict=True)
    ]
    return _carry_out(wishes, way, arguments, console)


def fetch(arguments: argparse.Namespace, console: Console) -> ExitCode:
    _ensure_writable(arguments)
    store = session.manager().store
    try:
        wishes = [_Wish(find_record(store, job)) for job in dict.fromkeys(arguments.jobs)]
        way = None if all(wish.is_here for wish in wishes) else connection()
        return _carry_out(wishes, way, arguments, console)
    finally:
        session.close()


def _ensure_writable(arguments: argparse.Namespace) -> None:
    ensure_writable_file(arguments.output, overwrite=arguments.overwrite)
    importer.ensure_can_import(bpy.context)


def _carry_out(
    wishes: Sequence[_Wish], way: Connection | None, arguments: argparse.Namespace, console: Console
) -> ExitCode:
    manager = session.manager()
    interrupted = threading.Event()
    started = time.monotonic()
    try:
        with interrupts(interrupted.set):
            if way is not None:
                _bring_here(wishes, way, manager, console, interrupted)
            here = [wish for wish in wishes if wish.is_here]
            if here:
                _write(here, arguments.output, command_line.placing(arguments), console, interrupted)
    except KeyboardInterrupt:
        _pause(wishes, manager, arguments, console)
        return ExitCode.INTERRUPTED
    except GenerationError as error:  # the file can't be written; what is paid for is kept
        code = of_error(error)
        console.report(error, code=code)
        _say_how_to_go_on([wish.generation for wish in wishes], arguments, console)
        return code
    finally:
        session.close()
    return _sum_up(wishes, time.monotonic() - started, arguments, console)


def _bring_here(
    wishes: Sequence[_Wish], way: Connection, manager: Manager, console: Console, interrupted: threading.Event
) -> None:
    """Until no worker is at any of them any more.

    :raises KeyboardInterrupt: interrupted.
    """
    missing = [wish for wish in wishes if not wish.is_here]
    reporter = Reporter(console, [wish.image for wish in missing])
    ids = [wish.generation.id for wish in missing]
    for wish in missing:
        manager.start(wish.generation, wish.source, way)
    while not wait(manager, ids, limits.WATCH_INTERVAL_SECONDS, reporter.note):
        if interrupted.is_set():
            raise KeyboardInterrupt
    for wish in missing:
        wish.problem = manager.problem(wish.generation.id)
        if (snapshot := manager.get(wish.generation.id)) is not None:
            wish.generation = snapshot.generation
        if wish.problem is None and not wish.is_here:
            wish.problem = NotFinishedError("Stopped waiting for the model.", wish.generation.trouble)
        if wish.problem is not None:
            _tell_failed(wish, console)


def _write(
    here: Sequence[_Wish], output: Path, options: ImportOptions, console: Console, interrupted: threading.Event
) -> None:
    """The file, and then the note that these models were delivered: no Blender offers them again.

    :raises GenerationError: it can't be written.
    """
    console.show(f"Writing {output.name}")
    problems = write_models([wish.generation for wish in here], output, options, interrupted.is_set)
    store = session.manager().store
    for wish, problem in zip(here, problems, strict=True):
        wish.problem = problem
        if problem is not None:
            _tell_failed(wish, console)
            continue
        delivered = wish.generation.changed(state=State.IMPORTED, is_kept=True, error="", hint="")
        wish.generation = delivered if wish.generation.is_kept else store.save(delivered)


def _tell_failed(wish: _Wish, console: Console) -> None:
    generation, problem = wish.generation, wish.problem
    console.warn(f"{generation.name}: {problem}")
    console.tell(
        "failed",
        name=generation.name,
        image=wish.image,
        id=generation.id,
        job=generation.job_id,
        error=getattr(problem, "message", str(problem)),
        hint=getattr(problem, "remedy", ""),
    )


def _sum_up(wishes: Sequence[_Wish], seconds: float, arguments: argparse.Namespace, console: Console) -> ExitCode:
    done = [wish.generation for wish in wishes if wish.problem is None]
    for generation in done:
        cost = "" if generation.cost is None else f", {generation.cost:g} CU"
        seed = "" if generation.seed is None else f", seed {generation.seed}"
        console.say(f"{generation.name}: done{cost}{seed}, {generation.job_id}")
        console.tell(
            "done",
            name=generation.name,
            id=generation.id,
            job=generation.job_id,
            cost=generation.cost,
            seed=generation.seed,
            parameters=dict(generation.parameters),
        )
    if done:
        console.say(f"Wrote {arguments.output}")
    code = of_errors([wish.problem for wish in wishes if wish.problem is not None], done=len(done))
    file = str(arguments.output) if done else ""
    failed = len(wishes) - len(done)
    console.tell("end", file=file, done=len(done), failed=failed, seconds=round(seconds, 1), code=code)
    paid = [wish.generation for wish in wishes if wish.problem is not None and not wish.generation.has_failed_job]
    _say_how_to_go_on(paid, arguments, console)
    return code


def _pause(wishes: Sequence[_Wish], manager: Manager, arguments: argparse.Namespace, console: Console) -> None:
    """What is paid for, or may be, is gone on with from its record. What is not, is forgotten: the same command would
    pay for it again, and the next Blender would take it for an artist's click and pay for it, too."""
    ids = [wish.generation.id for wish in wishes]
    for generation_id in ids:
        manager.pause(generation_id)
    wait(manager, ids, limits.PAUSE_PATIENCE_SECONDS)
    left = list[Generation]()
    for wish in wishes:
        snapshot = manager.get(wish.generation.id)
        generation = snapshot.generation if snapshot else wish.generation
        if generation.state in UNPAID:
            manager.remove(generation.id)
        else:
            left.append(generation)
    console.warn("Interrupted.")
    console.tell("interrupted", jobs=[g.job_id or g.id for g in left], code=ExitCode.INTERRUPTED)
    _say_how_to_go_on(left, arguments, console)
    if len(left) < len(wishes):
        console.warn(f"{len(wishes) - len(left)} not asked for yet, and not charged.")


def _say_how_to_go_on(generations: Sequence[Generation], arguments: argparse.Namespace, console: Console) -> None:
    words = [g.job_id or g.id for g in generations if g.job_id or g.state in {State.SUBMITTING, State.UNCERTAIN}]
    if words:
        file = f'"{arguments.output}"'
        command = command_line.to_type_next("fetch", *words, "--output", file, *command_line.given_placing(arguments))
        console.warn(f"What is paid for is kept. To go on, which costs nothing:\n  {command}")
