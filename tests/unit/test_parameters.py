# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the model's inputs, and what is made from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.parameters import (
    INPUTS,
    SETTINGS,
    Group,
    Kind,
    Parameter,
    ParameterError,
    complete,
    from_request,
    in_group,
    request_body,
)

# The example request of the service's own reference page for the model.
DOCUMENTED_REQUEST = {
    "image": "",
    "ssGuidanceStrength": 7.5,
    "ssGuidanceRescale": 0.7,
    "ssSamplingSteps": 36,
    "shapeSlatGuidanceStrength": 7.5,
    "shapeSlatGuidanceRescale": 0.5,
    "shapeSlatSamplingSteps": 36,
    "shapeSlatRescaleT": 3,
    "texSlatGuidanceStrength": 1,
    "texSlatGuidanceRescale": 0,
    "texSlatSamplingSteps": 36,
    "texSlatRescaleT": 3,
    "meshScale": 1,
    "maxNumTokens": 49152,
    "decimationTarget": 200000,
    "generationResolution": 1536,
    "resolution": 4096,
    "remesh": True,
}


def test_the_table_has_the_models_nineteen_inputs() -> None:
    assert len(INPUTS) == 19
    assert {p.name for p in INPUTS} == {*DOCUMENTED_REQUEST, "seed"}
    assert sum(len(list(in_group(group))) for group in Group) == len(SETTINGS) == 18


def test_the_defaults_are_sent_as_the_services_own_example_sends_them() -> None:
    body = request_body({}, "")
    assert body == DOCUMENTED_REQUEST
    assert {name: type(value) for name, value in body.items()} == {
        name: type(value) for name, value in DOCUMENTED_REQUEST.items()
    }


@pytest.mark.parametrize("seed", [None, -1])
def test_a_random_seed_is_left_out_of_the_request(seed: int | None) -> None:
    assert "seed" not in request_body({"seed": seed}, "asset")
    assert request_body({"seed": 0}, "asset")["seed"] == 0


@pytest.mark.parametrize("parameter", [p for p in SETTINGS if p.maximum], ids=lambda p: p.name)
def test_both_ends_of_a_range_are_taken_and_what_is_outside_is_refused_by_name(parameter) -> None:
    for value in (parameter.minimum, parameter.maximum):
        assert complete({parameter.identifier: value})[parameter.identifier] == value
    for value in (parameter.minimum - 2, parameter.maximum + 1, float("nan"), float("inf"), "much", True, [1]):
        with pytest.raises(ParameterError) as error:
            complete({parameter.identifier: value})
        assert parameter.name in str(error.value)
        assert f"from {parameter.minimum:g} to" in str(error.value)
        assert repr(value) in str(error.value)


@pytest.mark.parametrize("parameter", [p for p in SETTINGS if p.kind is Kind.CHOICE], ids=lambda p: p.name)
def test_a_choice_takes_nothing_but_its_choices(parameter) -> None:
    for choice in parameter.choices:
        assert complete({parameter.identifier: choice})[parameter.identifier] == choice
        assert complete({parameter.identifier: str(choice)})[parameter.identifier] == choice
    with pytest.raises(ParameterError, match=r"must be one of .*1024.*, not 1000"):
        complete({parameter.identifier: 1000})


def test_whole_numbers_refuse_fractions() -> None:
    with pytest.raises(ParameterError, match=r"ssSamplingSteps.*a whole number from 1 to 50, not 12\.5"):
        complete({"ss_sampling_steps": 12.5})


def test_a_switch_is_true_or_false() -> None:
    with pytest.raises(ParameterError, match="remesh"):
        complete({"remesh": 1})


def test_an_unknown_parameter_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match="'mesh_size'"):
        complete({"mesh_size": 2})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as error:
        complete({"mesh_scale": 9, "resolution": 3000, "remesh": "yes"})
    assert all(name in str(error.value) for name in ("meshScale", "resolution", "remesh"))


@given(st.floats(0.125, 4.0, width=32))
def test_a_32_bit_number_of_blender_reaches_the_service_without_its_noise(value: float) -> None:
    sent = request_body({"mesh_scale": value}, "asset")["meshScale"]
    assert sent == pytest.approx(value, abs=1e-6)
    assert len(repr(sent)) <= len("0.123456")


def test_identifiers_are_the_services_names_in_snake_case() -> None:
    for parameter in INPUTS:
        head, *rest = parameter.identifier.split("_")
        assert head + "".join(word.capitalize() for word in rest) == parameter.name


def test_every_label_and_tooltip_follows_blenders_conventions() -> None:
    for parameter in INPUTS:
        assert parameter.label[0].isupper()
        assert parameter.tooltip[0].isupper()
        assert not parameter.tooltip.endswith(".")
        assert "\n" not in parameter.tooltip


def valid(parameter: Parameter) -> st.SearchStrategy[object]:
    if parameter.kind is Kind.SWITCH:
        return st.booleans()
    if parameter.kind is Kind.CHOICE:
        return st.sampled_from(parameter.choices)
    if parameter.kind is Kind.NUMBER:
        return st.floats(parameter.minimum, parameter.maximum)
    whole = st.integers(int(parameter.minimum), int(parameter.maximum))
    return st.none() | whole if parameter.kind is Kind.SEED else whole


@given(st.fixed_dictionaries({}, optional={p.identifier: valid(p) for p in SETTINGS}))
def test_the_settings_can_be_read_back_from_a_request(values: dict[str, object]) -> None:
    settings = complete(values)
    assert from_request(request_body(settings, "asset_1")) == settings
    assert {name: type(value) for name, value in from_request(request_body(settings, "")).items()} == {
        name: type(value) for name, value in settings.items()
    }


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([p.name for p in INPUTS]) | st.text(), anything, max_size=8))
def test_whatever_a_request_of_somebody_elses_says_the_settings_are_valid(body: dict[str, object]) -> None:
    settings = from_request(body)
    assert complete(settings) == settings


def test_a_request_that_says_nothing_was_made_with_the_defaults() -> None:
    assert from_request({"modelId": "model_pixal3d", "image": "asset_1"}) == complete({})
