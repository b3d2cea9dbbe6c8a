# SPDX-License-Identifier: GPL-3.0-or-later
"""``batch``: a folder or list of images to a folder of models, on the engine of :mod:`..batch`."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections import Counter
from pathlib import Path

import bpy

from ..batch import MANIFEST_NAME, Batch, BatchError, Entry, EntryState, Event, Plan, Summary, read_manifest
from ..blender import exporter, importer, session
from ..blender.contact_sheet import ContactSheet
from ..generation import Generation, ImportOptions, State
from ..parameters import readable
from ..scenario import inspect_glb
from . import arguments as command_line
from . import delivery, limits, openjd
from .console import Console
from .exit_codes import ExitCode, UsageError
from .interrupts import interrupts, raise_interrupt
from .outputs import ensure_writable_folder
from .progress import percent
from .service import connection


def run(arguments: argparse.Namespace, console: Console) -> ExitCode:
    suffix, options = f".{arguments.format}", command_line.placing(arguments)
    if reason := exporter.reason_against(suffix):
        raise UsageError(reason)
    _ensure_output(arguments.output)
    is_as_delivered = suffix == ".glb" and options == delivery.AS_DELIVERED
    if not is_as_delivered:
        importer.ensure_can_import(bpy.context)
    batch = Batch(
        arguments.source,
        arguments.output,
        session.connection_or_none() if arguments.dry_run else connection(),
        defaults=command_line.settings(arguments),
        concurrency=arguments.concurrency,
        most_cost=arguments.max_cu,
        retry_failed=arguments.retry_failed,
        chunk=arguments.chunk,
        suffix=suffix,
        beside=exporter.endings_beside(suffix),
        finish=None if is_as_delivered else _Finisher(options),
    )
    if arguments.dry_run:
        with interrupts(raise_interrupt):
            _show_plan(batch.plan(), console)
        return ExitCode.DONE
    follower = _Follower(arguments, console)

    def stop() -> None:
        follower.stop()
        batch.stop()

    with interrupts(stop):
        try:
            summary = batch.run(follower.note)
        except BaseException:
            follower.stop()
            raise
        finally:
            sheet = follower.close()
    code = _exit_code(summary, arguments, is_stopped=follower.is_stopped)
    _show_summary(summary, code, arguments.output, sheet, console)
    if summary.other_format:
        console.warn(
            f"{summary.other_format} of the models are there in another format, and are not made anew. `fetch JOB` "
            f"writes one in this one, for nothing; {arguments.output / MANIFEST_NAME} tells the jobs."
        )
    if summary.stray_jobs:
        console.warn(
            f"Paid for by an earlier run, and not in the list any more: {' '.join(summary.stray_jobs)}. "
            "`fetch` brings them, for nothing."
        )
    if follower.is_stopped:
        console.warn("Interrupted. The same command goes on, and pays for nothing twice.")
    return code


def _exit_code(summary: Summary, arguments: argparse.Namespace, *, is_stopped: bool) -> ExitCode:
    if is_stopped:
        return ExitCode.INTERRUPTED
    if arguments.openjd:
        return openjd.exit_code(arguments, summary)
    is_complete = not (summary.failed or summary.uncertain or summary.left)
    return ExitCode.DONE if is_complete else ExitCode.SOME_FAILED


def _ensure_output(folder: Path) -> None:
    """
    :raises UsageError: nothing can be written to it, or it can't be made.
    """
    there = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), folder)
    if not os.path.isdir(there):
        raise UsageError(f"{there} is not a folder. Name one, or one that is to be made.")
    ensure_writable_folder(there)


class _Follower:
    """Tells of the batch, and has thumbnails drawn of what is done."""

    def __init__(self, arguments: argparse.Namespace, console: Console) -> None:
        self.is_stopped = False
        self._output: Path = arguments.output
        self._is_part = arguments.chunk is not None
        self._for_openjd: bool = arguments.openjd
        self._sheet = None if arguments.no_contact_sheet else ContactSheet(arguments.output)
        self._console = console
        self._told = dict[str, tuple[object, ...]]()
        """What was told last of those that are under way."""

    def note(self, event: Event) -> None:
        """For :meth:`Batch.run`."""
        entry = event.entry
        state = (entry.state, event.status, event.notice)
        before = self._told.get(entry.key)
        now = (*state, percent(event.progress))
        if now == before:
            return
        self._told[entry.key] = now
        text = entry.state.value
        if event.status and entry.state is EntryState.RUNNING:
            text += f" ({event.status})"
        text += "".join(f". {words}" for words in (entry.trouble, event.notice) if words)
        is_end = not entry.owner  # nobody is at it any more
        counts = f"{event.done} of {event.total} done" if event.total is not None else f"{event.done} done"
        counts += f", {event.failed} failed" if event.failed else ""
        is_new = before is None or before[:3] != state
        if entry.error if self._console.is_terminal else is_new:
            self._console.say(f"{entry.name}: {text} [{counts}]")
        at = "" if event.progress is None else f" {percent(event.progress)} %"
        self._console.show(f"{counts} · {entry.name}: {text}{at}")
        self._console.tell(
            "item",
            key=entry.key,
            name=entry.name,
            image=entry.image,
            state=entry.state.value,
            status=event.status,
            progress=event.progress,
            notice=event.notice,
            job=entry.job_id,
            cost=entry.cost,
            seed=entry.seed,
            file=entry.file,
            error=entry.error,
            hint=entry.hint,
            done=event.done,
            failed=event.failed,
            total=event.total,
        )
        if is_end:
            del self._told[entry.key]
            if self._for_openjd:
                openjd.tell(event, self._console)
            if self._sheet is not None and entry.state is EntryState.DONE:
                self._sheet.add(entry.name, self._output / entry.file)

    def stop(self) -> None:
        """For a signal handler."""
        self.is_stopped = True
        if self._sheet is not None:
            self._sheet.stop()

    def close(self) -> Path | None:
        """The contact sheet. Where several work on a list, each draws its thumbnails, and nobody the pages."""
        if self._sheet is None:
            return None
        if not self.is_stopped:
            self._console.show("Drawing the contact sheet")
        try:
            return self._sheet.close(pages=not (self._is_part or self.is_stopped))
        except OSError as error:
            self._console.warn(f"The contact sheet can't be written: {error}.")
            return None


class _Finisher:
    """Makes the result of a delivered GLB where that is not the GLB itself. Leaves no datablock behind, so that memory
    stays flat."""

    def __init__(self, options: ImportOptions) -> None:
        self._options = options

    def __call__(self, entry: Entry, delivered: Path, target: Path) -> None:
        info = inspect_glb(delivered)
        generation = Generation(
            entry.name,
            readable(entry.parameters),
            state=State.READY,
            job_id=entry.job_id,
            cost=entry.cost,
            seed=entry.seed,
            glb_file=str(delivered),
            bounds=(info.bounds_min, info.bounds_max),
        )
        delivery.empty_scene()
        try:
            objects = importer.import_model(bpy.context, generation, session.mesh_scale_applied_by(), self._options)
            exporter.export(objects, target)
        finally:
            delivery.empty_scene()


def _show_plan(plan: Plan, console: Console) -> None:
    console.tell("plan", **dataclasses.asdict(plan))
    for count, what in (
        (plan.items, "images"),
        (plan.done, "done"),
        (plan.under_way, "paid for, to be fetched"),
        (plan.failed, "failed, not tried again (--retry-failed)"),
        (plan.missing, "to be generated"),
    ):
        console.say(f"{count:>8}  {what}")
    for cost, count in plan.prices:
        console.say(f"{count:>8}  for {cost:g} CU each")
    if plan.cost is not None:
        console.say(f"{plan.cost:>8g}  CU in all. Nothing was paid.")
    else:
        console.say(f"The price is not known. {plan.trouble}".strip())


def _show_summary(summary: Summary, code: ExitCode, output: Path, sheet: Path | None, console: Console) -> None:
    reasons = _reasons(output)
    facts = {**dataclasses.asdict(summary), "seconds": round(summary.seconds, 1)}
    console.tell("end", **facts, reasons=reasons, contact_sheet=str(sheet or ""), code=code)
    for count, what in (
        (summary.done, "done"),
        (summary.skipped, "done before"),
        (summary.failed, "failed"),
        (summary.uncertain, "perhaps charged, and not found at the service"),
        (summary.left, "left"),
    ):
        if count or what == "done":
            console.say(f"{count:>8}  {what}")
    for reason, count in reasons.items():
        console.say(f"{count:>8}  x {reason}")
    minutes, seconds = divmod(round(summary.seconds), 60)
    console.say(f"{summary.cost:>8g}  CU, {f'{minutes} min ' if minutes else ''}{seconds} s")
    console.say(f"Results: {output}" + (f", {sheet}" if sheet else ""))


def _reasons(output: Path) -> dict[str, int]:
    """Why items of this folder failed, the most frequent reasons first."""
    try:
        found = Counter(e.error for e in read_manifest(output) if e.error and e.state is not EntryState.DONE)
    except (BatchError, OSError):
        return {}
    return dict(found.most_common(limits.REASONS_SHOWN))
