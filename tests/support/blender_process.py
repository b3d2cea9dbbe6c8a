# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender as a child process, in a profile of its own. Standard library only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.standin import PROJECT

ADDON = "bl_ext.user_default.pixal3d_addon"
"""The add-on's module name after its zip was installed."""

_NOWHERE = "http://127.0.0.1:9"
LOOPBACK_ONLY = {
    **{name: _NOWHERE for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")},
    **{name: "127.0.0.1,localhost" for name in ("no_proxy", "NO_PROXY")},
}
"""With online access Blender has business of its own: 5.2 fetches an asset library whatever its preferences say, and
all versions ask for newer extensions. A proxy that isn't there keeps that on this machine."""

BACKGROUND_TIMEOUT_SECONDS = 180
DISPLAY_START_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Run:
    """A Blender that has ended."""

    returncode: int
    output: str

    def check(self) -> Run:
        assert self.returncode == 0, f"Blender ended with {self.returncode}:\n{self.output}"
        return self


@dataclass(frozen=True)
class Blender:
    """One Blender executable."""

    path: Path

    def run(
        self,
        *arguments: str | Path,
        profile: Path,
        environment: Mapping[str, str] | None = None,
        timeout: float = BACKGROUND_TIMEOUT_SECONDS,
    ) -> Run:
        """Runs it to its end in the profile folder. Output and errors come together, in order.

        Whatever it started ends with it: it leads a process group, which is killed at the end and after the timeout.
        """
        full = {**os.environ, **LOOPBACK_ONLY, **profile_environment(profile), **(environment or {})}
        # The output goes to a file: a grandchild that outlives Blender would keep a pipe open.
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                [self.path, *arguments],
                cwd=PROJECT,
                env=full,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            ended = True
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                ended = False
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(0)
            text = output.read()
        if not ended:
            text += f"\nBlender was killed: it had not ended after {timeout:.0f} s\n"
        return Run(process.returncode if ended else -signal.SIGKILL, text)

    def install(self, archive: Path, profile: Path) -> None:
        """Installs and enables an extension zip in the profile, as its command line does for an artist."""
        command = ("--command", "extension", "install-file", "-r", "user_default", "--enable", archive)
        self.run("--background", *command, profile=profile).check()


def profile_environment(profile: Path) -> dict[str, str]:
    """Keeps Blender's settings, caches and home in one folder. The folders are made."""
    folders = {
        "HOME": profile / "home",
        "BLENDER_USER_RESOURCES": profile / "blender",
        "XDG_CONFIG_HOME": profile / "home/.config",
        "XDG_CACHE_HOME": profile / "home/.cache",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}


@contextlib.contextmanager
def virtual_display(width: int, height: int) -> Iterator[dict[str, str]]:
    """An X server without a screen, for as long as the block lasts; yields the variables that lead a program to it.

    The server picks a free display by itself (``-displayfd``), so that several may start at the same moment.
    """
    reading, writing = os.pipe()
    folder = tempfile.mkdtemp(prefix="pixal3d-display-")
    screen = ("-screen", "0", f"{width}x{height}x24", "-fbdir", folder)
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), *screen, "-nolisten", "tcp", "-noreset", "+extension", "GLX"],
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        os.close(writing)
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()  # end of file if the server dies
        if not number:
            raise RuntimeError(f"Xvfb did not start (exit code {server.wait(DISPLAY_START_TIMEOUT_SECONDS)})")
        # Drawn by the processor everywhere, so that every machine draws the same; Wayland would be preferred if it ran.
        yield {
            "DISPLAY": f":{number}",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "WAYLAND_DISPLAY": "",
            "PIXAL3D_GUI_FRAMEBUFFER": f"{folder}/Xvfb_screen0",
        }
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
