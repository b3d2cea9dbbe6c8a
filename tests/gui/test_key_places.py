# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key is kept, in a window: nobody waits for the keyring, and Blender notes the key nowhere."""

from __future__ import annotations

import pytest

from tests.gui.conftest import Window
from tests.support.standin import StandIn


@pytest.mark.newest_only
def test_blender_goes_on_while_the_keyring_takes_its_time_and_notes_the_key_nowhere(
    window: Window, standin: StandIn
) -> None:
    standin.clear_faults()
    environment = {"GUI_KEY": standin.key, "GUI_SECRET": standin.secret, "GUI_BASE_URL": standin.base_url}
    result = window.play("key_places", environment)
    seen = result.recorded
    assert seen["typed"] and "bpy." in seen["log"]
    assert seen["running"] and seen["source_while_moving"] == "preferences"
    assert (seen["source"], seen["answer"], seen["fields"]) == ("keyring", "The key was moved.", ["", ""])
    assert seen["is_reading"] and not seen["can_generate"]
    assert seen["running_after_click"], "a click in the menu waits for nobody"
    assert seen["connected"] and not seen["kept_after_all"]
    for secret in (standin.key, standin.secret):
        assert secret not in seen["log"] + result.output
