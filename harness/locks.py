"""Locks between processes: held by the kernel for a living process only, so a killed one never leaves a stale lock.

A run holds `runs/RUN-ID.lock` in the state folder while it lives. That is how everyone else tells a run that is
going on from one that died and left its containers behind.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from harness.errors import UsageError
from harness.paths import state_dir

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
TRIES = 20
PAUSE_S = 0.05


class LockHeld(UsageError):
    """Another living process holds a lock that only one may have."""


def new_run_id(now: datetime | None = None) -> str:
    """Return an id for a run: date, time and four random hex digits, so that ids sort by age."""
    return f"{now or datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def runs_dir() -> Path:
    """Return the folder of the runs' locks."""
    return state_dir() / "runs"


@contextmanager
def run_lock(run_id: str) -> Iterator[None]:
    """Hold a run's lock for the length of a block, which tells all others that the run is alive.

    Raises:
        LockHeld: another process is busy with the same run.

    """
    path = _run_path(run_id)
    handle = _take(path)
    if handle is None:
        raise LockHeld(f"The run {run_id} is going on in another process.", "Wait for it to end.")
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
        # Only a run that ended well leaves no file: one that is there and free marks a run that died here.
        path.unlink(missing_ok=True)
    finally:
        os.close(handle)


class RunState(StrEnum):
    """What this user's locks say of a run."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """It has no lock file here: another user's or machine's run on the same engine, or one whose files were deleted."""


def run_state(run_id: str) -> RunState:
    """Say whether a living process holds a run's lock."""
    try:
        handle = os.open(_run_path(run_id), os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, UsageError):
        return RunState.UNKNOWN
    except PermissionError:
        # Somebody else's file: as good as alive, so that nothing of that run is touched.
        return RunState.ALIVE
    try:
        return RunState.DEAD if _try(handle, fcntl.LOCK_SH) else RunState.ALIVE
    finally:
        os.close(handle)


def living_runs() -> list[str]:
    """Return the ids of this user's runs that are alive, the oldest first."""
    runs = sorted(path.stem for path in runs_dir().glob("*.lock"))
    return [run for run in runs if run_state(run) is RunState.ALIVE]


def forget_old_runs(*, days: float = 30) -> None:
    """Remove the lock files of runs that died long ago."""
    oldest = time.time() - days * 86_400
    for path in runs_dir().glob("*.lock"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest and (handle := _take(path)) is not None:
                path.unlink(missing_ok=True)
                os.close(handle)


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold a lock file, which is never removed, for the length of a block; wait for whoever holds it now."""
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def measuring(tell: Callable[[str], None]) -> Iterator[None]:
    """Hold this user's right to measure for the length of a block: two at once would measure each other.

    It is one for all engines, whose containers mostly share the same cores. A block in a block waits for ever, so it is
    taken where measuring begins, and nowhere below.

    Args:
        tell: told that another run's measurement is waited for, where there is one.

    """
    handle = _open(state_dir() / "measuring.lock")
    try:
        if not _try(handle, fcntl.LOCK_EX):
            tell("Waiting for another run's measurement")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Take a lock file for the length of a block if nobody holds it; the block is told whether it was taken."""
    handle = _open(path)
    try:
        yield _try(handle, fcntl.LOCK_EX)
    finally:
        os.close(handle)


class SharedLock:
    """A lock file held together with others: each holder is one user of a thing."""

    def __init__(self, path: Path) -> None:
        """Take it; wait for whoever holds it alone."""
        self._handle = _open(path)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def release(self) -> None:
        """Let it go."""
        os.close(self._handle)


def _run_path(run_id: str) -> Path:
    # A label of an engine's object is anybody's text: it must not lead out of the folder.
    if not RUN_ID.fullmatch(run_id):
        raise UsageError(f"{run_id!r} is not the id of a run.")
    return runs_dir() / f"{run_id}.lock"


def _take(path: Path) -> int | None:
    """Open and lock a run's file; None where another process holds it."""
    for _ in range(TRIES):
        handle = _open(path)
        # A file that was removed between opening and locking it would be a lock that nobody else can see.
        if _try(handle, fcntl.LOCK_EX) and _still_there(handle, path):
            return handle
        os.close(handle)
        # Whoever only looks at a lock holds it for an instant.
        time.sleep(PAUSE_S)
    return None


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _still_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
