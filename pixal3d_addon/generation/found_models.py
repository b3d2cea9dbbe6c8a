# SPDX-License-Identifier: GPL-3.0-or-later
"""Models in the folder of the store that no record tells of, since the file of the records was damaged."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from pathlib import Path

from ..parameters import complete
from .limits import MODEL_NAME
from .record import FOLDER_NAME, Generation
from .state import State


def models_but_for(ids: Collection[str], folder: Path) -> Iterator[Generation]:
    """They may have been placed or not, so they are listed as earlier ones, and none comes into a scene by itself.

    :param ids: of the generations that are known.
    :raises OSError: the folder can't be read.
    """
    for own in folder.iterdir():
        model = own / MODEL_NAME
        if FOLDER_NAME.fullmatch(own.name) and own.name not in ids and model.is_file():
            image = next((file for file in own.glob("source.*") if file.suffix != ".part"), None)
            made_at = model.stat().st_mtime
            yield Generation(
                name=time.strftime("Model of %Y-%m-%d %H:%M", time.localtime(made_at)),
                parameters=complete({}),
                id=own.name,
                created_at=made_at,
                state=State.IMPORTED,
                is_kept=True,
                folder=str(own),
                bytes_on_disk=model.stat().st_size + (image.stat().st_size if image else 0),
                source_file=str(image or ""),
                glb_file=str(model),
            )
