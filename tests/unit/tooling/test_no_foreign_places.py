# SPDX-License-Identifier: GPL-3.0-or-later
"""No file leads to one machine's folders or to one registry: tools are given names and find the rest themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

# In pieces, so that this file holds none of them.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "python" + "hosted", "org"),
        ("deb", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("ftp", "debian", "org"),
        ("security", "debian", "org"),
        ("registry", "npm" + "js", "org"),
        ("proxy", "golang", "org"),
    )
)
FOLDERS = ("/" + "work/", "/" + "root/", "/" + "tmp/w/", "/" + "home/")
FORBIDDEN = re.compile(
    "|".join([*(re.escape(host) for host in HOSTS), *(rf"(?<![\w.)\]}}>$-]){re.escape(folder)}" for folder in FOLDERS)])
)
MAX_BYTES = 5 * 1024 * 1024


def tracked_files() -> list[Path]:
    """What git knows and what it would add; everything in a source archive without git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False)
    if listed.returncode:
        found = [path for path in PROJECT.rglob("*") if not {"build", "dist", ".git"} & set(path.parts)]
    else:
        found = [PROJECT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in found if path.is_file()]


def test_no_file_holds_a_registry_host_or_a_path_of_one_machine() -> None:
    files = tracked_files()
    assert PROJECT / "LICENSE" in files
    wrong = []
    for path in files:
        if path.stat().st_size > MAX_BYTES:
            continue
        for number, line in enumerate(path.read_bytes().decode("utf-8", "ignore").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                wrong.append(f"{path.relative_to(PROJECT)}:{number}: {match.group()}")
    assert wrong == []


def test_the_pattern_finds_what_it_is_for() -> None:
    for text in (f"https://{HOSTS[0]}/simple", f"see {FOLDERS[0]}x", f'"{FOLDERS[1]}.pyenv"'):
        assert FORBIDDEN.search(text)
    for text in ("{home}" + FOLDERS[0], "net" + FOLDERS[0] + "x"):
        assert not FORBIDDEN.search(text)
