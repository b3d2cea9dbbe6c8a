# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as the add-on is enabled: the manager of the generations, and the way to the service.

Nothing is made before its first use: enabling the add-on opens no file and starts no thread.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy

from .. import __package__ as base_package
from ..keys import KeyPair
from . import kept_key, limits, online

if TYPE_CHECKING:
    from ..generation import Manager, Settings
    from ..generation.scale import AppliedBy
    from ..scenario import Connection, Credentials
    from .arrival import Arrival

_KEY_VARIABLES = ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET")

_manager: Manager | None = None

_DEFAULTS = SimpleNamespace(
    api_key="",
    api_secret="",
    key_place=kept_key.PREFERENCES,
    project_id="",
    base_url="",
    mesh_scale_applied_by="AUTO",
    arrival="FILE",
    concurrency=limits.CONCURRENCY,
    results_folder="",
    disk_limit_gb=limits.DISK_LIMIT_GB,
    show_price=True,
    spending_limit=0.0,
)


def manager() -> Manager:
    """The manager of this session's generations, made at the first call."""
    global _manager
    if _manager is None:
        from ..generation import Manager

        _manager = Manager(folder(), settings())
    return _manager


def manager_or_none() -> Manager | None:
    """The manager if it was needed yet. Memory only: for ``draw`` and ``poll``."""
    return _manager


def close() -> None:
    """End all threads, within a second, and forget the manager."""
    global _manager
    if _manager is not None:
        _manager.close()
        _manager = None


def preferences() -> Any:
    """The add-on's preferences (:class:`..ui.preferences.PIXAL3D_AP_preferences`), or their defaults.

    An add-on that was enabled for one run only (``blender --addons``) has none.
    """
    addon = bpy.context.preferences.addons.get(base_package)
    return addon.preferences if addon else _DEFAULTS


def key_source() -> str:
    """Where the key comes from: ``environment``, ``preferences``, ``keyring``, ``file``, or nothing (empty).

    Memory only, for ``draw`` and ``poll``; in background mode the first call may wait for the keyring.
    """
    if all(os.environ.get(name, "").strip() for name in _KEY_VARIABLES):
        return "environment"
    if typed_key():
        return "preferences"
    place = key_place()
    return place.lower() if place != kept_key.PREFERENCES and kept_key.pair(place) else ""


def typed_key() -> KeyPair | None:
    """What is in the fields of the preferences. It goes before what is kept elsewhere. Memory only."""
    prefs = preferences()
    key, secret = prefs.api_key.strip(), prefs.api_secret.strip()
    return KeyPair(key, secret) if key and secret else None


def key_place() -> str:
    """Where the artist has the key kept, one of :data:`kept_key.PLACES`. Memory only."""
    # Blender tells a choice that only a newer version knows as an empty one.
    return preferences().key_place or kept_key.PREFERENCES


def is_reading_key() -> bool:
    """Whether the key may turn up in a moment. Memory only."""
    place = key_place()
    return not key_source() and place != kept_key.PREFERENCES and kept_key.is_reading(place)


def key_problem() -> str:
    """Why the key can't be had from where it is kept, empty if that is not so. Memory only."""
    place = key_place()
    if place == kept_key.PREFERENCES or key_source():
        return ""
    return str(kept_key.problem(place) or "")


def half_a_key() -> tuple[str, str]:
    """If only one of the two environment variables is set: which, and which is not. Memory only."""
    found = [name for name in _KEY_VARIABLES if os.environ.get(name, "").strip()]
    missing = [name for name in _KEY_VARIABLES if name not in found]
    return (found[0], missing[0]) if found and missing else ("", "")


def connection() -> Connection:
    """The way to the service, from the environment first and where the preferences say second. For a script: it waits
    for the key, if that is being read.

    :raises ConfigurationError: no key (:class:`MissingKeyError`), or the service's URL is not one to send a key to.
    """
    from ..scenario import DEFAULT_BASE_URL, Credentials

    prefs = preferences()
    credentials = Credentials.from_environment(os.environ)
    if credentials is None:
        pair = typed_key() or _kept_key(key_place())
        credentials = Credentials(pair.key, pair.secret)
    base_url = os.environ.get("SCENARIO_BASE_URL", "").strip() or prefs.base_url.strip() or DEFAULT_BASE_URL
    return _connection(credentials, base_url, prefs.project_id.strip())


def _kept_key(place: str) -> KeyPair:
    from ..scenario import MissingKeyError

    if place != kept_key.PREFERENCES:
        kept_key.wait(place)  # for a script: what an artist clicks on is not there before
        if pair := kept_key.pair(place):
            return pair
        if problem := kept_key.problem(place):
            raise MissingKeyError(problem.message, problem.remedy)
    raise MissingKeyError(
        "No Scenario API key is set.", "Enter the key and its secret in Preferences > Add-ons > Pixal3D."
    )


@functools.lru_cache(maxsize=1)  # a panel asks for it at each draw
def _connection(credentials: Credentials, base_url: str, project_id: str) -> Connection:
    from ..scenario import Connection

    return Connection(credentials, base_url, project_id)


def configure() -> None:
    """Tell the manager what the artist has set by now, and whether the service may be asked. Main thread, often."""
    if _manager is not None:
        _manager.configure(settings(), connection_or_none())


def connection_or_none() -> Connection | None:
    """The way to the service, if there is a key and the network may be used. Memory only."""
    from ..scenario import ConfigurationError

    if online.offline_reason() or not key_source():
        return None
    try:
        return connection()
    except ConfigurationError:
        return None


def settings() -> Settings:
    """The preferences about generations. Memory only."""
    from ..generation import Settings

    prefs = preferences()
    results = os.path.expanduser(prefs.results_folder.strip())
    return Settings(
        concurrency=prefs.concurrency,
        # Blender's "//" stands for the folder of the open file, and the preferences are for all files.
        results=Path(results) if os.path.isabs(results) and not results.startswith("//") else None,
        takes_over=not bpy.app.background,  # a script does not carry out what an artist's Blender has left
        most_bytes=round(prefs.disk_limit_gb * 1e9) if prefs.disk_limit_gb > 0 else None,
    )


def arrival() -> Arrival:
    """The artist's choice of which models are placed by themselves."""
    from .arrival import Arrival

    # Blender tells a choice that only a newer version knows as an empty one.
    return Arrival(preferences().arrival or Arrival.FILE)


def mesh_scale_applied_by() -> AppliedBy:
    """The artist's choice of who applies ``meshScale``."""
    from ..generation.scale import AppliedBy

    return AppliedBy(preferences().mesh_scale_applied_by or AppliedBy.AUTO)


def folder() -> Path:
    """Where the generations are kept. Nothing is made there by asking."""
    return Path(bpy.utils.extension_path_user(base_package, path="generations"))
