"""What a container's runtime itself calls under an image's filter: found by trial, since it cannot be recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from harness.engine.client import ContainerSpec, Engine, EngineRefused
from harness.errors import NoValidMeasurement
from harness.model import RuntimeCalls
from security import seccomp_kit as kit

LIKELY = (
    "fstatfs", "openat", "prctl", "capset", "capget", "setgroups", "setgid", "setuid", "faccessat2", "setresgid",
    "setresuid", "getppid", "chdir", "getcwd", "close_range", "close", "newfstatat", "fstat", "getdents64",
    "readlinkat", "fcntl", "prlimit64", "setrlimit", "getrlimit", "execve", "execveat", "seccomp", "setsid", "dup3",
    "umask", "fchdir", "fchown", "ioctl", "statfs", "keyctl", "mount", "getuid", "geteuid", "lseek",
    "epoll_create1", "eventfd2", "pipe2", "wait4", "socket", "connect", "sendmsg", "unlinkat", "brk",
)  # fmt: skip
"""Tried first, so that few trials are enough; a call that is not here is found as well."""

GO = (
    "arch_prctl", "clone", "close", "epoll_ctl", "epoll_pwait", "exit", "exit_group", "fcntl", "futex", "getpid",
    "gettid", "madvise", "mmap", "mprotect", "munmap", "nanosleep", "read", "rseq", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "sched_yield", "set_robust_list", "sigaltstack", "tgkill", "write",
)  # fmt: skip
"""What Go's own runtime may call at any moment of a program that has begun: to park, wake, interrupt or add threads, to
get and give back memory. Timing decides which of them a start needs, so trials cannot: a runtime that is denied one
crashes now and then. After Go's runtime/sys_linux_amd64.s; runc has cgo, so its threads are made by the C library."""
IN_GO = ("runc",)
TRIES = 2

Works = Callable[[frozenset[str]], bool]
"""Says whether a container starts, and a command is executed in it, where these calls are allowed."""


@dataclass
class Trial:
    """Starts the image's container under a filter, and executes the smallest program in it.

    Args:
        engine: where.
        spec: makes the container's spec for a set of allowed calls.

    """

    engine: Engine
    spec: Callable[[frozenset[str]], ContainerSpec]
    count: int = 0
    said: str = ""
    """What the last one that failed said."""

    def __call__(self, calls: frozenset[str]) -> bool:
        """Return whether that worked where these calls are allowed; one failure may be the engine's own haste."""
        return any(self._once(calls) for _ in range(TRIES))

    def _once(self, calls: frozenset[str]) -> bool:
        self.count += 1
        try:
            with self.engine.running(self.spec(calls)) as container:
                code, said = kit.execute(self.engine, container, kit.SAYS_ITS_VERSION)
                if code == 0 and kit.VERSION in said:
                    return True
                self.said = f"{said.strip()[-200:]} {self.engine.logs(container).strip()[-200:]}".strip()
        except EngineRefused as error:
            self.said = error.message
        return False


def needed(works: Works, seen: Collection[str], candidates: Sequence[str]) -> frozenset[str] | None:
    """Return the least calls that must be allowed beside those seen; None where all candidates are not enough.

    The shortest beginning of the candidates that works ends with a call that is needed; with that one allowed, the
    next is looked for. None of those found can be left out: what works without one of them would have been found
    before. It is assumed that allowing more never breaks what works.

    Args:
        works: tries a set of calls.
        seen: what is allowed in any case.
        candidates: what else may be, the likeliest first.

    """
    found: frozenset[str] = frozenset()
    base = frozenset(seen)
    if works(base):
        return found
    high = _shortest(works, base, candidates)
    while high is not None:
        if high == 0:
            # A trial that failed before works now.
            return found
        found |= {candidates[high - 1]}
        if works(base | found):
            return found
        # Whatever else is needed comes before the one that was found last.
        candidates = candidates[: high - 1]
        high = _shortest(works, base | found, candidates)
    return None


def _shortest(works: Works, base: frozenset[str], candidates: Sequence[str]) -> int | None:
    """Return how many of the candidates, from the first on, are enough; `base` alone is known not to be."""
    low, high = 0, 1
    while high < len(candidates) and not works(base | set(candidates[:high])):
        low, high = high, high * 4
    if high >= len(candidates):
        high = len(candidates)
        if not works(base | set(candidates)):
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if works(base | set(candidates[:middle])):
            high = middle
        else:
            low = middle
    return high


def ordered(candidates: Collection[str]) -> tuple[str, ...]:
    """Return candidates in the order in which they are tried."""
    first = [name for name in LIKELY if name in candidates]
    return (*first, *sorted(set(candidates) - set(first)))


def find(
    engine: Engine, trial: Trial, *, seen: Collection[str], loader: Collection[str], candidates: Collection[str]
) -> RuntimeCalls:
    """Find what the runtime needs beside what the image calls.

    Args:
        engine: whose runtime.
        trial: starts containers.
        seen: what the image calls.
        loader: what the program of the trials calls itself, allowed meanwhile: little that no image calls.
        candidates: calls that may be allowed at all.

    Raises:
        NoValidMeasurement: no container starts, whatever is allowed.

    """
    runtime = runtime_of(engine)
    table = frozenset(GO) & frozenset(candidates) if runtime.partition(" ")[0] in IN_GO else frozenset()
    shown = frozenset(seen) | frozenset(loader) | table
    calls = needed(trial, shown, ordered(frozenset(candidates) - shown))
    if calls is None:
        raise NoValidMeasurement(
            f"No container starts under a profile that allows all that Docker's default does: {trial.said}",
            "Does this engine take seccomp profiles? `seatrial probe` tells.",
        )
    return RuntimeCalls(
        runtime=runtime,
        calls=tuple(sorted(calls)),
        by_table=tuple(sorted(table - frozenset(seen))),
        trials=trial.count,
    )


def runtime_of(engine: Engine) -> str:
    """Return the runtime's name and version, as far as the engine tells them."""
    return named(str(engine.info().get("DefaultRuntime") or "runtime"), engine.version())


def named(runtime: str, version: dict[str, Any]) -> str:
    """Return a runtime with the version that an engine's version document has for it."""
    name = runtime.rpartition("/")[2]
    for part in version.get("Components") or ():
        if name.lower() in str(part.get("Name", "")).lower() and part.get("Version"):
            return f"{name} {str(part['Version']).splitlines()[0]}"
    return f"{name} of an unknown version"
