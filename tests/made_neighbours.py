"""Plans and records of comparisons beside neighbours that were never made, for tests that need no engine."""

from __future__ import annotations

from typing import Any

from harness.engine import run_profiles
from harness.model import NeighbourKind, NeighbourSeen, StoppedBy
from loadtests.load_profile import LoadProfile
from loadtests.neighbour_plan import SIZES, Plan
from loadtests.setting import Cores, Setting
from tests.made_records import image

NAMES = ("cpus", "memory", "pids", "disk", "files", "network")
KINDS = (NeighbourKind.CPU, NeighbourKind.FORK)
BESIDE = run_profiles.load("neighbour")


def plan(**changed: Any) -> Plan:
    setting = Setting(
        run_profile=run_profiles.load("hardened"),
        load_profile=LoadProfile(name="t", title="t", users=4),
        generator_image="generator",
        cores=Cores(target="0", generator="1"),
    )
    fields: dict[str, Any] = {
        "image": image("a1"), "setting": setting, "neighbour_profile": BESIDE, "size": SIZES["quick"], "kinds": KINDS,
        "capacity_rps": 1000.0, "capacity_from": "stated", "factor": 2.0, "machine_memory_bytes": 64 << 30, "seed": 7,
    }  # fmt: skip
    return Plan(**(fields | changed))


def seen(cpu_share: float = 0.5, *stops: StoppedBy) -> NeighbourSeen:
    return NeighbourSeen(
        did={"processes": 3},
        stopped_by=stops,
        cpu_share=cpu_share,
        throttled_seconds=0.0,
        most_memory_bytes=1,
        ended="",
    )
