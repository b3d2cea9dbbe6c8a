# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts in a real window: the operator's two forms, and the Python door beside the watcher."""

from __future__ import annotations

from typing import Any

from tests.gui.conftest import Window


def test_scripts_block_or_return_at_once_as_they_ask_and_each_model_comes_once(window: Window, standin: Any) -> None:
    standin.clear_faults()
    standin.set_options(job_seconds=2.0)
    charges = len(standin.charges())
    seen = window.play("scripts", standin.environment()).recorded
    first, second, third = "mushroom", "mushroom.001", "mushroom.002"
    assert seen["after EXEC_DEFAULT"] == [first], "it has blocked until the model was there"
    assert seen["after INVOKE_DEFAULT"] == [first], "it has returned before"
    assert seen["after submit"] == [first, second]
    assert (seen["placed by the watcher"], seen["status"], seen["stands at"]) == ([third], "imported", 2.0)
    models, fourth = seen["after generate"]
    assert models == [first, second, third, fourth] and seen["selected"] == [fourth]
    assert seen["after one undo"] == [first, second, third]
    assert len(standin.charges()) == charges + 4
