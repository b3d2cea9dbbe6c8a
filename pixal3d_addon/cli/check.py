# SPDX-License-Identifier: GPL-3.0-or-later
"""``check``: whether everything is in place that generating needs, as a report that a bug report may hold."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import bpy

from ..blender import exporter, importer, kept_key, online, session
from ..blender.errors import ModelImportError
from ..errors import Pixal3DError
from ..generation import Store, StoreError
from ..scenario import Connection, ScenarioClient
from ..scenario.redact import redact
from . import arguments as command_line
from .console import Console
from .exit_codes import ExitCode, of_error
from .interrupts import interrupts, raise_interrupt
from .service import connection

_LIBRARIES = ("requests", "urllib3", "numpy")
_PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def run(arguments: argparse.Namespace, console: Console) -> ExitCode:
    """Ends with why nothing could be generated now, if it could not."""
    problem: Pixal3DError | None = None
    way: Connection | None = None
    try:
        way = connection()
    except Pixal3DError as error:
        problem = error
    secrets = [*(way.secrets() if way else ()), *_typed_secrets()]

    def show(name: str, value: str) -> None:
        value = _without_home(redact(value, secrets))
        found[name.lower().replace(" ", "_")] = value
        console.say(f"{name + ':':<18} {value}")

    found: dict[str, str] = {}
    for name, value in _facts():
        show(name, value)
    if way is not None:
        with interrupts(raise_interrupt):
            problem = _ask(way, show)
    if problem is not None:
        show("Problem", str(problem))
    code = ExitCode.DONE if problem is None else of_error(problem)
    console.tell("check", **found, code=code)
    return code


def _facts() -> Iterator[tuple[str, str]]:
    """What is known without asking anybody."""
    build = getattr(bpy.app.build_hash, "decode", lambda: "")()
    yield "Pixal3D", command_line.version()
    yield "Blender build", f"{build}, {bpy.app.binary_path or 'the bpy module'}"
    yield "Libraries", ", ".join(f"{name} {_version_of(name)}" for name in _LIBRARIES)
    yield "Platform", f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores"
    yield "Online access", online.offline_reason() or "allowed"
    yield "Key from", _key_source()
    proxies = [name for name in os.environ if name.upper() in _PROXY_VARIABLES and os.environ[name]]
    yield "Network settings", ", ".join(sorted(proxies)) or "none"
    yield "Importer", _importer()
    missing = [suffix for suffix in exporter.SUFFIXES if exporter.reason_against(suffix)]
    yield "Exporters", ", ".join(suffix for suffix in exporter.SUFFIXES if suffix not in missing)
    if missing:
        yield "No exporter for", ", ".join(missing)
    folder = session.folder()
    yield "Records", f"{_count_of(Store(folder))} in {folder}"
    results = session.settings().results or folder
    yield "Results", f"{results}, {_free(results)} free"


def _ask(way: Connection, show: Callable[[str, str], None]) -> Pixal3DError | None:
    """The one question to the service; nothing is charged for it."""
    show("Service", urlsplit(way.base_url).netloc)
    try:
        with ScenarioClient(way) as client:
            project = client.check_key()
    except Pixal3DError as error:
        show("Key accepted", "not known" if of_error(error) is ExitCode.UNREACHABLE else "no")
        return error
    show("Key accepted", f"yes, for the project {project.name or project.id or 'of the key'}")
    return None


def _typed_secrets() -> list[str]:
    """Whatever stands where a key belongs, also if it is half of one."""
    prefs = session.preferences()
    variables = ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET")
    found = [prefs.api_key, prefs.api_secret, *(os.environ.get(name, "") for name in variables)]
    return [text.strip() for text in found if text.strip()]


def _key_source() -> str:
    there, missing = session.half_a_key()
    half = f" ({there} is set, {missing} is not)" if there else ""
    source = session.key_source()
    path = f" {kept_key.file_path()}" if source == "file" else ""
    return f"{source or 'nowhere'}{path}{half}"


def _version_of(library: str) -> str:
    try:
        return str(importlib.import_module(library).__version__)
    except ImportError:
        return "missing"


def _importer() -> str:
    try:
        importer.ensure_can_import(bpy.context)
    except ModelImportError as error:
        return str(error)
    return "glTF 2.0"


def _count_of(store: Store) -> str:
    try:
        return str(len(store.all(limit=-1))) if store.exists else "none"
    except StoreError as error:
        return f"unreadable: {error}"


def _free(folder: Path) -> str:
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    return f"{shutil.disk_usage(there).free / 1e9:.1f} GB"


def _without_home(text: str) -> str:
    """The name of whoever runs it is nobody's business."""
    home = os.path.expanduser("~")
    return text.replace(home, "~") if len(home) > 1 else text
