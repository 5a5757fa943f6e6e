"""Unit tests need nothing but themselves: starting a program or opening a network socket is an error."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM_STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn"}
NETWORKS = {socket.AF_INET, socket.AF_INET6}


class ForbiddenInUnitTests(AssertionError):
    """A unit test did what only an integration test may do."""


class Guard:
    """An audit hook that refuses while it is on; Python has no way to take one away."""

    on = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in PROGRAM_STARTS:
            raise ForbiddenInUnitTests(f"A unit test started a program: {event} {arguments[:2]!r}")
        if event == "socket.__new__" and arguments[1] in NETWORKS:
            raise ForbiddenInUnitTests("A unit test opened a network socket.")


@pytest.fixture(scope="session")
def audit() -> Guard:
    guard = Guard()
    sys.addaudithook(guard)
    return guard


@pytest.fixture(autouse=True)
def no_outside_world(audit: Guard) -> Iterator[None]:
    audit.on = True
    yield
    audit.on = False


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the user's own caches and state out of unit tests."""
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
