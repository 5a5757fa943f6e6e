"""Processes and mounts of Seatrial's own engine, told by what only they name; never by a program's name alone."""

from __future__ import annotations

import ctypes
import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
DETACH = 2  # MNT_DETACH of umount2(2)


def arguments(pid: int) -> tuple[str, ...]:
    """Return a process's argument list; empty where it has ended."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(part.decode("utf-8", errors="replace") for part in raw.split(b"\0")[:-1])


def with_argument(argument: str, *, program: str) -> list[int]:
    """Return the processes of a program one of whose arguments is exactly this one.

    A child that was forked and is not yet the program it was forked to be has its parent's arguments: it is left out.
    """
    found = [
        pid for pid in _pids() if (words := arguments(pid)) and Path(words[0]).name == program and argument in words[1:]
    ]
    return [pid for pid in found if (fields := _stat(pid)) and int(fields[1]) not in found]


def named(program: str) -> list[int]:
    """Return the processes whose program has this name."""
    return [pid for pid in _pids() if (words := arguments(pid)) and Path(words[0]).name == program]


def network_namespace(pid: int | str = "self") -> str | None:
    """Return what tells one network namespace from another; None where it cannot be read."""
    try:
        return str((PROC / str(pid) / "ns" / "net").readlink())
    except OSError:
        return None


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and waits to be reaped does not."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def children(parent: int) -> list[int]:
    """Return the processes whose parent is this one."""
    return [pid for pid in _pids() if (fields := _stat(pid)) and int(fields[1]) == parent]


def end(pid: int, *, argument: str, patience_s: float) -> bool:
    """Ask a process to end, and kill it where it has not after `patience_s` seconds; return whether that was needed.

    It is touched only if `argument` is among its arguments, read after a handle on it was taken: an id that meanwhile
    belongs to another process is left alone.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if argument not in arguments(pid):
            return False
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        if patience_s > 0 and ended.poll(round(patience_s * 1000)):
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended.poll(10_000)
        return True
    finally:
        os.close(handle)


def kill(pid: int) -> None:
    """Kill a process that was found to be ours an instant ago; one that has ended is no error."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def mounts_under(folder: Path, mountinfo: str | None = None) -> list[str]:
    """Return the mount points in a folder (the text of /proc/self/mountinfo), the deepest first."""
    text = (PROC / "self" / "mountinfo").read_text("utf-8", "surrogateescape") if mountinfo is None else mountinfo
    points = (_unescape(line.split()[4]) for line in text.splitlines() if len(line.split()) > 4)
    inside = [point for point in points if point == str(folder) or point.startswith(f"{folder}/")]
    return sorted(inside, key=len, reverse=True)


def unmount(point: str) -> None:
    """Detach a mount from the tree; one that is gone already is no error."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.umount2(os.fsencode(point), DETACH)


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on (state, parent, ...); none where the process is gone."""
    try:
        # The program's name, in brackets before them, may hold anything.
        return (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _unescape(point: str) -> str:
    r"""Undo the kernel's way to write a blank, a tab, a newline and a backslash: \040 and so on."""
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(octal, character)
    return point


def _pids() -> Iterator[int]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)
