"""Burning more CPU than the container should have; measured, for about a second."""

from __future__ import annotations

import os
import time

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="burn-cpu",
    title="CPU time is limited",
    severity=Severity.MEDIUM,
    group=Group.RESOURCES,
    rationale="A busy neighbour without a limit takes the cores of all others.",
    remediation="Start with --cpus, or with --cpuset-cpus where the container is to have cores of its own.",
    seconds=20,
)
TOLERANCE = 1.1
ROUNDS = 4


def attack(kit: Kit) -> None:
    """Keep some processes busy, and compare their CPU time with the limit; the count of throttled periods decides."""
    ceilings, limit = kit.facts["ceilings"], kit.facts.get("cpu_limit")
    cores, allowed = kit.facts.get("cores") or os.cpu_count() or 1, len(os.sched_getaffinity(0))
    busy, wall = ceilings["busy_processes"], ceilings["burn_seconds"]
    before, began, used, share = _throttled(), time.monotonic(), 0.0, 0.0
    after = before
    for _ in range(ROUNDS):
        until = time.monotonic() + wall
        used += sum(_cpu_seconds(child) for child in [_burner(until) for _ in range(busy)])
        share = used / (time.monotonic() - began)
        after = _throttled()
        # A machine that is busy with other things may not let the processes meet their limit at once.
        if not limit or before is None or after != before:
            break
    kit.progress("CPU seconds a second", round(share, 3))
    what = "keep " + str(busy) + " processes busy for rounds of " + str(wall) + " s"
    evidence = "used {:.2f} cores of {} on the machine, {} allowed by affinity, limit {}".format(
        share, cores, allowed, limit or "none"
    )
    throttled = None if before is None or after is None else after - before
    if throttled is not None:
        evidence += "; throttled {} periods".format(throttled)  # noqa: UP032
    if limit and limit < min(busy, allowed) and throttled and share <= limit * TOLERANCE:
        kit.stopped(what, "CPU quota", None, evidence)
    elif allowed < min(busy, cores) and share <= allowed * TOLERANCE:
        kit.stopped(what, "CPU set", None, evidence)
    elif limit and limit < min(busy, allowed):
        kit.absent(what, "the limit was not met, since the machine was too busy or shows no throttling: " + evidence)
    elif share > 0.5 or not limit:
        kit.succeeded(what, evidence)
    else:
        kit.absent(what, evidence)


def _burner(until: float) -> int:
    child = os.fork()
    if child == 0:
        while time.monotonic() < until:
            pass
        os._exit(0)
    return child


def _cpu_seconds(child: int) -> float:
    _, _, use = os.wait4(child, 0)
    return use.ru_utime + use.ru_stime


def _throttled() -> int | None:
    """Return the container's count of throttled periods: cgroup v1 or v2."""
    for path in ("/sys/fs/cgroup/cpu/cpu.stat", "/sys/fs/cgroup/cpu,cpuacct/cpu.stat", "/sys/fs/cgroup/cpu.stat"):
        try:
            with open(path) as lines:
                for line in lines:
                    if line.startswith("nr_throttled"):
                        return int(line.split()[1])
        except OSError:
            continue
    return None
