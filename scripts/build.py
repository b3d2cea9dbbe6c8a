# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the zip that Blender installs: ``python3 scripts/build.py`` leaves it in ``dist/``.

Blender's own tool (``blender_ext.py``, which every Blender brings) validates the sources, packs them and validates the
zip. The manifest lies beside the package in this project but belongs inside it in the zip, so both are staged together.

The same sources give the same bytes, whatever the folder, umask, file dates or file system: the tool packs files in the
order in which the file system lists them and notes their dates and modes, so its archive is packed once more, sorted,
with one date (``SOURCE_DATE_EPOCH``, else the last commit's, else a fixed one) and one mode. A Python with another zlib
may compress the same contents to other bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
from scripts import environments

ROOT = environments.ROOT
NEWEST_FIRST = ("bpy-5.2", "bpy-4.5", "bpy-4.2")
FALLBACK_DATE_EPOCH = 1_767_225_600
"""2026-01-01, where neither SOURCE_DATE_EPOCH nor git knows a date."""
FILE_MODE = 0o100644


class BuildError(Exception):
    """The zip could not be built; the text says why."""


def build(blender_ext: Path, output: Path) -> Path:
    """Stages, validates, packs, validates again; returns the zip's path. Raises BuildError."""
    # Without a list of tags the tool would not look at ours.
    tags = str(blender_ext.parents[3] / "modules/_bpy_internal/extensions/tags.py")
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    name = f"{manifest['id']}-{manifest['version']}.zip"
    with tempfile.TemporaryDirectory(prefix="pixal3d-build-") as temporary:
        staged, packed, archive = (Path(temporary) / part for part in ("stage", "packed.zip", name))
        stage(staged)
        run_tool(blender_ext, "validate", "--valid-tags", tags, str(staged))
        run_tool(blender_ext, "build", "--source-dir", str(staged), "--output-filepath", str(packed))
        normalize(packed, archive)
        # Older versions of `build` let through what `validate` does not (4.2.23: a package without __init__.py).
        run_tool(blender_ext, "validate", "--valid-tags", tags, str(archive))
        output.mkdir(parents=True, exist_ok=True)
        part = output / f".{name}.{os.getpid()}.part"
        shutil.copyfile(archive, part)
        return part.replace(output / name)


def stage(folder: Path) -> None:
    """Lays the manifest, the license and the package's contents into one new folder."""
    shutil.copytree(ROOT / "pixal3d_addon", folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
    for name in ("blender_manifest.toml", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)


def run_tool(blender_ext: Path, *arguments: str) -> None:
    """The tool needs only the standard library, so this Python runs it; -I keeps our modules away from it."""
    done = subprocess.run([sys.executable, "-I", blender_ext, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"blender_ext.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")


def normalize(packed: Path, archive: Path) -> None:
    """Packs the same contents again so that only they decide the bytes."""
    date = time.gmtime(source_date_epoch())[:6]
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(archive, "w") as target:
        for name in sorted(source.namelist()):
            info = zipfile.ZipInfo(name, date)
            info.create_system = 3  # Unix, on every system
            info.external_attr = FILE_MODE << 16
            target.writestr(info, source.read(name), zipfile.ZIP_DEFLATED, 9)


def source_date_epoch() -> int:
    """Seconds since 1970, UTC."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    try:
        log = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
        return int(log.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return FALLBACK_DATE_EPOCH


def find_blender_ext() -> Path:
    """Blender's tool, out of the newest Blender wheel that this machine's Pythons can have."""
    reasons = []
    for name in NEWEST_FIRST:
        try:
            prefix = environments.python(name).parent.parent
        except environments.EnvironmentAbsent as error:
            reasons.append(f"{name}: {error}")
            continue
        found = [*prefix.glob("[Ll]ib/**/bl_pkg/cli/blender_ext.py")]
        if found:
            return found[0]
        reasons.append(f"{name}: its wheel holds no blender_ext.py")
    raise BuildError("Blender's extension tool was not found; give its path with --blender-ext\n" + "\n".join(reasons))


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the add-on's zip into dist/.")
    parser.add_argument(
        "--blender-ext", type=Path, metavar="PATH", help="Blender's blender_ext.py (default: a bpy wheel's)"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="FOLDER", help="default: dist/")
    arguments = parser.parse_args()
    try:
        archive = build((arguments.blender_ext or find_blender_ext()).resolve(), arguments.output.resolve())
    except (BuildError, environments.EnvironmentFailed) as error:
        print(error, file=sys.stderr)
        return 1
    print(archive)
    print(f"sha256 {hashlib.sha256(archive.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
