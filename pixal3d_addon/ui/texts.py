# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that are put together while Blender runs, in the artist's language. Main thread; memory only."""

from __future__ import annotations

from bpy.app.translations import pgettext_iface


def said(template: str, **values: object) -> str:
    """`template` in the language of Blender's interface, with the values in its named places (``{count}``).

    Always called with a literal, so that ``tests/unit/test_translations.py`` finds it.
    """
    return pgettext_iface(template).format(**values)
