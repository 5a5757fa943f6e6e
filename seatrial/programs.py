"""The outside programs that a run may use: where they are, which versions, and what their absence costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import tools
from harness.errors import SeatrialError
from harness.process import call

VERSION_TIMEOUT_S = 20.0
VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, kw_only=True)
class Program:
    """An outside program that a step uses, any one of several names."""

    names: tuple[str, ...]
    cost: str
    optional: bool = False
    """Seatrial goes on well without it."""

    @property
    def name(self) -> str:
        """What it is called, whichever of its names it has here."""
        return "browser" if self.names is BROWSERS else self.names[0]


PROGRAMS = (
    Program(names=("syft",), cost="no SBOM and no inventory: `make venv` brings it"),
    Program(names=("hadolint",), cost="Dockerfiles are not linted: `make venv` brings it"),
    Program(names=("dive",), cost="layer efficiency is not checked against dive's own word: `make venv` brings it"),
    Program(names=("trivy",), cost="one source of vulnerabilities fewer", optional=True),
    Program(names=("grype",), cost="one source of vulnerabilities fewer", optional=True),
    Program(names=BROWSERS, cost="the report's browser tests cannot run: apt-get install chromium", optional=True),
    Program(
        names=("mmdebstrap",),
        cost="bases cannot be made from packages (as root it is installed when needed): apt-get install mmdebstrap",
        optional=True,
    ),
)


def locate(program: Program) -> Path | None:
    """Return where a program is, None where it is not on this machine."""
    return next((found for name in program.names if (found := tools.find(name)) is not None), None)


def version(path: Path) -> str:
    """Ask a program for its version.

    Raises:
        SeatrialError: it does not run.

    """
    said = call([path, "--version"], timeout_s=VERSION_TIMEOUT_S)
    return version_of(said.stdout + said.stderr)


def version_of(text: str) -> str:
    """Return the first version number in what a program says of itself, or its first line."""
    number = VERSION.search(text)
    return number.group() if number else (text.strip().splitlines() or ["no version"])[0][:60]


def versions() -> dict[str, str]:
    """Return the version of each program that is here and runs."""
    found: dict[str, str] = {}

    def ask(program: Program) -> None:
        path = locate(program)
        if path is not None:
            with suppress(SeatrialError):
                found[program.name] = version(path)

    with ThreadPoolExecutor() as pool:
        list(pool.map(ask, PROGRAMS))
    return dict(sorted(found.items()))


def engine_name(document: Mapping[str, Any]) -> str:
    """Return whose engine a version document is of."""
    parts = [str(part.get("Name", "")) for part in document.get("Components") or ()]
    return "Podman" if any("podman" in part.lower() for part in parts) else "Docker"
