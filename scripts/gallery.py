#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the gallery of the panels: ``python3 scripts/gallery.py [--blender PATH]`` (about three minutes).

Plays ``tests/gui/scenarios/gallery.py`` in a real Blender on a virtual display, against the stand-in of the service,
cuts the panels out of the pictures of the display, and writes ``docs/images/gallery/STATE-WIDTH-THEME.png`` and
``docs/gallery.md``. The same scenario is a test; here it is played in its long form, with wide sidebars and a light
theme.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
from scripts import environments
from scripts.matrix import given_blenders, legs, newest
from scripts.test import Runner

ROOT = environments.ROOT
PICTURES = ROOT / "docs" / "images" / "gallery"
PAGE = ROOT / "docs" / "gallery.md"
COLUMNS = 3

STATES: Mapping[str, Mapping[str, str]] = {
    "First steps": {
        "offline": "Online access is off: one button allows it.",
        "no_key": "No key yet: where it comes from, and where it goes.",
        "half_a_key": "Half a key in the environment: what is missing is named.",
        "no_image": "A key, but no image.",
        "first_image": "The first image. *Test Connection* is offered until something was made.",
        "connected": "The connection was tested.",
        "key_rejected": "The service does not take the key.",
    },
    "Before the click": {
        "ready": "Ready. The price is not known; the button on the right asks for it.",
        "quoted": "The price is on the button.",
        "old_price": "The settings have changed: the price is that of the old ones until the new one is here.",
        "findings": "What may spoil the model is said before anything is paid.",
        "cropped": "*Crop to Subject* and *Pad to Square*: the thumbnail and the size are those of what is sent.",
        "variations": "*Generate Variations*, with the price for all.",
        "image_from": "Where else an image can come from.",
        "presets": "The presets.",
    },
    "Settings": {
        "quality": "Quality",
        "mesh": "Mesh",
        "texture": "Texture",
        "placement": "Placement",
        "advanced": "Advanced, with one of the sampling panels",
        "more": "More",
    },
    "While it is made": {
        "uploading": "The image is being sent. Nothing is charged yet.",
        "queued": "The service's own status, without a percentage that would mean nothing.",
        "40_percent": "A true percentage, and the time left as earlier jobs of the same quality had it.",
        "network_away": "The network is away for a while; the waiting goes on.",
        "downloading": "The model is being fetched.",
        "many": "Many at once: three at the service, others wait for their turn, the rest is in the list.",
    },
    "When it is there": {
        "waiting_for_object_mode": "The artist is in Edit Mode: the model waits.",
        "done": "In the scene.",
        "mesh_check": "What is known of the mesh.",
        "redo": "Adjust Last Operation.",
        "list": "The list of generations, with one selected.",
        "other_file": "The file that it was made for is not open.",
    },
    "Troubles": {
        "failed": "The service could not make it.",
        "reply_lost": "The reply to the paid request was lost: the job is looked for, and nothing is sent twice.",
        "reply_lost_stopped": "The same, after *Stop Waiting*.",
        "stopped": "No longer waited for; it can still be fetched.",
    },
    "Preferences": {
        "preferences": "The add-on's preferences.",
    },
}
CAPTIONS = {state: caption for states in STATES.values() for state, caption in states.items()}

TABS_PX = 28
"""The strip with the sidebar's tabs, and the area's border."""
MARGIN_PX = 4
COLORS = 256


def crop(shown: Mapping[str, Mapping[str, object]]) -> None:
    """Cuts the panels out: what the display showed, and where on it."""
    from PIL import Image, ImageChops

    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    for name, entry in shown.items():
        x, y, width, height = map(int, entry["rectangle"])  # type: ignore[call-overload]
        kind = entry["kind"]
        with Image.open(str(entry["file"])) as display:
            picture = display.convert("RGB").crop((x, y, x + width - (TABS_PX if kind == "sidebar" else 0), y + height))
        if kind != "popup":
            background = Image.new("RGB", picture.size, picture.getpixel((MARGIN_PX * 3, height - MARGIN_PX * 3)))
            inner = (MARGIN_PX * 3, 0, picture.width - MARGIN_PX * 3, height - MARGIN_PX * 3)
            drawn = ImageChops.difference(picture, background).crop(inner).getbbox()
            picture = picture.crop((0, 0, picture.width, drawn[3] + 2 * MARGIN_PX if drawn else height))
        picture.quantize(COLORS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)


def write_page() -> None:
    """From the pictures that there are."""
    pictures = sorted(PICTURES.glob("*.png"))
    lines = [
        "# Gallery",
        "",
        "Every state of every panel, as a real Blender shows it. Made by `python3 scripts/gallery.py`, from the",
        "scenario that is also a test (`tests/gui/test_gallery.py`). The service in it is the stand-in.",
    ]
    for heading, states in STATES.items():
        cells = [
            cell
            for state, caption in states.items()
            for cell in (_cell(path, caption) for path in pictures if path.name.rsplit("-", 2)[0] == state)
        ]
        lines += ["", f"## {heading}", ""]
        columns = min(COLUMNS, len(cells))
        lines += ["| " * columns + "|", "|---" * columns + "|"]
        for start in range(0, len(cells), columns):
            row = cells[start : start + columns]
            lines.append(f"| {' | '.join([*row, *[''] * (columns - len(row))])} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(picture: Path, caption: str) -> str:
    _, width, theme = picture.stem.rsplit("-", 2)
    way = " ".join(word for word in (width, theme) if word not in ("narrow", "dark"))
    text = f"{caption} ({way})" if way else caption
    return f"![{picture.stem}](images/gallery/{picture.name})<br>{text}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blender", action="append", default=[], metavar="PATH", help="the newest one is taken")
    parser.add_argument("--from", dest="shown", type=Path, help=argparse.SUPPRESS)  # in the environment with Pillow
    arguments = parser.parse_args()
    if arguments.shown:
        crop(json.loads(arguments.shown.read_text(encoding="utf-8")))
        write_page()
        return 0
    blenders = given_blenders(arguments.blender)
    if not blenders:
        parser.error("no Blender given (--blender PATH)")
    leg = next(leg for leg in legs([newest(blenders)]) if leg.name.startswith("gui:"))
    leg = dataclasses.replace(leg, name="gallery", command=("-m", "pytest", "tests/gui/test_gallery.py"))
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "shown.json"
        os.environ["PIXAL3D_GALLERY"] = str(shown)
        (outcome,) = Runner(demand_all=True, keyword=None, stop_at_failure=False).run([leg])
        if outcome.state != "passed":
            return 1
        subprocess.run([environments.python("tools"), __file__, "--from", shown], check=True)
    print(f"{PAGE.relative_to(ROOT)}: {len(list(PICTURES.glob('*.png')))} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
