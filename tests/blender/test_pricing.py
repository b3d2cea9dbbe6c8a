# SPDX-License-Identifier: GPL-3.0-or-later
"""The price before the click and the spending limit, inside Blender. Timers do not tick here: the looks are called."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import pytest

QUICK = {"decimation_target": 5000, "resolution": "1024"}


@pytest.fixture
def pricing(service: Any, room: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The add-on's own, with a service that names a price at once and settings that have always rested."""
    pricing = room("blender.pricing")
    service.set_options(dry_run_checks_image=False, prices=[(1024, 42.5), (2048, 60), (4096, 60)])
    service.clear_requests()
    monkeypatch.setattr(pricing, "_spending", pricing.Spending(time.time()))
    monkeypatch.setattr(room("blender.limits"), "PRICE_REST_SECONDS", 0.0)
    yield pricing
    service.set_options(dry_run_checks_image=True, prices=[(1024, 30), (2048, 42), (4096, 42)])


@pytest.fixture
def preferences(addon: Any) -> Iterator[Any]:
    preferences = bpy.context.preferences.addons[addon.__name__].preferences
    yield preferences
    preferences.show_price, preferences.spending_limit = True, 0.0


@pytest.fixture
def chair(addon: Any) -> Any:
    return bpy.data.images.new("Chair", 64, 64, alpha=True)


@pytest.fixture
def label(room: Callable[[str], Any]) -> Callable[[], str]:
    """What stands on the button."""
    values = room("ui.properties").parameter_values

    def text() -> str:
        price = room("blender.pricing").price(values(bpy.context.scene.pixal3d))
        label: str = room("ui.price_texts").generate_text(price)
        return label

    return text


@pytest.fixture
def question(room: Callable[[str], Any]) -> Callable[..., str]:
    """What is asked before so many models with the scene's settings."""
    values = room("ui.properties").parameter_values

    def asked(count: int = 1) -> str:
        text: str = room("ui.price_texts").question(values(bpy.context.scene.pixal3d), count)
        return text

    return asked


def quotes_asked(service: Any) -> int:
    return sum("dryRun" in r["query"] for r in service.requests())


def let_look(pricing: Any) -> None:
    """What the timer does until it ends."""
    deadline = time.monotonic() + 30
    while pricing._look() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_drawing_wishes_for_the_price_and_then_the_button_shows_it(pricing: Any, service: Any, label: Any) -> None:
    before = service.charges()
    assert label() == "Generate"
    assert bpy.app.timers.is_registered(pricing._look) and pricing.is_due()
    assert quotes_asked(service) == 0, "drawing itself asks nothing"
    let_look(pricing)
    assert label() == "Generate · 60 CU"
    assert not pricing.is_due()
    bpy.context.scene.pixal3d.resolution = "1024"
    assert label() == "Generate · 60 CU?"
    assert pricing.is_due()
    let_look(pricing)
    assert label() == "Generate · 42.5 CU"
    bpy.context.scene.pixal3d.seed = 5
    assert label() == "Generate · 42.5 CU"
    assert quotes_asked(service) == 2
    assert service.charges() == before


def test_settings_that_do_not_rest_are_not_asked_about(
    pricing: Any, service: Any, label: Any, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room("blender.limits"), "PRICE_REST_SECONDS", 1000.0)
    for number in range(20):
        bpy.context.scene.pixal3d.ss_sampling_steps = number + 1
        label()
        assert pricing._look() is not None
    assert quotes_asked(service) == 0 and not threads()
    monkeypatch.setattr(room("blender.limits"), "PRICE_REST_SECONDS", 0.0)
    let_look(pricing)
    assert quotes_asked(service) == 1
    (request,) = service.requests()
    assert request["json"]["ssSamplingSteps"] == 20


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if "quote" in t.name]


def test_without_a_key_a_network_or_the_artists_consent_nothing_is_asked(
    pricing: Any, service: Any, label: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    preferences.show_price = False
    assert label() == "Generate" and not pricing.is_due()
    preferences.show_price = True
    bpy.context.preferences.system.use_online_access = False
    assert label() == "Generate" and not pricing.is_due()
    bpy.context.preferences.system.use_online_access = True
    with monkeypatch.context() as without:
        without.delenv("SCENARIO_SDK_API_KEY")
        assert label() == "Generate" and not pricing.is_due()
    label()
    assert pricing.is_due()
    bpy.context.preferences.system.use_online_access = False
    assert pricing._look() is None, "went offline before the settings had rested"
    assert quotes_asked(service) == 0 and not threads()


def test_a_service_that_wants_to_see_the_image_is_silent_until_the_artist_wishes(
    pricing: Any, service: Any, label: Any, chair: Any
) -> None:
    service.set_options(dry_run_checks_image=True)
    bpy.context.scene.pixal3d.image = chair
    label()
    let_look(pricing)
    assert label() == "Generate" and not pricing.is_due() and pricing.trouble() == ""
    bpy.context.scene.pixal3d.resolution = "1024"
    assert label() == "Generate" and not pricing.is_due()
    assert quotes_asked(service) == 1
    assert bpy.ops.pixal3d.quote() == {"FINISHED"}
    assert label() == "Generate · 42.5 CU"
    bpy.context.scene.pixal3d.resolution = "2048"
    label()
    let_look(pricing)
    assert label() == "Generate · 60 CU", "with the image that was uploaded for the wish"
    assert not chair.packed_file and not chair.filepath


def test_a_script_that_asks_without_an_image_gets_the_reason(pricing: Any, service: Any) -> None:
    service.set_options(dry_run_checks_image=True)
    with pytest.raises(RuntimeError, match="wants to see an image"):
        bpy.ops.pixal3d.quote()


def test_after_a_model_was_made_its_image_serves_for_the_price(
    pricing: Any, service: Any, label: Any, chair: Any
) -> None:
    service.set_options(dry_run_checks_image=True)
    label()
    let_look(pricing)
    chair.pixels[:] = [1.0] * (64 * 64 * 4)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    label()
    let_look(pricing)
    assert label() == "Generate · 60 CU"


def test_what_scripts_have_spent_is_counted_and_stays_when_the_entry_is_removed(
    pricing: Any, service: Any, label: Any, chair: Any, room: Any
) -> None:
    assert pricing.spent() == 0
    chair.pixels[:] = [1.0] * (64 * 64 * 4)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert pricing.spent() == 42.5
    manager = room("blender.session").manager()
    manager.remove(manager.snapshots()[-1].generation.id)
    assert manager.snapshots() == ()
    assert pricing.spent() == 42.5


def test_the_question_comes_before_the_limit_is_passed_and_not_before(
    pricing: Any, service: Any, label: Any, question: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pricing, "spent", lambda: 540.0)
    label()
    let_look(pricing)
    assert question() == "", "no limit is set"
    preferences.spending_limit = 600
    assert question() == ""
    assert question(2) == "This session has spent 540 CU. With this it would be 660 CU, over your limit of 600 CU."
    preferences.spending_limit = 550
    assert question() == "This session has spent 540 CU. With this it would be 600 CU, over your limit of 550 CU."
    bpy.context.scene.pixal3d.resolution = "1024"
    assert "would be about 600 CU" in question(), "the price is of other settings"


def test_where_the_price_is_not_known_the_question_comes_when_the_limit_is_reached(
    pricing: Any, service: Any, question: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    preferences.show_price = False
    preferences.spending_limit = 550
    monkeypatch.setattr(pricing, "spent", lambda: 549.5)
    assert question() == ""
    monkeypatch.setattr(pricing, "spent", lambda: 550.0)
    assert question() == "This session has spent 550 CU of your limit of 550 CU. The price is not known."


def test_a_script_is_not_asked(pricing: Any, service: Any, chair: Any, preferences: Any) -> None:
    preferences.spending_limit = 1
    chair.pixels[:] = [1.0] * (64 * 64 * 4)
    before = len(service.charges())
    for _ in range(2):
        assert bpy.ops.pixal3d.generate(image="Chair", **QUICK) == {"FINISHED"}
    assert len(service.charges()) == before + 2


def test_disabling_ends_the_asking(pricing: Any, service: Any, label: Any) -> None:
    service.set_faults([{"method": "POST", "path": "/v1/generate/.*", "times": 1, "action": "hang", "seconds": 5}])
    label()
    pricing._look()
    assert threads() == ["pixal3d-quote"]
    pricing.close()
    assert not bpy.app.timers.is_registered(pricing._look) and not pricing.is_due()
    for thread in threading.enumerate():  # other tests look for threads that were left
        if thread.name == "pixal3d-quote":
            thread.join(10)
