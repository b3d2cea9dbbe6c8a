# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the artist's language. Main thread; memory only.

Blender itself translates what it is given as a literal: labels, tooltips, items, reports. It can't know what is put
together at run time: that goes through one of these functions.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.app.translations import pgettext_iface

from .. import __package__ as base_package
from .. import translations


def said(template: str, **values: object) -> str:
    """`template` in the language of Blender's interface, with the values in its named places (``{count}``).

    Always called with a literal, so that ``scripts/texts.py`` finds it.
    """
    return str(pgettext_iface(template)).format(**values)


def translated(text: str, *, is_report: bool = False) -> str:
    """A text that another room made, with its values in it: an error, a reason, a notice."""
    view = bpy.context.preferences.view
    if not (view.use_translate_reports if is_report else view.use_translate_interface):
        return text
    return translations.translated(text, bpy.app.translations.locale)


def register() -> None:
    handlers: Any = bpy.app.handlers.translation_update_post
    handlers.append(_register_language)
    _register_language()


def unregister() -> None:
    handlers: Any = bpy.app.handlers.translation_update_post
    if _register_language in handlers:  # a script may have cleared the list
        handlers.remove(_register_language)
    bpy.app.translations.unregister(base_package)


@persistent
def _register_language(*_: object) -> None:
    """The one in use: to read all took 10 of the 84 ms that enabling took (bpy 5.2.3)."""
    language = translations.language_of(bpy.app.translations.locale or "")
    bpy.app.translations.unregister(base_package)
    bpy.app.translations.register(base_package, translations.for_blender(language) if language else {})
