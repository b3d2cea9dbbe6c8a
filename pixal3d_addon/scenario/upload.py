# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways of an image to the service. docs.scenario.com, uploading assets; scenario-sdk 2.4.0."""

from __future__ import annotations

import time
from collections.abc import Mapping

from . import limits
from .answers import listing, mapping, number, read_asset, string
from .body import Progress, Source, image_body, json_body, part_body, size_of
from .errors import ApiError, ConfigurationError, InvalidRequestError, ModeratedError, ProtocolError, UploadFailedError
from .faults import speaks_of_moderation
from .paths import segment
from .transport import Transport


def upload_image(transport: Transport, name: str, image: Source, mime: str, on_progress: Progress | None) -> str:
    """See :meth:`.client.ScenarioClient.upload_image`."""
    size = size_of(image)
    if size == 0:
        raise UploadFailedError("The image is empty.", "Choose another image.")
    if size <= limits.ONE_SHOT_IMAGE_BYTES:
        answer = transport.call("POST", "/assets", body=image_body(name, image, on_progress))
        return read_asset(answer.get("asset")).id
    return _upload_in_parts(transport, name, image, mime, on_progress)


def part_ranges(size: int, parts: int) -> list[tuple[int, int]]:
    """`parts` ranges (start, end) of one length, the last one shorter, as the service expects them."""
    length = -(-size // parts)
    return [(start, min(start + length, size)) for start in range(0, size, length)]


def _upload_in_parts(transport: Transport, name: str, image: Source, mime: str, on_progress: Progress | None) -> str:
    size = size_of(image)
    ranges = part_ranges(size, min(max(1, size // limits.PART_BYTES), limits.PARTS))
    wanted = {"contentType": mime, "fileName": name, "fileSize": size, "kind": "image", "parts": len(ranges)}
    upload = mapping(transport.call("POST", "/uploads", body=json_body(wanted)).get("upload"))
    path = f"/uploads/{segment(string(upload.get('id')))}"
    urls = _part_urls(upload, len(ranges))
    for url, (start, end) in zip(urls, ranges, strict=True):
        _put(transport, url, image, start, end, on_progress)
    _complete(transport, path)
    return _wait_until_imported(transport, path)


def _part_urls(upload: Mapping[str, object], count: int) -> list[str]:
    found = {number(mapping(p).get("number")): string(mapping(p).get("url")) for p in listing(upload.get("parts"))}
    urls = [found.get(float(n), "") for n in range(1, count + 1)]
    if not all(urls) or len(found) != count:
        raise ProtocolError("Scenario's answer does not say where the image is to go.", "Try again in a moment.")
    return urls


def _put(transport: Transport, url: str, image: Source, start: int, end: int, on_progress: Progress | None) -> None:
    """A storage service answers here, not Scenario: its 403 is about the link and not about the key."""
    try:
        transport.put(url, part_body(image, start, end, on_progress))
        return
    except (ApiError, ProtocolError, ConfigurationError) as error:
        status, reason = error.status, error.message
    if status is not None:
        reason = f"The storage refused the image (HTTP {status})."
    raise UploadFailedError(reason, "Try again; the upload starts anew.", status=status)


def _complete(transport: Transport, path: str) -> None:
    try:
        transport.call("POST", f"{path}/action", body=json_body({"action": "complete"}))
    except InvalidRequestError:
        # A repeated call whose first answer was lost may well be refused; the upload itself knows.
        upload = mapping(transport.call("GET", path).get("upload"))
        if upload.get("status") in ("pending", "failed", None):
            raise


def _wait_until_imported(transport: Transport, path: str) -> str:
    """The statuses are pending, validating, validated, then imported or failed; others count as on the way."""
    deadline = time.monotonic() + limits.UPLOAD_PATIENCE_SECONDS
    pause = limits.UPLOAD_POLL_FIRST_SECONDS
    while True:
        upload = mapping(transport.call("GET", path).get("upload"))
        if asset_id := string(upload.get("entityId")):
            return asset_id
        status = upload.get("status")
        if status == "failed":
            reason = transport.clean(string(upload.get("errorMessage")))
            if speaks_of_moderation(reason):
                raise ModeratedError(reason=reason)
            message = f"Scenario could not use the image: {reason.rstrip('. ')}." if reason else ""
            raise UploadFailedError(message, "Try another image, or another file format.", reason=reason)
        if status == "imported":
            raise ProtocolError("Scenario took the image but does not say under which name.", "Try again in a moment.")
        if time.monotonic() > deadline:
            raise UploadFailedError("Scenario is still checking the image after ten minutes.", "Try again later.")
        transport.wait(pause)
        pause = min(2 * pause, limits.UPLOAD_POLL_SECONDS)
