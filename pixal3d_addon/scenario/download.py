# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of a finished job, onto the disk, whole or not at all.

What other public clients saw of the live service shapes this: a job lists several files, a preview first; the CDN may
call a GLB ``application/octet-stream``; its URLs are signed and expire; and it has cut large transfers in the middle.
The CDN gets no credentials (docs.scenario.com, CDN).
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from ..files import create_file
from . import limits
from .answers import Asset, Download
from .body import Progress
from .errors import (
    ConfigurationError,
    ConnectionLostError,
    DownloadError,
    IncompleteDownloadError,
    NoModelError,
    RateLimitedError,
    ScenarioError,
    ServerError,
    TransportError,
)
from .partial import NotGlbError, PartialGlb
from .reply import Stream
from .retry import backoff_seconds
from .transport import Transport

_GLB_TYPES: Final = ("model/gltf-binary", "model/glb")
_UNTOLD_TYPES: Final = ("application/octet-stream", "binary/octet-stream", "")
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_STALE: Final = (401, 403, 404, 410)
"""An expired or altered signature is 403 with XML; the others may be cured by a fresh URL too."""


def download_model(
    transport: Transport,
    assets: Sequence[Asset],
    fresh: Callable[[str], Asset],
    destination: Path,
    on_progress: Progress | None,
) -> Download:
    """See :meth:`.client.ScenarioClient.download_model`.

    :param fresh: gives an asset with a newly signed URL by its id.
    """
    part = destination.with_suffix(".glb.part")
    with _file_errors_told(), _removed_unless_replaced(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        for asset in candidates(assets):
            with create_file(part) as file, contextlib.suppress(NotGlbError):
                partial = PartialGlb(file, on_progress)
                _fetch(transport, asset, fresh, partial)
                os.fsync(file.fileno())
                file.close()  # Windows replaces closed files only
                os.replace(part, destination)
                return Download(destination, partial.done, partial.sha256(), asset.id)
    found = ", ".join(transport.clean(asset.mime_type or asset.kind or "?") for asset in assets[:10])
    raise NoModelError(f"The job has no GLB model; its files are: {found}." if found else "The job has no files.")


def candidates(assets: Sequence[Asset]) -> list[Asset]:
    """What may be the GLB, the most likely first. Which it is, only its first bytes tell."""
    ranked = [(rank, asset) for asset in assets if (rank := _rank(asset)) is not None]
    return [asset for _, asset in sorted(ranked, key=lambda pair: pair[0])]


def _rank(asset: Asset) -> int | None:
    is_3d = asset.kind == "3d"
    if asset.mime_type in _GLB_TYPES:
        return 0 if is_3d else 1
    if asset.name.lower().endswith(".glb"):
        return 2
    if asset.mime_type in _UNTOLD_TYPES:
        return 3 if is_3d else 4
    return 5 if is_3d else None


def _fetch(transport: Transport, asset: Asset, fresh: Callable[[str], Asset], partial: PartialGlb) -> None:
    """All of `asset` into `partial`: gone on with where it was cut, with a fresh URL when the old one fails."""
    url, stalled = asset.url, 0
    failure: ScenarioError = IncompleteDownloadError()
    for _ in range(limits.DOWNLOAD_ATTEMPTS):
        furthest = partial.furthest
        try:
            if stalled >= 2 or not url:
                url = fresh(asset.id).url
            if _attempt(transport, url, partial):
                return
            failure = IncompleteDownloadError()
        except _StaleUrlError as error:
            url, failure = "", DownloadError(status=error.status)
        except (TransportError, ServerError, RateLimitedError) as error:
            failure = error
        stalled = 0 if partial.furthest - furthest >= limits.DOWNLOAD_PROGRESS_BYTES else stalled + 1
        if stalled >= limits.DOWNLOAD_ATTEMPTS_WITHOUT_PROGRESS:
            break
        transport.wait(backoff_seconds(max(stalled, 1), random.random()))
    if isinstance(failure, ConnectionLostError) and partial.furthest:
        failure = IncompleteDownloadError()  # urllib3 2 raises where 1.26 takes a cut for the end
    raise failure


def _attempt(transport: Transport, url: str, partial: PartialGlb) -> bool:
    """One request; whether the model is complete after it."""
    stream = _open(transport, url, partial.request_headers())
    try:
        _check_status(stream)
        if not partial.begin(stream.status, stream.headers):
            return False
        fresh_bytes = 0
        for chunk in stream.chunks():
            transport.check_cancel()
            before = partial.done
            partial.take(chunk)
            fresh_bytes += partial.done - before
            if fresh_bytes >= limits.DOWNLOAD_PROGRESS_BYTES:
                fresh_bytes = 0
                stream.more_time()
            if partial.is_too_long():
                break
    finally:
        stream.close()
    return partial.is_complete()


def _open(transport: Transport, url: str, headers: dict[str, str]) -> Stream:
    for _ in range(limits.REDIRECTS + 1):
        problem = ""
        try:
            stream = transport.open(url, headers)
        except ConfigurationError as error:  # check_url's; the address is the service's and not the artist's doing
            problem = error.message
        if problem:
            raise DownloadError(f"The model can't be fetched from where Scenario says it is. {problem}")
        location = stream.headers.get("location", "")
        if stream.status not in _REDIRECTS or not location:
            return stream
        stream.close()
        try:
            url = urljoin(url, location)
        except ValueError:
            url = ""  # no address, which opening it says
    raise DownloadError("The model's address leads in circles.")


def _check_status(stream: Stream) -> None:
    status = stream.status
    if status in (200, 206, 416):
        return
    if status in _STALE:
        raise _StaleUrlError(status=status)
    if status == 429:
        raise RateLimitedError(status=status)
    if status >= 500 or status == 408:
        raise ServerError("The server that holds the model has a problem.", status=status)
    raise DownloadError(f"The server that holds the model refused it (HTTP {status}).", status=status)


class _StaleUrlError(ScenarioError):
    """Stays in here."""


@contextlib.contextmanager
def _removed_unless_replaced(part: Path) -> Iterator[None]:
    """Each call starts anew, so what it leaves behind would be of no use."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _file_errors_told() -> Iterator[None]:
    """What the disk says, in words. Errors of the network have been turned into ours further down."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message, remedy = "The disk is full; the model was not saved.", "Make room, then fetch the model again."
        else:
            message = f"The model can't be written to the disk ({error.strerror or type(error).__name__})."
            remedy = "Check the folder that the add-on keeps its models in, then fetch the model again."
        raise DownloadError(message, remedy) from None
