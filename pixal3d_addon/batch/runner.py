# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a list of images to a folder of models.

A few threads each claim an item (:mod:`.claims`), carry it on with :func:`..generation.worker.run` until its model is
on disk, and claim the next one. What is to happen in the caller's thread comes to it through a queue: in Blender that
is the main thread, the only one that may touch bpy. An item is forgotten when it is done.
"""

from __future__ import annotations

import contextlib
import filecmp
import math
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from ..generation import NotFinishedError
from ..scenario import CanceledError, Connection, Gate, MissingKeyError, ScenarioClient
from . import limits
from .board import Board, Standing
from .claims import Claims
from .crew import Arrived, Crew, Ended
from .errors import BatchError, OutputError, PriceUnknownError
from .finishing import Finish, Finisher, deliver_glb
from .items import Problems, placed_items
from .outcome import Event, Plan, Summary
from .prices import ask_prices
from .rows import WrongRow
from .telling import Told, failures

__all__ = ("Batch", "Event", "Finish", "Plan", "Summary")


class Batch:
    """One list of images, and one folder of results.

    :param source: a folder, or a list: see :func:`.items.read_items`.
    :param output: the folder of the results. It may be shared with other batches and other processes.
    :param connection: the way to the service; without one there are no prices, and :meth:`run` raises.
    :param defaults: parameters, by identifier, of the images for which the list says nothing else.
    :param concurrency: generations of this process at once.
    :param most_cost: creative units. Nothing is begun with which all that the manifest tells of would cost more.
    :param retry_failed: try again too what has failed at the service, and what may have been charged without a job.
    :param chunk: ``(k, n)``: see :func:`.items.read_items`.
    :param suffix: the extension of the results.
    :param beside: endings of what `finish` makes beside a result, after its name: such files are not written over.
    :param finish: makes the result's file from the delivered GLB, in the thread of :meth:`run`. By default the GLB
        itself, scaled if the service has not done so.
    """

    def __init__(
        self,
        source: Path,
        output: Path,
        connection: Connection | None,
        *,
        defaults: Mapping[str, object] = {},
        concurrency: int = 3,
        most_cost: float | None = None,
        retry_failed: bool = False,
        chunk: tuple[int, int] | None = None,
        suffix: str = ".glb",
        beside: tuple[str, ...] = (),
        finish: Finish | None = None,
    ) -> None:
        if finish is None and suffix != ".glb":
            raise BatchError(f"Nobody says how a {suffix} file is made.")
        if os.path.isdir(source) and _is_same(source, output):
            raise BatchError("The results must go to another folder than the one of the images.")
        self._source = source
        self._output = output
        self._connection = connection
        self._defaults = dict(defaults)
        self._concurrency = max(1, concurrency)
        self._most_cost = most_cost
        self._retry_failed = retry_failed
        self._chunk = chunk
        self._suffix = suffix
        self._beside = beside
        self._finish = finish or deliver_glb
        self._is_stopped = False
        self._stopped = threading.Event()
        """The same a moment later, for what waits in the network."""

    def plan(self) -> Plan:
        """Read the list and the manifest, and ask for prices if there is a connection. Nothing is paid, nothing is
        written.

        :raises ListError, OutputError: they can't be used.
        :raises ScenarioError: the service can't be asked.
        """
        claims = self._loaded()
        try:
            board, missing = claims.board, self._missing()
            trouble = None
            if self._connection is not None:
                trouble = ask_prices(board, missing, self._connection, self._stopped)
            prices, unknown = Counter[float](), 0
            for priced, count, *_ in board.priced(missing):
                price = board.price(priced)
                if price is None:
                    unknown += count
                else:
                    prices[price] += count
            counts = board.counts
            under_way = counts[Standing.OWED] + (counts[Standing.BROKEN] if self._retry_failed else 0)
            to_do = sum(counts[standing] for standing in missing)
            return Plan(
                items=board.items,
                done=counts[Standing.DONE],
                under_way=under_way,
                missing=to_do,
                failed=board.items - counts[Standing.DONE] - under_way - to_do,
                cost=None if unknown else float(sum(price * count for price, count in prices.items())),
                prices=tuple(sorted(prices.items())),
                trouble=str(trouble or ""),
            )
        finally:
            claims.close()

    def run(self, on_event: Callable[[Event], None] | None = None) -> Summary:
        """Blocks until all is done that may be, or :meth:`stop`. What other processes are at is waited for, and taken
        over if they die.

        :param on_event: called in this thread, at each change of an item.
        :raises ListError, OutputError, PriceUnknownError: before anything was sent; or the output can't be used any
            more.
        :raises ScenarioError: the service can't be reached, or will not do anything for this account. All that was
            begun can be gone on with.
        """
        began, gate = time.monotonic(), Gate()
        claims = self._loaded()
        crew: Crew | None = None
        try:
            finisher = Finisher(claims, self._finish)
            if not self._is_stopped and self._has_work(claims.board):
                connection = self._made_ready(claims, gate)
                crew = Crew(claims, connection, gate, self._concurrency, retries_failed=self._retry_failed)
                crew.start()
                self._watch(crew, finisher, Told(claims, finisher, on_event))
                if crew.problem is not None:
                    raise crew.problem
            return self._summary(claims, finisher, time.monotonic() - began, gate.requests)
        except (CanceledError, NotFinishedError):  # stopped before there was anything to stop
            return self._summary(claims, finisher, time.monotonic() - began, gate.requests)
        finally:
            _close(claims, crew)

    def stop(self) -> None:
        """From any thread or a signal handler: :meth:`run` returns soon, and all is resumable."""
        self._is_stopped = True
        # A signal may find the main thread in the middle of an event's lock, and would wait for it forever.
        threading.Thread(target=self._stopped.set, name="pixal3d-batch-stop", daemon=True).start()

    def _loaded(self) -> Claims:
        claims = Claims(
            self._output,
            self._suffix,
            most_cost=self._most_cost,
            retries_failed=self._retry_failed,
            beside=self._beside,
        )
        try:
            claims.load(placed_items(self._source, self._defaults, chunk=self._chunk))
            self._ensure_same_images(claims.board)
        except BaseException:
            claims.close()
            raise
        return claims

    def _ensure_same_images(self, board: Board) -> None:
        """Two lists may have different images at the same place, and would share their models in one folder.

        :raises ListError: they do.
        """
        problems = Problems(self._source)
        for row, image, other in board.others():
            if _differ(image, other):
                problems.add(
                    WrongRow(
                        row,
                        "image",
                        f"{self._output} has a model of {other}, which has the same place as {image} in another folder "
                        "or list. Use another output folder for this one.",
                    )
                )
        problems.check()

    def _missing(self) -> frozenset[Standing]:
        """How those stand that are to be paid for."""
        again = {Standing.LOST, Standing.UNCERTAIN} if self._retry_failed else set[Standing]()
        return frozenset({Standing.NEW, Standing.BEGUN, Standing.FAILED, *again})

    def _has_work(self, board: Board) -> bool:
        over = board.counts[Standing.DONE]
        if not self._retry_failed:
            over += board.counts[Standing.LOST] + board.counts[Standing.BROKEN]
        return over < board.items

    def _made_ready(self, claims: Claims, gate: Gate) -> Connection:
        """All that can be known to go wrong for everything does so here, before anything is sent or written."""
        if self._connection is None:
            raise MissingKeyError()
        problems = Problems(self._source)
        for row, image in claims.board.images(self._missing()):
            if not os.path.isfile(image):
                problems.add(WrongRow(row, "image", f"there is no file {image}"))
        problems.check()
        claims.check_output()
        with ScenarioClient(self._connection, cancel=self._stopped, gate=gate) as client:
            client.check_key()
        if self._most_cost is not None:
            trouble = ask_prices(claims.board, self._missing(), self._connection, self._stopped)
            if trouble is not None:
                raise PriceUnknownError(
                    f"The cost is limited, and it can't be known: {trouble} Nothing was paid. Leave the limit out, or "
                    "try again later."
                )
        claims.clean_up()
        return self._connection

    def _watch(self, crew: Crew, finisher: Finisher, told: Told) -> None:
        """Until the crew has ended, or has been stopped for long enough."""
        deadline = math.inf
        while crew.is_at_work or not crew.messages.empty():
            with contextlib.suppress(queue.Empty):
                message = crew.messages.get(timeout=limits.EVENT_SECONDS)
                if isinstance(message, Ended):
                    told.tell(message.entry)
                    crew.forget(message.entry.key)
                elif not crew.is_stopped:
                    self._finish_one(crew, finisher, message, told)
            told.tell_of(crew.snapshots())
            if self._is_stopped and not crew.is_stopped:
                crew.stop()
            if crew.is_stopped:
                deadline = min(deadline, time.monotonic() + limits.STOP_PATIENCE_SECONDS)
                if time.monotonic() > deadline:
                    return

    def _finish_one(self, crew: Crew, finisher: Finisher, arrived: Arrived, told: Told) -> None:
        key = arrived.generation.id
        try:
            entry = finisher.finish(key, Path(arrived.generation.glb_file))
        except OutputError as error:
            crew.fail(error)
            return
        crew.forget(key)
        if entry is not None:
            told.tell(entry)

    def _summary(self, claims: Claims, finisher: Finisher, seconds: float, requests: int) -> Summary:
        counts = claims.board.counts
        failed = failures(counts) + finisher.failures
        return Summary(
            done=finisher.done,
            skipped=counts[Standing.DONE] - finisher.done,
            other_format=claims.board.in_other_formats,
            failed=failed,
            uncertain=counts[Standing.UNCERTAIN],
            left=claims.board.items - counts[Standing.DONE] - failed - counts[Standing.UNCERTAIN],
            cost=claims.charged,
            seconds=seconds,
            requests=requests,
            stray_jobs=claims.stray_jobs() if self._chunk is None else (),
        )


def _close(claims: Claims, crew: Crew | None) -> None:
    """What a thread still is at that hangs in the network stays this process's until it ends."""
    if crew is None or not crew.is_at_work:
        claims.close()
        return
    crew.stop()

    def close_later() -> None:
        crew.join()
        claims.close()

    thread = threading.Thread(target=close_later, name="pixal3d-batch-close", daemon=True)
    thread.start()
    thread.join(limits.STOP_PATIENCE_SECONDS)


def _differ(image: Path, other: Path) -> bool:
    """Whether both can be read and are not the same: files that were moved, or are seen from elsewhere, can't."""
    try:
        return not (os.path.samefile(image, other) or filecmp.cmp(image, other, shallow=False))
    except OSError:
        return False


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
