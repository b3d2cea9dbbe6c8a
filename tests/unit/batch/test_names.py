# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of results work on all systems, and no two items have one that a system may take for the same."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.batch import limits
from pixal3d_addon.batch.names import candidates, folded, safe_name

WINDOWS_DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))}


@pytest.mark.parametrize(
    ("wished", "name"),
    [
        ("Chair", "Chair"),
        ("Chair v1.2", "Chair v1.2"),
        ("a/b\\c:d*e?f\"g<h>i|j", "a_b_c_d_e_f_g_h_i_j"),
        (" . .Chair. . ", "Chair"),
        ("CON", "_CON"),
        ("con.backup", "_con.backup"),
        ("lpt¹", "_lpt¹"),
        ("console", "console"),
        ("", "image"),
        (" ... ", "image"),
        ("e\u0301", "é"),
        ("a\nb\x7fc\u202ed", "a_b_c_d"),
        ("\udce4", "_"),
        ("椅子", "椅子"),
    ],
)  # fmt: skip
def test_a_name_says_what_was_wished_as_far_as_file_systems_allow(wished: str, name: str) -> None:
    assert safe_name(wished) == name


@given(st.text(st.characters(), max_size=200))
def test_any_text_makes_a_name_that_every_system_takes(wished: str) -> None:
    name = safe_name(wished)
    assert name and len(name.encode()) <= limits.NAME_BYTES
    assert name == name.strip(" .") and not set(name) & set('<>:"/\\|?*')
    assert all(unicodedata.category(c)[0] != "C" for c in name)
    assert name.partition(".")[0].strip().lower() not in WINDOWS_DEVICES


@given(st.text(max_size=30))
def test_what_a_file_system_may_take_for_one_name_is_folded_to_one(name: str) -> None:
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, name)) == folded(name)
    for other in (name.casefold(), folded(name)):
        assert folded(other) == folded(name)


@given(st.lists(st.sampled_from(["chair", "Chair", "CHAIR", "cha\u0131r", "e\u0301", "é", "É", ""]), max_size=12))
def test_taken_one_after_the_other_no_two_names_are_the_same_anywhere(wishes: list[str]) -> None:
    taken: set[str] = set()
    for number, wished in enumerate(wishes):
        key = f"{number:020x}"[::-1]
        name = next(n for n in itertools.islice(candidates(wished, key), 10) if folded(n) not in taken)
        taken.add(folded(name))
    assert len(taken) == len(wishes)


def test_a_name_that_is_taken_gets_digits_of_its_own_key() -> None:
    names = list(itertools.islice(candidates("Chair", "0123456789abcdef0123"), 5))
    assert names[:3] == ["Chair", "Chair-012345", "Chair-0123456789ab"]
    assert len({*names}) == 5
