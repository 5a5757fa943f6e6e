"""What a container's own cgroup says of it, read from inside: CPU time, throttling, limits that were met."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
NS, US = 1e-9, 1e-6


def counters(root: Path = ROOT) -> dict[str, float]:
    """Return what the kernel counts, by cgroup v1 or v2; what it does not show is left out.

    `cpu_seconds`, `throttled_periods`, `throttled_seconds`, `memory_peak_bytes`, `memory_at_limit` (how often a charge
    met the limit, and was reclaimed or refused; of v1 some kernels count none), `memory_limit_bytes`, `oom_kills`,
    `forks_refused`.
    """
    found: dict[str, float] = {}
    for name, files, read in _SOURCES:
        for file in files:
            try:
                value = read((root / file).read_text("ascii"))
            except (OSError, ValueError):
                continue
            if value is not None:
                found[name] = value
                break
    return found


def keyed(name: str, scale: float = 1.0) -> Callable[[str], float | None]:
    """Return a reader of one line of a file of `name value` lines."""

    def read(text: str) -> float | None:
        for line in text.splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value) * scale
        return None

    return read


def alone(scale: float = 1.0) -> Callable[[str], float | None]:
    """Return a reader of a file that is one number."""
    return lambda text: int(text) * scale


_SOURCES: tuple[tuple[str, tuple[str, ...], Callable[[str], float | None]], ...] = (
    ("cpu_seconds", ("cpu.stat",), keyed("usage_usec", US)),
    ("cpu_seconds", ("cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage"), alone(NS)),
    ("throttled_periods", ("cpu.stat", "cpu/cpu.stat", "cpu,cpuacct/cpu.stat"), keyed("nr_throttled")),
    ("throttled_seconds", ("cpu.stat",), keyed("throttled_usec", US)),
    ("throttled_seconds", ("cpu/cpu.stat", "cpu,cpuacct/cpu.stat"), keyed("throttled_time", NS)),
    ("memory_peak_bytes", ("memory.peak", "memory/memory.max_usage_in_bytes"), alone()),
    ("memory_at_limit", ("memory.events",), keyed("max")),
    ("memory_at_limit", ("memory/memory.failcnt",), alone()),
    ("memory_limit_bytes", ("memory.max", "memory/memory.limit_in_bytes"), alone()),
    ("oom_kills", ("memory.events", "memory/memory.oom_control"), keyed("oom_kill")),
    ("forks_refused", ("pids.events", "pids/pids.events"), keyed("max")),
)
"""The two versions have no file in common, so a later line of the same name never takes the place of another's."""
