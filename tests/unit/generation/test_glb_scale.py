# SPDX-License-Identifier: GPL-3.0-or-later
"""A model as a file of its own, in the size that was asked for."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixal3d_addon.generation.glb_scale import write_scaled
from pixal3d_addon.scenario import UnreadableModelError, inspect_glb


def a_glb(path: Path, scenes: list[list[int]] | None, *, binary: bytes = b"\1\2\3\4", **more: Any) -> Path:
    """Three nodes with a box of one meter each, the third below the second."""
    box = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [-0.5] * 3, "max": [0.5] * 3}
    document = {
        "asset": {"version": "2.0"},
        **({} if scenes is None else {"scene": 0, "scenes": [{"nodes": nodes} if nodes else {} for nodes in scenes]}),
        "nodes": [{"mesh": 0, "name": "Stühle"}, {"mesh": 0, "children": [2]}, {"mesh": 0, "translation": [1, 0, 0]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [box],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
        **more,
    }
    text = json.dumps(document, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    data = struct.pack("<8f", *[-0.5] * 3, *[0.5] * 3, 0, 0) + binary
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    return path


def largest(path: Path) -> float:
    info = inspect_glb(path)
    return max(high - low for low, high in zip(info.bounds_min, info.bounds_max, strict=True))


def test_with_a_factor_of_one_it_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    source = a_glb(tmp_path / "a.glb", [[0, 1]])
    write_scaled(source, tmp_path / "b.glb", 1.0)
    assert (tmp_path / "b.glb").read_bytes() == source.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(factor=st.floats(0.1, 4.0), scenes=st.sampled_from([[[0]], [[0, 1]], [[0, 1], [0]], [[1], [0]]]))
def test_it_is_so_many_times_as_large_and_else_the_same(tmp_path: Path, factor: float, scenes: list[list[int]]) -> None:
    source, target = a_glb(tmp_path / "a.glb", scenes, binary=b"\xff\xfe\0\1"), tmp_path / "b.glb"
    write_scaled(source, target, factor)
    assert largest(target) == pytest.approx(largest(source) * factor, rel=1e-5)
    assert target.read_bytes()[-44:] == source.read_bytes()[-44:]
    assert inspect_glb(target).triangles == inspect_glb(source).triangles
    assert "Stühle".encode() in target.read_bytes()


def test_the_scale_of_the_parts_stays_as_it_is(tmp_path: Path) -> None:
    source = a_glb(tmp_path / "a.glb", [[0]], nodes=[{"mesh": 0, "scale": [2, 2, 2], "translation": [3, 0, 0]}])
    write_scaled(source, tmp_path / "b.glb", 0.5)
    info = inspect_glb(tmp_path / "b.glb")
    assert info.bounds_min == pytest.approx((1.0, -0.5, -0.5)) and info.bounds_max == pytest.approx((2.0, 0.5, 0.5))


@pytest.mark.parametrize("damage", [b"", b"glTF", b"no model at all"])
def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a.glb").write_bytes(damage)
    with pytest.raises(UnreadableModelError):
        write_scaled(tmp_path / "a.glb", tmp_path / "b.glb", 2.0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.glb"]


def test_a_target_that_is_there_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    source, target = a_glb(tmp_path / "a.glb", [[0]]), tmp_path / "b.glb"
    target.write_bytes(b"an earlier one")
    with pytest.raises(FileNotFoundError):
        write_scaled(tmp_path / "missing.glb", target, 2.0)
    assert target.read_bytes() == b"an earlier one"
    write_scaled(source, target, 2.0)
    assert largest(target) == pytest.approx(2.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.glb", "b.glb"]


def test_a_file_that_says_it_is_shorter_than_its_description_is_no_model(tmp_path: Path) -> None:
    """Found by tests/fuzz: its new length would have been less than nothing."""
    source, target = a_glb(tmp_path / "a.glb", [[0]], extras=list(range(999))), tmp_path / "b.glb"
    data = source.read_bytes()
    source.write_bytes(data[:8] + struct.pack("<I", 1) + data[12:])
    with pytest.raises(UnreadableModelError):
        write_scaled(source, target, 2.0)
    assert not target.exists()


@pytest.mark.parametrize("scenes", [None, [[0], []]])
def test_without_a_scene_or_with_an_empty_one_it_is_scaled_all_the_same(tmp_path: Path, scenes: Any) -> None:
    source, target = a_glb(tmp_path / "a.glb", scenes), tmp_path / "b.glb"
    write_scaled(source, target, 2.0)
    assert largest(target) == pytest.approx(2 * largest(source))
