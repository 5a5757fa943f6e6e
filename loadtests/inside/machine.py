"""What the kernel says of time: the clock's steps, this process's CPU, and how busy one core was, by whomever."""

from __future__ import annotations

import os
import time
from pathlib import Path

from loadtests.cores import cpu_list

CLOCK_READINGS = 5
STAT = Path("/proc/stat")
CPUS = Path("/sys/devices/system/cpu")
BUSY = (0, 1, 2, 7)
"""Columns of a core's line in /proc/stat that are programs' time: user, nice, system, steal (proc(5)).

Interrupts (irq, softirq) are left out. On the loopback they are mostly the kernel's work for the target's own traffic,
and kernels differ in whether the target's cgroup counts them. They came to 0.3 to 2.7% of a core that answered 1,400 to
2,400 requests a second, and by so much can the share of other programs be too low.
"""


def clock_offset() -> float:
    """Return wall time minus monotonic time: it changes where the clock is stepped. The tightest of some readings."""
    readings = []
    for _ in range(CLOCK_READINGS):
        before = time.monotonic()
        wall = time.time()
        after = time.monotonic()
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]


def cpu_seconds() -> float:
    """Return the CPU time of this process and its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def apart(target_cpus: str) -> bool:
    """Say whether this process's cores are none of the target's, nor another hardware thread of one of these.

    Args:
        target_cpus: as the kernel lists CPUs.

    """
    target = cpu_list(target_cpus)
    return not any(target & _threads(core) for core in os.sched_getaffinity(0))


def _threads(core: int) -> frozenset[int]:
    try:
        listed = (CPUS / f"cpu{core}" / "topology" / "thread_siblings_list").read_text("ascii")
    except OSError:
        return frozenset({core})
    return cpu_list(listed) | {core}


def core_busy_seconds(core: int) -> float | None:
    """Return the seconds that programs took of a core since the machine began; None where the kernel does not say.

    A container sees its machine's own counters here, so this is right for an engine that is elsewhere too.
    """
    try:
        return parse_busy(STAT.read_text("ascii"), core, os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError):
        return None


def parse_busy(stat: str, core: int, ticks_per_second: int) -> float | None:
    """Read one core's busy seconds out of /proc/stat; None where it has no such core."""
    for line in stat.splitlines():
        name, *columns = line.split() or [""]
        if name == f"cpu{core}" and len(columns) > max(BUSY):
            return sum(int(columns[index]) for index in BUSY) / ticks_per_second
    return None
