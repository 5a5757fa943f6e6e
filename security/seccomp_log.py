"""What strace wrote down: which system calls, when, and which were never anything but refused. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UnreadableOutput

LINE = re.compile(r"^(?:\d+ +)?(?P<at>\d+\.\d+) (?P<rest>.*)$")
CALL = re.compile(r"(?P<name>[a-z_][a-z0-9_]*)\(")
RESUMED = re.compile(r"<\.\.\. (?P<name>[a-z_][a-z0-9_]*) resumed>")
NUMBERED = re.compile(r"^syscall_(0x[0-9a-f]+)$")
REFUSALS = re.compile(r" = -1 (EPERM|ENOSYS) ")
UNFINISHED = "<unfinished ...>"
OTHER_MODE = "bit mode"
"""strace says so of a process that makes calls of another architecture than the kernel's."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One call, as it was seen to begin or to end."""

    at: float
    """Seconds since 1970, by the engine's clock."""
    name: str
    refused: bool | None
    """Whether it came back with EPERM or ENOSYS; None where it has not come back."""


def parse(log: str, names: Mapping[int, str]) -> Iterator[Seen]:
    """Read a log of `strace -f -ttt`.

    Args:
        log: its text; the last line may be cut off.
        names: number -> name, for calls that strace itself knows by number only.

    Raises:
        UnreadableOutput: a process made calls of another architecture, which no one profile can name.

    """
    for line in log.splitlines():
        if OTHER_MODE in line and "Process PID" in line:
            raise UnreadableOutput(
                f"A process of the image makes calls of another architecture: {line.strip()}",
                "A seccomp profile of its own can be made for programs of the machine's own architecture only.",
            )
        match = LINE.match(line)
        if match is None:
            continue
        rest = match["rest"]
        resumed = RESUMED.match(rest)
        call = resumed or CALL.match(rest)
        if call is None:
            continue
        came_back = " = " in rest and UNFINISHED not in rest
        yield Seen(
            at=float(match["at"]),
            name=named(call["name"], names),
            refused=REFUSALS.search(rest) is not None if came_back else None,
        )


def named(name: str, names: Mapping[int, str]) -> str:
    """Return a call's name; one that has only a number, and none in `names`, stays `syscall_0x...`."""
    number = NUMBERED.match(name)
    return names.get(int(number[1], 16), name) if number else name


def unnamed(name: str) -> bool:
    """Say whether a call has no name."""
    return NUMBERED.match(name) is not None


def calls(seen: Sequence[Seen], begin: float, end: float) -> frozenset[str]:
    """Return the names of the calls seen from one moment up to another, that one left out."""
    return frozenset(one.name for one in seen if begin <= one.at < end)


def only_refused(seen: Sequence[Seen]) -> frozenset[str]:
    """Return the names of calls that came back, and never with anything but EPERM or ENOSYS."""
    refused = {one.name for one in seen if one.refused}
    return frozenset(refused - {one.name for one in seen if one.refused is False})
