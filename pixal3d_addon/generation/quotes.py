# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model will cost: the answers of the service to dry runs, kept in memory, and the worker that asks.

A price belongs to an account and to all parameters but the seed. It is asked for by itself, with an image that the
account has already, or with the name of one that does not exist: whether the service looks is not documented. If it
refuses that, only the artist's wish goes on, by uploading the image. A dry run is free; whatever else comes of it ends
the asking.
"""

from __future__ import annotations

import functools
import itertools
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeGuard

from ..parameters import Value, complete, request_body
from ..scenario import (
    CanceledError,
    Connection,
    InvalidRequestError,
    NotFoundError,
    ProtocolError,
    ScenarioClient,
    ScenarioError,
)
from . import limits
from .errors import GenerationError, SourceImageError
from .source import SourceImage, write_source
from .threads import Threads

NO_IMAGE: Final = "asset_price_only"
"""Stands in a dry run's body where no image of the account is known."""

_log = logging.getLogger(__name__)

_Account = tuple[str, str, str]
_Key = tuple[_Account, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Price:
    """Creative units for one model."""

    cost: float
    is_old: bool = False
    """Of other parameters, or asked for too long ago."""


@dataclass(frozen=True, slots=True)
class _Answer:
    cost: float
    at: float


@dataclass(frozen=True, slots=True)
class _Run:
    """What a worker asks for."""

    key: _Key
    cancel: threading.Event = field(default_factory=threading.Event)


class Quotes:
    """The prices known in this process. What says so is for workers; the rest returns at once and reads memory only.

    :param now: a clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.trouble = ""
        """Why the artist's last wish was not answered."""
        self.version = 0
        """Another number each time that something was learned."""
        self._now = now
        self._answers: dict[_Key, _Answer] = {}
        self._failed_at: dict[_Key, float] = {}
        self._last_cost: dict[_Account, float] = {}
        self._images: dict[_Account, str] = {}
        """Uploaded for the price."""
        self._refused: set[tuple[_Account, str]] = set()
        """Images that the service did not take in a dry run."""
        self._refusals: dict[_Key, int] = {}
        """How many images were refused with these settings."""
        self._is_over: set[_Account] = set()
        """Where a dry run was answered with something else than a price."""
        self._threads = Threads()
        self._run: _Run | None = None
        self._lock = threading.Lock()

    # What is known.

    def price(self, connection: Connection, parameters: Mapping[str, object]) -> Price | None:
        """``None`` if nothing is known, or the service did not answer for these parameters a short while ago."""
        key = _key(connection, parameters)
        if self._has_failed(key):
            return None
        if answer := self._answers.get(key):
            return Price(answer.cost, is_old=not self._is_fresh(key))
        last = self._last_cost.get(key[0])
        return None if last is None else Price(last, is_old=True)

    def cost(self, connection: Connection, parameters: Mapping[str, object]) -> float | None:
        """The last answer for exactly these parameters, however old."""
        answer = self._answers.get(_key(connection, parameters))
        return answer.cost if answer else None

    def is_wanted(self, connection: Connection, parameters: Mapping[str, object]) -> bool:
        """Whether it may be asked for by itself: nothing new is known, it is not being asked for, and was not in vain a
        short while ago."""
        key = _key(connection, parameters)
        is_asked = self._run is not None and self._run.key == key
        return not (is_asked or self._is_fresh(key) or self._has_failed(key) or key[0] in self._is_over)

    def image(self, connection: Connection, known: Iterable[str]) -> str:
        """An image for the dry run, the best first: uploaded for it, one of `known`, none at all. Empty if the service
        has refused them."""
        account = _account(connection)
        if account in self._images:
            return self._images[account]
        candidates = itertools.chain(known, (NO_IMAGE,))
        return next((image for image in candidates if (account, image) not in self._refused), "")

    @property
    def is_asking(self) -> bool:
        """Whether a worker is at it."""
        return self._run is not None

    # Asking.

    def ask(self, connection: Connection, parameters: Mapping[str, object], image: str) -> None:
        """Ask in the background, by itself: what goes wrong is not shown. Does nothing while a worker asks."""
        if not self.is_asking:
            self._start(connection, parameters, image, None, is_wish=False)

    def ask_by_wish(
        self, connection: Connection, parameters: Mapping[str, object], image: str, source: SourceImage | None
    ) -> None:
        """Ask in the background, now. What goes wrong is in :attr:`trouble`.

        :param source: is uploaded if the service refuses `image`.
        """
        self.stop()
        self.trouble = ""
        self._start(connection, parameters, image, source, is_wish=True)

    def quote(
        self,
        connection: Connection,
        parameters: Mapping[str, object],
        image: str,
        source: SourceImage | None,
        cancel: threading.Event | None = None,
    ) -> float:
        """Ask in this thread, and keep the answer. For workers and scripts.

        :raises ScenarioError, GenerationError: there is no price to be had.
        """
        key = _key(connection, parameters)
        cancel = cancel or threading.Event()
        try:
            cost = self._ask_service(connection, parameters, image, source, cancel)
        except CanceledError:
            raise
        except SourceImageError:
            # Perhaps for the image's sake; if it is so with a second one, it is not.
            self._refusals[key] = self._refusals.get(key, 0) + 1
            if self._refusals[key] > 1:
                self._failed_at[key] = self._now()
            raise
        except Exception as error:
            if cancel.is_set():  # it hung in the network until now
                raise
            if _is_no_quote(error):
                self._is_over.add(key[0])
            self._failed_at[key] = self._now()
            raise
        self._answers[key] = _Answer(cost, self._now())
        self._last_cost[key[0]] = cost
        self._failed_at.pop(key, None)
        self.trouble = ""
        return cost

    def stop(self) -> None:
        """End the worker; it may hang in the network until its timeout."""
        with self._lock:
            run, self._run = self._run, None
        if run is not None:
            run.cancel.set()

    def _start(
        self,
        connection: Connection,
        parameters: Mapping[str, object],
        image: str,
        source: SourceImage | None,
        *,
        is_wish: bool,
    ) -> None:
        run = self._run = _Run(_key(connection, parameters))
        cancel = run.cancel

        def work() -> None:
            try:
                self.quote(connection, parameters, image, source, cancel)
            except (ScenarioError, GenerationError) as error:
                _log.debug("No price: %s", error)
                # A job that a dry run has started may be charged: that is said, whoever asked.
                if (is_wish and not cancel.is_set()) or (_is_no_quote(error) and error.reason):
                    self.trouble = str(error)
            finally:
                with self._lock:
                    self.version += 1
                    if self._run is run:
                        self._run = None

        self._threads.start("pixal3d-quote", work)

    def _ask_service(
        self,
        connection: Connection,
        parameters: Mapping[str, object],
        image: str,
        source: SourceImage | None,
        cancel: threading.Event,
    ) -> float:
        account = _account(connection)
        settings = {**parameters, "seed": None}
        with ScenarioClient(connection, cancel=cancel) as client:
            if image:
                try:
                    return client.quote(request_body(settings, image)).cost
                except (InvalidRequestError, NotFoundError):
                    self._refused.add((account, image))
                    self._images.pop(account, None)
            if source is None:
                raise SourceImageError("The service wants to see an image before it names a price.", "Select one.")
            with tempfile.TemporaryDirectory(prefix="pixal3d-", ignore_cleanup_errors=True) as folder:
                file = write_source(source, Path(folder), cancel)
                image = client.upload_image(f"{source.title}{file.path.suffix}", file.path, file.mime)
            cost = client.quote(request_body(settings, image)).cost
            self._images[account] = image
            return cost

    def _is_fresh(self, key: _Key) -> bool:
        answer = self._answers.get(key)
        return answer is not None and self._now() - answer.at < limits.QUOTE_VALID_SECONDS

    def _has_failed(self, key: _Key) -> bool:
        failed_at = self._failed_at.get(key)
        return failed_at is not None and self._now() - failed_at < limits.QUOTE_PAUSE_SECONDS


def _is_no_quote(error: Exception) -> TypeGuard[ProtocolError]:
    """The service understood, and answered without a price or with a job, which is its ``reason`` then. A page that
    is not of the service has a status."""
    return isinstance(error, ProtocolError) and error.status is None


def _account(connection: Connection) -> _Account:
    return connection.fingerprint(), connection.base_url, connection.project_id


def _key(connection: Connection, parameters: Mapping[str, object]) -> _Key:
    return _account(connection), _settings(tuple(parameters.items()))


@functools.lru_cache(maxsize=16)
def _settings(parameters: tuple[tuple[str, object], ...]) -> tuple[Value, ...]:
    """All but the seed. Checking the values takes 35 µs, and each draw asks for the same."""
    return tuple(complete({**dict(parameters), "seed": None}).values())
