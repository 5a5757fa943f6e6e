"""How far counted attacks go: a little further than the limits that a container declares, within the harness's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from security.probe import Ceilings

MOST_PROCESSES = 1024
MOST_MEMORY_BYTES = 1 << 30
MOST_DESCRIPTORS = 65536
MOST_BUSY_PROCESSES = 16
SPARE_PROCESSES = 8
SPARE_MEMORY_BYTES = 64 << 20
SHARE_OF_MACHINE = 4
"""No more than one part in four of the machine's memory is ever allocated."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one container's probes are held to."""

    ceilings: Ceilings
    cpus: float | None
    """The container's CPU limit, in cores."""
    beyond: Mapping[str, str]
    """Probe id -> why it is not tried: the declared limit lies beyond what the harness may use up."""


def of(about: Mapping[str, Any], engine_info: Mapping[str, Any], ceilings: Ceilings | None = None) -> Bounds:
    """Derive the bounds from a container's inspect document and the engine's description; given ceilings stand."""
    host = about["HostConfig"]
    cpus = cpu_limit(host)
    if ceilings is not None:
        return Bounds(ceilings=ceilings, cpus=cpus, beyond={})
    most_memory = min(MOST_MEMORY_BYTES, int(engine_info.get("MemTotal") or MOST_MEMORY_BYTES) // SHARE_OF_MACHINE)
    found = Ceilings()
    found = replace(found, memory_bytes=min(found.memory_bytes, most_memory))
    beyond = {}
    for probe, name, declared, spare, most in (
        ("fork-until-stopped", "processes", _positive(host.get("PidsLimit")), SPARE_PROCESSES, MOST_PROCESSES),
        ("allocate-until-stopped", "memory_bytes", _positive(host.get("Memory")), SPARE_MEMORY_BYTES, most_memory),
        ("exhaust-descriptors", "descriptors", _nofile(host), SPARE_PROCESSES, MOST_DESCRIPTORS),
        ("burn-cpu", "busy_processes", math.ceil(cpus) if cpus else 0, 1, MOST_BUSY_PROCESSES),
    ):
        if declared + spare > most:
            beyond[probe] = f"The container's limit of {declared:,} lies beyond the {most:,} that a probe may use up."
        elif declared:
            found = replace(found, **{name: max(getattr(found, name), declared + spare)})
    return Bounds(ceilings=found, cpus=cpus, beyond=beyond)


def cpu_limit(host: Mapping[str, Any]) -> float | None:
    """Return a container's CPU limit in cores: NanoCpus, or the quota over its period; None without either."""
    if host.get("NanoCpus"):
        return float(host["NanoCpus"]) / 1e9
    quota = host.get("CpuQuota") or 0
    return float(quota) / float(host.get("CpuPeriod") or 100_000) if quota > 0 else None


def _positive(value: Any) -> int:
    return max(0, int(value or 0))


def _nofile(host: Mapping[str, Any]) -> int:
    return next((int(one["Hard"]) for one in host.get("Ulimits") or () if one.get("Name") == "nofile"), 0)
