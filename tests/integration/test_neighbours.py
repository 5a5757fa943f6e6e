"""Real neighbours: each is stopped by the limit meant for it, and a victim beside one is measured and unharmed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import Image, Interference, NeighbourKind, NeighbourSeen, VictimFate
from harness.results import RunFolder
from loadtests import neighbours
from loadtests.load_profile import LoadProfile
from loadtests.neighbour_plan import Plan, Size, steps
from loadtests.setting import Cores
from loadtests.trial import containers
from tests.integration.tiny_target import TinySetting

PROFILE = LoadProfile(
    name="test", title="test", rate=20, sample_share=0.1, ready_timeout_s=20, request_timeout_s=3,
    foreign_share_max=1.0,
)  # fmt: skip
AT_IT_S = 6.0
STOPS = {
    NeighbourKind.CPU: ("cpus", {"CPU throttled"}),
    NeighbourKind.MEMORY: ("memory", {"OOM kill"}),
    NeighbourKind.FORK: ("pids", {"EAGAIN"}),
    NeighbourKind.DISK: ("disk", {"ENOSPC", "EROFS"}),
    NeighbourKind.PAGE_CACHE: ("memory", {"reclaim at the limit"}),
    NeighbourKind.SOCKETS: ("files", {"EMFILE"}),
    NeighbourKind.FLOOD: ("network", {"ECONNREFUSED"}),
}


class Counted:
    done = 0

    def step(self, what: str) -> None:
        print(what)

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def plan(setting: TinySetting, image: Image, *kinds: NeighbourKind) -> Plan:
    size = Size(name="tiny", rounds=1, warmup_s=1.0, measure_s=1.0, shares=(0.8,), mixed_at=(), single=False)
    return Plan(
        image=image, setting=setting, neighbour_profile=run_profiles.load("neighbour"), size=size, kinds=kinds,
        capacity_rps=20.0, capacity_from="as stated", factor=2.0, machine_memory_bytes=4 << 30, seed=1,
    )  # fmt: skip


def setting_of(generator_image: str, cores: Cores) -> TinySetting:
    hardened = run_profiles.load("hardened").model_copy(update={"restart": "no"})
    return TinySetting(run_profile=hardened, load_profile=PROFILE, generator_image=generator_image, cores=cores)


def test_each_kind_is_stopped_by_the_limit_that_is_meant_for_it(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    what = plan(setting_of(generator_image, cores), tiny_image, *NeighbourKind)
    # A busy machine may be late with the signal that ends them: their own time must not be over before.
    what = replace(what, size=replace(what.size, measure_s=60.0))

    def seen(kind: NeighbourKind) -> NeighbourSeen:
        one = neighbours.neighbour(what, engine, kind, (STOPS[kind][0],))
        one.cpuset = ",".join(dict.fromkeys((cores.target, cores.generator)))
        with containers(engine) as start:
            one.start(start, "none")
            one.saw("warm-up")
            one.saw("measure-begin")
            time.sleep(AT_IT_S)
            one.saw("measure-end")
            one.end()
        return one.seen()

    with ThreadPoolExecutor(max_workers=len(STOPS)) as pool:
        found = dict(zip(STOPS, pool.map(seen, STOPS), strict=True))
    for kind, (limit, hows) in STOPS.items():
        stops = {(one.limit, one.how) for one in found[kind].stopped_by}
        assert any((limit, how) in stops for how in hows), (kind, found[kind])
        assert not found[kind].ended


def test_a_victim_is_measured_beside_a_neighbour_and_kept_with_the_run(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores, tmp_path: Path
) -> None:
    what = plan(setting_of(generator_image, cores), tiny_image, NeighbourKind.FLOOD)
    folder, progress = RunFolder(tmp_path / "run"), Counted()
    found = neighbours.run(what, engine=engine, store=folder, progress=progress)
    assert progress.done == steps(what)
    assert folder.answers(Interference) == (found,)
    assert found.finished
    beside = [row for row in found.rows if row.kind is NeighbourKind.FLOOD]
    assert [bool(row.limits) for row in beside] == [False, True]
    for row in found.rows:
        # Whether so short a window holds a request is a busy machine's affair.
        assert row.held + row.not_held + row.void == 1
        assert row.victim is VictimFate.UNHARMED
    did = beside[0].trials[-1].neighbour
    assert did is not None
    reached = did.did.get("requests answered", 0) > 0 or "victim" in {one.limit for one in beside[0].stopped_by}
    assert reached, did
    assert ("network", "ECONNREFUSED") in {(one.limit, one.how) for one in beside[1].stopped_by}
