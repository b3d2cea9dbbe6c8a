# SPDX-License-Identifier: GPL-3.0-or-later
"""Images on their way in: POST /assets, and POST /uploads with presigned parts."""

from __future__ import annotations

import base64
import binascii
import io
import math
import warnings
from typing import Any, Final

from . import limits
from .errors import ApiRefusal, StorageRefusal
from .records import Asset, Upload, new_id, now

_KINDS: Final = ("3d", "asset", "audio", "avatar", "image", "model", "text", "video")
_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF")
"""The real service also takes SVG and HEIC, which Pillow cannot read."""


def image_asset(data: bytes, name: str, owner_id: str, **more: Any) -> Asset:
    """The asset of an image. Raises `ApiRefusal` 400 "Unhandled image format"."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                kind, (width, height) = picture.format, picture.size
                picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ApiRefusal(400, "Unhandled image format") from error
    return Asset(new_id("asset"), data, f"image/{str(kind).lower()}", "image", "uploaded", owner_id, now(),
                 {"width": width, "height": height}, {"name": name, "width": width, "height": height}, **more)


def one_shot(body: dict[str, Any], owner_id: str) -> Asset:
    """POST /assets. Raises `ApiRefusal`."""
    name, image = body.get("name"), body.get("image")
    if not isinstance(name, str) or not name:
        raise ApiRefusal(400, '"name" is required')
    if not image and not body.get("canvas"):
        raise ApiRefusal(400, "Either 'image' or 'canvas' must be provided")
    if not isinstance(image, str):
        raise ApiRefusal(400, "Unhandled image format")
    if image.startswith("data:"):
        image = image.partition(",")[2]
    try:
        data = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiRefusal(400, "Unhandled image format") from error
    if len(data) >= limits.ASSET_IMAGE_MAX_BYTES:
        raise ApiRefusal(400, "Image is too large. Use multipart upload for files of 6 MB or more")
    collections = body.get("collectionIds") or []
    return image_asset(data, name, owner_id, collection_ids=tuple(map(str, collections)))


def open_upload(body: dict[str, Any], owner_id: str, seconds: float) -> Upload:
    """POST /uploads. Raises `ApiRefusal` 400."""
    if body.get("kind") not in _KINDS:
        raise ApiRefusal(400, f'"kind" must be one of [{", ".join(_KINDS)}]')
    if "url" in body:
        raise ApiRefusal(400, "This stand-in does not fetch from the network. Upload the file in parts instead")
    for name in ("fileName", "contentType"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise ApiRefusal(400, f'"{name}" is required')
    value: Any
    for name, most in (("fileSize", math.inf), ("parts", limits.PARTS_MAX)):
        value = body.get(name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 1 <= value <= most or value != value // 1:
            raise ApiRefusal(400, f'"{name}" must be a whole number from 1')
    if body["kind"] == "image" and not body["contentType"].startswith("image/"):
        raise ApiRefusal(400, f'"contentType" {body["contentType"]} does not fit the kind image')
    return Upload(new_id("upload"), new_id("job"), owner_id, body["fileName"], body["contentType"], body["kind"],
                  int(body["fileSize"]), int(body["parts"]), now(), seconds)


def put_part(upload: Upload, number: int, data: bytes) -> None:
    """PUT of one part. Raises `StorageRefusal`."""
    if not 1 <= number <= upload.parts_count or upload.completed is not None:
        raise StorageRefusal(404, "NoSuchUpload", "The specified upload does not exist")
    upload.parts[number] = data


def complete(upload: Upload) -> Asset | None:
    """Join and check the parts; sets `completed` and `problem` or `asset_id`. Again after that: nothing happens."""
    if upload.completed is not None:
        return None
    upload.completed = now()
    sizes = [len(upload.parts.get(number, b"")) for number in range(1, upload.parts_count + 1)]
    if len(upload.parts) < upload.parts_count:
        upload.problem = f"{upload.parts_count - len(upload.parts)} of {upload.parts_count} parts are missing"
    elif any(size < limits.PART_MIN_BYTES for size in sizes[:-1]):
        upload.problem = "EntityTooSmall: every part but the last needs at least 5 MB"
    elif sum(sizes) != upload.file_size:
        upload.problem = f"The parts have {sum(sizes)} bytes, {upload.file_size} were announced"
    if upload.problem is None:
        data = b"".join(upload.parts[number] for number in sorted(upload.parts))
        try:
            asset = image_asset(data, upload.file_name, upload.owner_id)
        except ApiRefusal as refusal:
            upload.problem = str(refusal)
        else:
            upload.asset_id = asset.id
            upload.parts.clear()
            return asset
    upload.parts.clear()
    return None
