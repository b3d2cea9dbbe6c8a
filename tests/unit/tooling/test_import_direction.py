# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the rooms of the add-on, read from their sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
PACKAGE = PROJECT / "pixal3d_addon"

# What each room may import, besides itself. A room that is not named here may not exist.
MAY_IMPORT = {
    "__init__": {"ui", "api", "cli", "blender"},
    "errors": set[str](),
    "files": set[str](),
    "lazy": set[str](),
    "parameters": {"errors"},
    "translations": set[str](),
    "scenario": {"errors", "files", "lazy", "parameters"},
    "generation": {"errors", "files", "lazy", "parameters", "scenario"},
    "batch": {"errors", "files", "parameters", "scenario", "generation"},
    "blender": {"errors", "files", "lazy", "parameters", "translations", "keys", "scenario", "generation", "batch"},
    "api": {"errors", "parameters", "scenario", "generation", "blender"},
    "cli": {"errors", "parameters", "scenario", "generation", "batch", "blender", "api"},
    "keys": {"errors", "files"},
    "presets": set(),  # scripts that Blender runs; nobody imports them
    "ui": {"errors", "lazy", "parameters", "translations", "scenario", "generation", "blender", "api", "cli"},
}
WITHOUT_BLENDER = {"errors", "keys", "files", "lazy", "parameters", "translations", "scenario", "generation", "batch"}
BLENDER_MODULES = {
    "bpy",
    "bpy_extras",
    "bmesh",
    "mathutils",
    "gpu",
    "addon_utils",
    "bl_ui",
    "bl_pkg",
    "nodeitems_utils",
}
SLOW_MODULES = {"requests", "urllib3", "numpy", "sqlite3"}
"""Each costs Blender's start tens of milliseconds; they are imported where they are first needed."""
IMPORTED_LATE = {"scenario/adapter.py"}
"""Whole files that are: their classes are made from those of a slow module."""


@dataclass(frozen=True)
class Import:
    """One imported module."""

    file: Path
    line: int
    level: int
    """Leading dots; 0 is absolute."""
    name: str
    """Dotted, without the dots before."""
    top_level: bool
    """It runs when the module is imported."""

    def __str__(self) -> str:
        return f"{self.file.relative_to(PROJECT)}:{self.line}: {'.' * self.level}{self.name}"

    @property
    def room(self) -> str:
        """The room it is written in."""
        return self.file.relative_to(PACKAGE).with_suffix("").parts[0]

    @property
    def target_room(self) -> str | None:
        """The room it leads to; ``None`` for what is outside of the add-on."""
        if not self.level:
            return None
        folder = self.file.parent.relative_to(PACKAGE).parts
        base = folder[: len(folder) - (self.level - 1)]
        assert len(folder) >= self.level - 1, f"{self} leads out of the add-on"
        parts = [*base, *self.name.split(".")]
        return parts[0] if parts[0] else "__init__"


def imports_of(file: Path) -> Iterator[Import]:
    yield from _walk(ast.parse(file.read_text(encoding="utf-8"), str(file)), file, True)


def _walk(node: ast.AST, file: Path, top_level: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, 0, alias.name, top_level)
        elif isinstance(child, ast.ImportFrom):
            if child.level and not child.module:  # from .. import blender, ui
                for alias in child.names:
                    yield Import(file, child.lineno, child.level, alias.name, top_level)
            else:
                yield Import(file, child.lineno, child.level, child.module or "", top_level)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for part in child.body:
                yield from _walk(ast.Module([part], []), file, False)
            for part in child.orelse:
                yield from _walk(ast.Module([part], []), file, top_level)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, file, top_level and not function)


def all_imports() -> list[Import]:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 10
    return [found for file in files for found in imports_of(file)]


def outside(found: Import) -> str:
    return "" if found.level else found.name.split(".")[0]


def package_name_as_data(found: Import) -> bool:
    """``from .. import __package__``: no module, but the add-on's own name."""
    return found.name in ("__package__", "")


def test_imports_point_one_way() -> None:
    wrong = []
    for found in all_imports():
        target = found.target_room
        if target is None or package_name_as_data(found):
            continue
        if target != found.room and target not in MAY_IMPORT[found.room]:
            wrong.append(str(found))
    assert wrong == []


def test_every_room_is_known() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms <= set(MAY_IMPORT)


def test_blender_is_used_only_where_a_folder_says_so() -> None:
    wrong = [str(f) for f in all_imports() if f.room in WITHOUT_BLENDER and outside(f) in BLENDER_MODULES]
    assert wrong == []


def test_importing_the_package_itself_needs_no_blender() -> None:
    here = [f for f in all_imports() if f.room == "__init__" and f.top_level]
    assert [str(f) for f in here if f.level or outside(f) in BLENDER_MODULES] == []


def test_nothing_slow_is_imported_when_blender_starts() -> None:
    at_start = [f for f in all_imports() if f.top_level and f.file.relative_to(PACKAGE).as_posix() not in IMPORTED_LATE]
    assert [str(f) for f in at_start if outside(f) in SLOW_MODULES] == []
    late = {Path(name).stem for name in IMPORTED_LATE}
    assert [str(f) for f in at_start if f.level and f.name.split(".")[-1] in late] == []


def test_the_add_on_never_names_itself() -> None:
    """Installed, it is called bl_ext.<repository>.pixal3d_addon; only relative imports lead there."""
    assert [str(f) for f in all_imports() if outside(f) in ("pixal3d_addon", "bl_ext")] == []


def test_the_bpy_free_rooms_import_in_a_python_without_blender() -> None:
    """What the sources say, tried out: each of their modules, with bpy out of reach."""
    rooms = ("keys", "scenario", "generation", "batch")
    files = [*(f for room in rooms for f in (PACKAGE / room).rglob("*.py")), PACKAGE / "parameters.py"]
    names = [".".join(f.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__") for f in files]
    code = f"import sys, importlib; sys.modules['bpy'] = None; [importlib.import_module(name) for name in {names!r}]"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=120)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy", [("numpy", True)]),
        ("def f():\n    import numpy", [("numpy", False)]),
        ("class C:\n    import numpy", [("numpy", True)]),
        ("if TYPE_CHECKING:\n    import numpy", [("numpy", False)]),
        ("try:\n    import numpy\nexcept ImportError:\n    import requests", [("numpy", True), ("requests", True)]),
        ("from ..ui import panels", [("ui", True)]),
        ("from .. import blender, ui", [("blender", True), ("ui", True)]),
    ],
)
def test_the_reader_of_imports_sees_them_all(tmp_path: Path, source: str, expected: list[tuple[str, bool]]) -> None:
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    assert [(found.name, found.top_level) for found in imports_of(file)] == expected
