# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on Blender's side.

::

    BlenderSideError
    +-- NoImageError        nothing is selected that could be sent
    +-- ModelImportError    the model is on disk, and Blender's importer refused it
"""

from __future__ import annotations

from bpy.app.translations import pgettext_rpt

from ..generation import GenerationError


class BlenderSideError(GenerationError):
    """A sentence for the artist, and what to do next."""


class NoImageError(BlenderSideError):
    """No image is selected, or the named one does not exist."""


class ModelImportError(BlenderSideError):
    """Blender's importer could not read the model."""


def reported(error: RuntimeError) -> str:
    """What an operator has reported that was called from Python: Blender sets a word before it, in its language."""
    return str(error).removeprefix(f"{pgettext_rpt('Error')}: ").strip()
