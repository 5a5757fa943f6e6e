"""Beside neighbours: what is tried, what a trial says and what is void, and limits below the harness's own."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import run_profiles
from harness.errors import UsageError
from harness.model import Guard, NeighbourKind, NeighbourSeen, NotMeasured, Ratio, VictimFate
from loadtests.neighbour_limits import caps, limits_of, neighbour_profile, victim_profile
from loadtests.neighbour_plan import SIZES, grid
from loadtests.neighbour_rows import judged, ratio
from tests.made_neighbours import BESIDE, NAMES, plan, seen
from tests.made_trials import broke, rate_trial

CAPS = caps(64 << 30, 10.0)


@pytest.mark.parametrize(("size", "mixed"), [("quick", (0.8,)), ("full", (0.5, 0.8)), ("smoke", ())])
def test_every_kind_is_tried_with_and_without_limits_on_both_at_every_load(size: str, mixed: tuple[float, ...]) -> None:
    arms = grid(plan(kinds=tuple(NeighbourKind), size=SIZES[size]), NAMES)
    for share in SIZES[size].shares:
        for kind in NeighbourKind:
            tried = {
                (one.victim_limited, one.limits)
                for one in arms
                if (one.kind, one.share, one.purpose) == (kind, share, "grid")
            }
            one_side = {(True, ()), (False, NAMES)} if share in mixed else set()
            assert tried == {(False, ()), (True, NAMES)} | one_side
    assert len({one.id for one in arms}) == len(arms)


def test_each_limit_is_tried_alone_against_what_it_is_meant_for() -> None:
    arms = grid(plan(kinds=tuple(NeighbourKind)), NAMES)
    alone = {(one.kind, *one.limits) for one in arms if one.purpose == "one limit"}
    assert (NeighbourKind.FORK, "pids") in alone
    assert (NeighbourKind.FLOOD, "network") in alone
    assert all((kind, "cpus") in alone for kind in NeighbourKind)


@pytest.mark.parametrize(
    ("changed", "neighbour", "began", "outcome"),
    [
        pytest.param({}, seen(), True, "held", id="served"),
        pytest.param(broke(Guard.RATE_NOT_MET), seen(), True, "not held", id="saturated beside a neighbour"),
        pytest.param(broke(Guard.OFF_SCHEDULE), seen(), True, "void", id="the generator was late"),
        pytest.param(broke(Guard.RATE_NOT_MET, Guard.OFF_SCHEDULE), seen(), True, "not held", id="late and saturated"),
        pytest.param(broke(Guard.OUT_OF_MEMORY, Guard.EXITED), seen(), True, "not held", id="killed"),
        pytest.param(broke(Guard.FAILURES), seen(), True, "not held", id="failures"),
        pytest.param(broke(Guard.CONTRACT_BROKEN), seen(), True, "wrong answers", id="lies"),
        pytest.param(broke(Guard.CLOCK_STEPPED, Guard.FAILURES), seen(), True, "void", id="the machine's clock"),
        pytest.param(broke(Guard.CORE_SHARED), None, True, "void", id="a stranger beside the undisturbed"),
        pytest.param({"foreign_cpu_share": 0.9}, seen(0.4), True, "void", id="a stranger beside the neighbour"),
        pytest.param({"foreign_cpu_share": 0.6}, seen(0.5), True, "held", id="the neighbour is no stranger"),
        pytest.param(broke(Guard.TIMED_OUT), seen(), False, "void", id="before the neighbour began"),
    ],
)
def test_what_a_trial_says(changed: dict[str, Any], neighbour: NeighbourSeen | None, began: bool, outcome: str) -> None:
    assert judged(rate_trial(**changed), neighbour, 0.25, began=began).outcome == outcome


def test_the_victims_fate_is_told() -> None:
    trial = rate_trial(**broke(Guard.OUT_OF_MEMORY, Guard.RESTARTED))
    assert judged(trial, seen(), 0.25).victim is VictimFate.OUT_OF_MEMORY


def test_void_rounds_are_left_out_of_a_ratio_and_unheld_ones_end_it() -> None:
    def trials(*p99s: float | None) -> list[Any]:
        made = []
        for round_, p99 in enumerate(p99s, 1):
            changed = broke(Guard.CLOCK_STEPPED) if p99 is None else {}
            made.append(judged(rate_trial(100, p99 or 1, round=round_, **changed), None, 1.0))
        return made

    found = ratio(trials(20, None, 40, 60), trials(10, 10, 20, 30), "undisturbed")
    assert isinstance(found, Ratio)
    assert found.value == pytest.approx(2.0)
    unheld = [judged(rate_trial(round=1, **broke(Guard.RATE_NOT_MET)), None, 1.0)]
    assert isinstance(ratio(trials(20), unheld, "undisturbed"), NotMeasured)


def test_every_neighbour_is_within_the_harness_own_limits() -> None:
    for chosen in ((), ("cpus",), ("memory",), NAMES):
        made = neighbour_profile(chosen, BESIDE, CAPS)
        limits = {one.name: one.hard for one in made.ulimits}
        assert (made.memory_bytes or 10**12) <= CAPS.memory_bytes
        assert (made.pids_limit or 10**12) <= CAPS.pids
        assert limits["nofile"] <= CAPS.open_files
        assert limits["fsize"] == CAPS.file_bytes
        assert made.cap_drop == ("ALL",)
        assert made.network == "none"
        assert made.read_only is ("disk" in chosen)
        assert (made.cpus is not None) is ("cpus" in chosen)
    assert CAPS.asked_memory_bytes < CAPS.memory_bytes
    assert CAPS.processes < CAPS.pids
    assert CAPS.sockets < CAPS.open_files


def test_a_small_machine_has_a_smaller_limit() -> None:
    assert caps(4 << 30, 1.0).memory_bytes == 512 << 20


def test_a_victim_without_limits_keeps_the_rest_of_its_run_profile() -> None:
    hardened = run_profiles.load("hardened")
    free = victim_profile(hardened, CAPS, limited=False)
    assert (free.cpus, free.ulimits) == (None, ())
    assert (free.memory_bytes, free.pids_limit) == (CAPS.memory_bytes, CAPS.pids)
    assert (free.read_only, free.cap_drop, free.seccomp) == (True, ("ALL",), hardened.seccomp)
    assert victim_profile(hardened, CAPS, limited=True) == hardened


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"memory_bytes": 8 << 30}, "memory limit", id="more memory than the harness allows"),
        pytest.param({"pids_limit": 4000}, "pids limit", id="more processes"),
    ],
)
def test_a_limit_above_the_harness_own_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        limits_of(BESIDE.model_copy(update=changed), CAPS)


def test_a_run_profile_that_limits_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="limits nothing"):
        limits_of(run_profiles.load("article"), CAPS)
