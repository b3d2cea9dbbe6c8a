# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens each of the files that follow ``--`` in an empty file, and prints what is in it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.model_files import open_model_file

for name in sys.argv[sys.argv.index("--") + 1 :]:
    meshes = open_model_file(Path(name))
    images = [image for image in bpy.data.images if image.users and image.source == "FILE"]
    result = {
        "file": Path(name).name,
        "meshes": len(meshes),
        "largest_side": max(max(obj.dimensions) for obj in meshes),
        "images": len(images),
        "missing": sum(not image.pixels[:4] for image in images),
    }
    print(f"\nRESULT {json.dumps(result)}", flush=True)
