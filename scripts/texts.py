#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that an artist sees, read from the add-on's sources, and what its languages lack of them.

::

    python3 scripts/texts.py                    all texts, and where each is used
    python3 scripts/texts.py --missing de       those that German lacks, as JSON
    python3 scripts/texts.py --stale de         what German has and the sources don't
    python3 scripts/texts.py --tidy             sorts all languages' files as the sources are, without what is stale

``--blender FILE`` names Blender's own catalog of the language (``locale/de/LC_MESSAGES/blender.mo``): ``--missing``
then says what Blender has for a text. That is what will be shown, so take it.

A text is a literal that begins with a capital letter, or has a blank in it, and that has a word. What is a docstring,
in a log, compared, looked up or a name in code is none: see :func:`_is_for_code`. What is left and is no text either
stands in :data:`NOT_TEXTS`. So a new text can't be forgotten: it is a text unless somebody says why not.
"""

from __future__ import annotations

import argparse
import ast
import gettext
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pixal3d_addon.translations import LANGUAGES, catalogue

PACKAGE = ROOT / "pixal3d_addon"

LEFT_OUT = {
    "api.py": "what a script gets is English",
    "batch": "for the command line, which is English",
    "blender/contact_sheet.py": "for the command line",
    "blender/contact_sheet_in_blender.py": "for the command line",
    "blender/contact_sheet_page.py": "for the command line",
    "blender/exporter.py": "for the command line",
    "blender/prepare_in_blender.py": "for the log",
    "cli": "what a command line prints is English",
    "generation/__init__.py": "names of what is in the room",
    "generation/fitting.py": "for the log",
    "generation/file_door.py": "what a script gets is English",
    "generation/known.py": "what a script gets is English",
    "lazy.py": "for whoever writes code",
    "presets": "scripts without texts",
    "scenario/__init__.py": "names of what is in the room",
    "translations": "the machinery",
}

NOT_TEXTS = {
    "Basic {0}": "HTTP",
    "{0} = excluded.{1}": "SQL",
    "A datablock is still used by one of the file's.": "in a log",
    **{name: "a field of a structure of Windows" for name in ("Attributes", "Comment", "Flags", "Persist", "Type")},
    "Base Color": "part of a datablock's name",
    "Draco": "a proper name",
    "Metallic Roughness": "part of a datablock's name",
    "Pixal3D-Blender/0.1.0": "HTTP",
    "Render": "a datablock's name",
    "View": "a datablock's name",
    "gzip, deflate": "HTTP",
    "it crashed, or took too long": "in a log",
    "it does not say which one it is, or how far": "in a log",
    "its id or its digest is none of ours": "in a log",
    "it has a name that no file and no object can have": "in a log",
    "it is of no time that there is, or has no cost that can be added up": "in a log",
    "record, id, job_id, is_open": "SQL",
    "unsupported file format": "words of SQLite that are looked for",
    "no column named": "words of SQLite that are looked for",
    "no such column": "words of SQLite that are looked for",
    "no such table": "words of SQLite that are looked for",
    "already exists": "words of SQLite that are looked for",
    "pixal3d account": "a name in code",
    "settings = bpy.context.scene.pixal3d": "code",
    "whole number": "a name in code",
}
"""Literals that look like texts and are none, and why. One that is not in the sources any more fails the test."""

SHOWN_BY = frozenset({"said", "translated", "draw_text"})
"""What these are given is a text, whatever it looks like."""

_WORD = re.compile(r"[A-Za-zÀ-ž]*[a-zà-ž]{2}")
_SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|PRAGMA)\b|\{\d\} (ON CONFLICT|ORDER BY|WHERE)\b")
_NAME_IN_CODE = re.compile(r"\S*_\S*|\w*[a-z0-9]\w*[A-Z]\w*|[A-Z]{2,}[a-z]\w*")
_LOOKED_UP_BY = frozenset(
    {"cast", "compile", "execute", "executemany", "get", "getattr", "hasattr", "endswith", "pgettext_rpt"}
    | {"removeprefix", "removesuffix", "replace", "setattr", "startswith", "strftime", "with_name"}
)
_LOGGERS = frozenset({"_log", "logging"})


@dataclass(slots=True)
class Text:
    """One text of the sources."""

    english: str
    uses: list[str] = field(default_factory=list)
    """Where: ``ui/panels.py:72 bl_label``."""
    values: tuple[str, ...] = ()
    """What stands in its numbered places, as the source says it."""


def texts() -> dict[str, Text]:
    """All texts of the add-on, in the order of its files, by themselves."""
    return {english: text for english, text in candidates().items() if english not in NOT_TEXTS}


def candidates() -> dict[str, Text]:
    """Also what :data:`NOT_TEXTS` holds."""
    found: dict[str, Text] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE)
        if not {name.parts[0], name.as_posix()} & LEFT_OUT.keys():
            for text in texts_of(file.read_text(encoding="utf-8"), name.as_posix()):
                found.setdefault(text.english, text).uses.extend(text.uses if text.english in found else ())
    return {english: Text(english, list(dict.fromkeys(t.uses)), t.values) for english, t in found.items()}


def texts_of(source: str, name: str = "source") -> Iterator[Text]:
    """The texts of one file, in its order."""
    tree = ast.parse(source, name)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and "_OT_" in node.name and (tooltip := ast.get_docstring(node)):
            found.append((node.body[0], Text(tooltip, [f"{name}:{node.body[0].lineno} tooltip of {node.name}"])))
        elif (text := _text(node, parents)) and not _is_for_code(node, text.english, parents):
            text.uses.append(f"{name}:{node.lineno} {_use(node, parents)}")  # type: ignore[attr-defined]
            found.append((node, text))  # type: ignore[arg-type]
    for _, text in sorted(found, key=lambda entry: (entry[0].lineno, entry[0].col_offset)):
        yield text


def _text(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> Text | None:
    """What a literal says, with numbers for the values in it."""
    if isinstance(node, ast.JoinedStr):
        english = ""
        values: list[str] = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                english += str(part.value)
            elif english.endswith("}"):  # two values side by side can't be told apart again
                values[-1] += ast.unparse(part)
            else:
                english += f"{{{len(values)}}}"
                values.append(ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else "")
        return _without_sentences_as_values(Text(english, [], tuple(values)))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return None if isinstance(parents[node], ast.JoinedStr | ast.Expr) else Text(node.value)
    return None


def _without_sentences_as_values(text: Text) -> Text:
    """Sentences are translated one by one, so one that is a value, before or after ours, is not part of it."""
    if re.match(r"\{0\} [A-Z][a-z]* .*\.$", text.english):
        numbered = re.sub(r"\{(\d+)\}", lambda place: f"{{{int(place[1]) - 1}}}", text.english[len("{0} ") :])
        return Text(numbered, [], text.values[1:])
    if match := re.match(r"(.*\.) \{\d+\}$", text.english):
        return Text(match[1], [], text.values[:-1])
    return text


def _is_for_code(node: ast.AST, english: str, parents: Mapping[ast.AST, ast.AST]) -> bool:
    parent = parents[node]
    call = parent if isinstance(parent, ast.Call) and node is not parent.func else None
    function = _name(call.func) if call else ""
    without_places = re.sub(r"\{\w*\}", "", english)
    if function in SHOWN_BY:
        return not re.search(r"\w", without_places)
    if not _WORD.search(without_places) or not re.match(r"\w|\{", english):
        return True
    if not ("A" <= english[0] <= "Z" or " " in without_places.strip()):
        return True
    if " " not in english and (_NAME_IN_CODE.fullmatch(english) or isinstance(node, ast.JoinedStr)):
        return True
    if _SQL.match(english) or function in _LOOKED_UP_BY:
        return True
    if call and isinstance(call.func, ast.Attribute) and _name(call.func.value) in _LOGGERS:
        return True
    if isinstance(parent, ast.Compare | ast.Subscript | ast.Assert | ast.match_case | ast.MatchValue):
        return True
    if isinstance(parent, ast.Dict) and node in parent.keys:
        return True
    return _is_in(node, parents, "__all__")


def _is_in(node: ast.AST, parents: Mapping[ast.AST, ast.AST], variable: str) -> bool:
    while not isinstance(node, ast.Assign | ast.Module):
        node = parents[node]
    return isinstance(node, ast.Assign) and variable in map(_name, node.targets)


def _use(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> str:
    """What it is given to, for whoever translates it."""
    while node in parents:
        child, node = node, parents[node]
        match node:
            case ast.keyword(arg=str(argument)):
                call = parents[node]
                return f"{_name(call.func)}({argument}=)" if isinstance(call, ast.Call) else argument
            case ast.Call() if child is not node.func:
                return f"{_name(node.func)}()"
            case ast.Assign():
                return ", ".join(map(_name, node.targets))
            case ast.AnnAssign():
                return _name(node.target)
            case ast.FunctionDef():
                return f"in {node.name}"
    return ""


def is_for_blender(use: str) -> bool:
    """Whether a text is given to Blender as it is, which looks it up: in a layout or as a report."""
    return use.endswith(("(text=)", "report()", "poll_message_set()"))


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
    return ""


def missing(language: str, blender: Path | None = None) -> dict[str, dict[str, Any]]:
    """What the language lacks, with what helps to translate it."""
    words = _words_of_blender(blender) if blender else {}
    there = catalogue(language)
    result: dict[str, dict[str, Any]] = {}
    for english, text in texts().items():
        if english not in there:
            result[english] = {"used": text.uses}
            if text.values:
                result[english]["values"] = list(text.values)
            if english in words:
                result[english]["blender"] = words[english]
    return result


def stale(language: str) -> list[str]:
    """What the language has and the sources don't."""
    known = texts()
    return [english for english in catalogue(language) if english not in known]


def tidy(language: str) -> None:
    """Writes the language's file anew: in the order of the sources, without what is stale."""
    there = catalogue(language)
    kept = {english: there[english] for english in texts() if english in there}
    text = json.dumps(kept, ensure_ascii=False, indent=1)
    (PACKAGE / "translations" / f"{language}.json").write_text(f"{text}\n", encoding="utf-8")


def _words_of_blender(file: Path) -> dict[str, dict[str, str]]:
    """English to its translations in Blender's own catalog, each by its context."""
    with file.open("rb") as stream:
        entries: dict[Any, Any] = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]
    found: dict[str, dict[str, str]] = {}
    for key, there in entries.items():
        if isinstance(key, str) and isinstance(there, str):
            context, _, english = key.rpartition("\x04")
            if context in {"", "*", "Operator"}:
                found.setdefault(english, {})[context or "*"] = there
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--missing", choices=LANGUAGES)
    parser.add_argument("--stale", choices=LANGUAGES)
    parser.add_argument("--tidy", action="store_true")
    parser.add_argument("--blender", type=Path)
    given = parser.parse_args()
    if given.tidy:
        for language in LANGUAGES:
            tidy(language)
        return
    if given.missing:
        result: Any = missing(given.missing, given.blender)
    elif given.stale:
        result = stale(given.stale)
    else:
        result = {english: text.uses for english, text in texts().items()}
    print(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
