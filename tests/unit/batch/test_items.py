# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: what is in them, what is wrong with them, and that the same row always has the same key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixal3d_addon.batch import Item, ListError, limits, read_items
from pixal3d_addon.parameters import complete

from .support import images


def a_list(folder: Path, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    (folder / name).write_text(text, encoding=encoding)
    return folder / name


def items_of(folder: Path, text: str, name: str = "list.csv", **options: object) -> list[Item]:
    return list(read_items(a_list(folder, text, name), **options))  # type: ignore[arg-type]


def problems_of(folder: Path, text: str, name: str = "list.csv") -> tuple[str, ...]:
    with pytest.raises(ListError) as error:
        items_of(folder, text, name)
    assert all(problem in str(error.value) for problem in error.value.problems)
    return error.value.problems


def test_a_folder_is_read_with_its_folders_by_name_and_without_what_is_hidden_or_made_by_a_batch(
    tmp_path: Path,
) -> None:
    images(tmp_path, "b.png", "a.JPG", "c/d.webp", "c/.hidden.png", ".secret/e.png", "out/f.png", "g.txt")
    (tmp_path / "out/manifest.jsonl").touch()
    assert [i.image.relative_to(tmp_path).as_posix() for i in read_items(tmp_path)] == ["a.JPG", "b.png", "c/d.webp"]
    assert [i.name for i in read_items(tmp_path)] == ["a", "b", "d"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_sets_parameters_by_either_name_and_an_empty_cell_is_the_default(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    rows = "image,name,meshScale,remesh,seed,resolution\nStühle/a.png,Stuhl,2,no,-1,1024\nb.png,,,,12,\n"
    file = a_list(tmp_path, rows.replace(",", separator), encoding=encoding)
    first, second = read_items(file, {"mesh_scale": 3.0, "remesh": True})
    assert (first.image, first.name) == (tmp_path / "Stühle/a.png", "Stuhl")
    wanted = complete({"mesh_scale": 2.0, "remesh": False, "resolution": 1024})
    assert first.parameters == wanted
    assert second.name == "b" and second.parameters == complete({"mesh_scale": 3.0, "seed": 12})


def test_a_jsonl_says_the_same(tmp_path: Path) -> None:
    rows = [{"path": "a.png", "mesh_scale": 2, "remesh": False, "seed": None}, {"file": str(tmp_path / "b.png")}]
    first, second = items_of(tmp_path, "\n\n".join(map(json.dumps, rows)), "list.jsonl")
    assert first.parameters == complete({"mesh_scale": 2, "remesh": False})
    assert (second.image, second.name) == (tmp_path / "b.png", "b")


def test_every_wrong_row_is_told_with_its_place_and_what_is_allowed(tmp_path: Path) -> None:
    rows = (
        "image,meshScale,resolution,remesh,seed\n"
        "a.png,9,,,\n"
        "b.png,1,1024,,\n"
        ",1,,,\n"
        "c.png,,1000,,\n"
        "d.png,,,maybe,\n"
        "e.png,,,,1.5\n"
        "f.png,,,,,,7\n"
    )
    problems = problems_of(tmp_path, rows)
    assert [p.partition(": ")[0] for p in problems] == [
        "list.csv:2, column meshScale", "list.csv:4, column image", "list.csv:5, column resolution",
        "list.csv:6, column remesh", "list.csv:7, column seed", "list.csv:8",
    ]  # fmt: skip
    for allowed, problem in zip(
        ("0.1 to 4", "image", "1024, 2048, 4096", "True or False", "whole number from 0", "5"), problems, strict=True
    ):
        assert allowed in problem


def test_wrong_objects_are_told_too(tmp_path: Path) -> None:
    rows = ['{"image": "a.png", "scale": 2}', '["a.png"]', '{"image": "a.png"', '{"image": 7}', "{}"]
    rows += ['{"image": "a.png", "path": "b.png"}', '{"image": "a.png", "mesh_scale": [1]}', '{"image": "a\\u0000"}']
    rows += ['{"image": "\\ud800.png"}', '{"image": "a.png", "name": "\\ud800"}']
    rows += ['{"image": "a.png", "seed": ' + "1" * 5000 + "}"]
    problems = problems_of(tmp_path, "\n".join(rows), "list.jsonl")
    assert [p.split(":")[1].partition(",")[0] for p in problems] == [str(number) for number in range(1, 12)]
    assert "mesh_scale" in problems[0] and "two keys mean image" in problems[5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("image,scale\na.png,2\n", "no column “scale”"),
        ("name,seed\na,2\n", "no column is called image"),
        ("image,path\na.png,b.png\n", "two columns mean image"),
        ("image,meshScale,mesh_scale\na.png,1,2\n", "two columns mean mesh_scale"),
        ('image\n"a.png\n', "list.csv:2"),
        ("image\n", "no rows"),
        ("", "no column is called image"),
    ],
)
def test_a_list_of_which_nothing_can_be_used_says_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ListError, match=told):
        items_of(tmp_path, text)


def test_other_things_than_lists_are_refused_in_words(tmp_path: Path) -> None:
    for source, told in (
        (tmp_path / "missing", "no list and no folder"),
        (images(tmp_path, "a.png") / "a.png", "neither a folder nor a list"),
        (a_list(tmp_path, "image\nStühle.png\n", encoding="latin-1"), "UTF-8"),
    ):
        with pytest.raises(ListError, match=told):
            list(read_items(source))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ListError, match=r"no images \(.avif"):
        list(read_items(tmp_path / "empty"))
    with pytest.raises(ListError, match="Mesh Scale"):
        list(read_items(tmp_path, {"mesh_scale": 9}))


def test_of_many_wrong_rows_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=f"30 rows.*\n(.*\n){{{limits.PROBLEMS_TOLD}}}.*and 10 more"):
        items_of(tmp_path, "image,seed\n" + "a.png,x\n" * 30)


def test_a_key_is_the_rows_own_whatever_stands_around_it(tmp_path: Path) -> None:
    rows = ["a.png,1,", "b.png,2,", "a.png,1,", "a.png,2,", "a.png,1,x"]
    keys = [i.key for i in items_of(tmp_path, "\n".join(["image,meshScale,name", *rows]))]
    assert len(set(keys)) == 5
    again = ["b.png,2.0,b", "./a.png,,", f"{tmp_path}/a.png,1,", "c.png,,"]
    others = [i.key for i in items_of(tmp_path, "\n".join(["image,meshScale,name", *again]))]
    assert others[:3] == [keys[1], keys[0], keys[2]]
    moved = tmp_path / "moved"
    moved.mkdir()
    assert [i.key for i in items_of(moved, "\n".join(["image,meshScale,name", *rows]))] == keys
    elsewhere = "image\n/pictures/a.png\n"
    assert items_of(moved, elsewhere)[0].key == items_of(tmp_path, elsewhere)[0].key


def test_the_command_lines_parameters_are_part_of_the_key_and_the_folders_list_has_the_same_as_its_csv(
    tmp_path: Path,
) -> None:
    images(tmp_path / "in", "a.png", "b/c.png")
    keys = [i.key for i in read_items(tmp_path / "in")]
    assert [i.key for i in read_items(tmp_path / "in", {"mesh_scale": 2})] != keys
    assert [i.key for i in items_of(tmp_path / "in", "image\na.png\nb/c.png\n")] == keys


def test_the_parts_of_a_list_are_all_of_it_once_with_the_keys_of_the_whole(tmp_path: Path) -> None:
    text = "image\n" + "a.png\n" * 5 + "b.png\n" * 6
    whole = [i.key for i in items_of(tmp_path, text)]
    parts = [[i.key for i in items_of(tmp_path, text, chunk=(k, 4))] for k in (1, 2, 3, 4)]
    assert parts == [whole[k::4] for k in range(4)]
    for chunk in ((0, 4), (5, 4)):
        with pytest.raises(ListError, match="no part"):
            items_of(tmp_path, text, chunk=chunk)
