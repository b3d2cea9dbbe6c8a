# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the source image and the renders of its model side by side: ``demo_picture.py IMAGE... PICTURE``."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageOps

SIDE_PX = 640
MARGIN_PX = 20
BACKGROUND = (70, 70, 74)


def main(images: list[Path], picture: Path) -> None:
    step = SIDE_PX + MARGIN_PX
    canvas = Image.new("RGB", (step * len(images) + MARGIN_PX, SIDE_PX + 2 * MARGIN_PX), BACKGROUND)
    for column, path in enumerate(images):
        with Image.open(path) as image:
            tile = ImageOps.contain(ImageOps.exif_transpose(image).convert("RGBA"), (SIDE_PX, SIDE_PX))
        left = MARGIN_PX + column * step + (SIDE_PX - tile.width) // 2
        canvas.paste(tile, (left, MARGIN_PX + (SIDE_PX - tile.height) // 2), tile)
    canvas.save(picture)


if __name__ == "__main__":
    *paths, last = map(Path, sys.argv[1:])
    main(paths, last)
