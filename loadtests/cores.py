"""Which core the target gets and which the generator: none that are halves of one. Pure.

Two hardware threads of one physical core take each other's time, so a generator on the target's other half would slow
it down. What is asked is asked inside a container, since the engine may be elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

ASK = """
import json, os
from pathlib import Path
found = {}
for core in sorted(os.sched_getaffinity(0)):
    try:
        found[core] = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list").read_text()
    except OSError:
        found[core] = str(core)
print(json.dumps(found))
"""
"""Prints a JSON object: core -> its physical core's hardware threads, as the kernel lists them: `0,4` or `0-1`."""

MOST_GENERATOR_CORES = 4
"""More than a target on one core can keep busy."""
Siblings = Mapping[int, frozenset[int]]
"""Core -> all hardware threads of its physical core, itself among them."""


def parse(printed: str) -> Siblings:
    """Read what `ASK` printed. Raises ValueError where that is something else, or no core."""
    raw = json.loads(printed)
    if not isinstance(raw, dict) or not raw:
        raise ValueError("no cores")
    return {int(core): cpu_list(listed) | {int(core)} for core, listed in raw.items()}


def cpu_list(text: str) -> frozenset[int]:
    """Read a kernel's list of CPUs, such as `0-1,4`."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first:
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def choose(siblings: Siblings) -> tuple[int, tuple[int, ...]]:
    """Return a core for the target and those of the generator, which runs one process on each.

    The target's is the first. The generator's are of other physical cores, one thread of each, up to
    `MOST_GENERATOR_CORES`; one is left to the engine and to Seatrial itself where that leaves one. With one physical
    core only, it is that one's other half; with one core only, the target's own.
    """
    target, *rest = sorted(siblings)
    taken = set(siblings[target])
    apart = []
    for core in rest:
        if core not in taken:
            apart.append(core)
            taken |= siblings[core]
    mine = apart[: max(1, min(len(apart) - 1, MOST_GENERATOR_CORES))]
    return target, tuple(mine or rest[:1] or [target])
