"""How one room is handed another's work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.model.images import Image
from harness.model.running import RunProfile
from harness.model.sliced import SlicedComparison
from harness.model.trials import StartTrial


class Progress(Protocol):
    """How a room says what it is doing; the verb decides how that is shown."""

    def step(self, what: str) -> None:
        """Say that one thing began."""

    def advance(self, steps: int = 1) -> None:
        """Say that one of the announced steps is done."""


Say = Callable[[str], None]
"""Tells the user one line."""


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """A program that records system calls, with all that it needs to run inside of any container."""

    name: str
    """Name and version."""
    tar: bytes
    """Its files: `strace`, the loader `ld`, and the libraries, all in one folder; uncompressed."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of asking a container all that it must answer, and loading it."""

    moments: Mapping[str, float]
    """When it was `ready`, the contract was `examined`, and the load `begun` and was `over`: seconds since 1970, by the
    engine's clock. What did not come about is missing."""
    verified: int
    """Answers that were compared with the contract, before and after the load."""
    requests: int
    """Of the load's measured time."""
    faults: tuple[str, ...]
    """What was wrong or missing, in lines: nothing, where all was right."""


class Asks(Protocol):
    """Asks the container in a network namespace all of its contract, loads it, and asks again."""

    def __call__(self, namespace: str, port: int, alive: Callable[[], bool]) -> Asked:
        """Ask the one in `namespace` (`container:ID`) on its loopback; give up early once it is not `alive`."""


class Starts(Protocol):
    """Starts fresh containers of an image one after the other, each until its first correct answer."""

    def __call__(self, image: Image, profile: RunProfile, count: int) -> Sequence[StartTrial]:
        """Return what became of each."""


class ComparesProfiles(Protocol):
    """Compares an image under two run profiles by slices."""

    def __call__(self, image: Image, a: RunProfile, b: RunProfile) -> SlicedComparison:
        """Return what B costs over A; CPU limits are taken off on both sides."""
