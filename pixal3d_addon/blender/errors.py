# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on Blender's side.

::

    BlenderSideError
    +-- NoImageError        nothing is selected that could be sent
    +-- ModelImportError    the model is on disk, and Blender's importer refused it
    +-- OnlineAccessError   Blender's user does not let add-ons use the network
    +-- WrongThreadError    asked for in another thread than Blender's main thread
    +-- ModelExportError    a file can't be written
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


class ModelExportError(BlenderSideError):
    """Blender could not write the model to a file."""


class OnlineAccessError(BlenderSideError):
    """Blender's user does not let add-ons use the network."""


class WrongThreadError(BlenderSideError):
    """Blender's data may be used in its main thread only."""


def reported(error: RuntimeError) -> str:
    """What an operator has reported that was called from Python: Blender sets a word before it, in its language."""
    return str(error).removeprefix(f"{pgettext_rpt('Error')}: ").strip()
