# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the stand-in share: the official SDK pointed at it, pictures, and waiting."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from typing import Any

import httpx
from PIL import Image, ImageDraw
from scenario_sdk import Scenario

from scripts.standin import StandIn

SMALL = {"decimationTarget": 5000, "resolution": 1024, "seed": 7}
"""Parameters of a model that is made in about a second."""
GIVE_UP_SECONDS = 120.0


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def alpha_picture() -> Image.Image:
    """A red ring with a blue spike, on nothing: not symmetric in any way, with a hole."""
    picture = Image.new("RGBA", (300, 260), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((40, 60, 220, 240), fill=(210, 40, 40, 255))
    draw.ellipse((100, 120, 160, 180), fill=(0, 0, 0, 0))
    draw.polygon([(190, 110), (285, 15), (215, 150)], fill=(40, 60, 220, 255))
    return picture


def make_client(service: StandIn, **more: Any) -> Scenario:
    """The official SDK, strict about every answer, and without its own retries."""
    return Scenario(**{"base_url": service.base_url, "api_key": service.options.key, "max_retries": 0,
                       "api_secret": service.options.secret, "_strict_response_validation": True, **more})


def basic(service: StandIn) -> httpx.BasicAuth:
    return httpx.BasicAuth(service.options.key, service.options.secret)


def upload(client: Scenario, image: bytes) -> str:
    """The asset id of a small image."""
    return client.assets.upload(name="picture.png", image=base64.b64encode(image).decode()).asset.id


def finished(client: Scenario, job_id: str) -> Any:
    """The job, once it is over."""
    return until(lambda: client.jobs.retrieve(job_id).job, lambda job: job.status in ("success", "failure"))


def until(read: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Read until it is good; fails with the last value."""
    end = time.monotonic() + GIVE_UP_SECONDS
    while not good(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.05)
    return value
