"""Comparisons beside neighbours on machines of known behaviour: pairs of rounds, sets of limits, resuming, tables."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from harness import histograms
from harness.engine.client import Engine
from harness.model import (
    Guard,
    Interference,
    Interval,
    NeighbourKind,
    NotMeasured,
    Ratio,
)
from loadtests import journeys, neighbours
from loadtests.judging import Measured, Order
from loadtests.neighbour_beside import Neighbour
from loadtests.neighbour_plan import SIZES, Plan, confirming, steps
from loadtests.neighbour_rows import BOTH, EVERY, VICTIM, Arm
from loadtests.neighbour_sets import smallest
from loadtests.setting import Setting
from seatrial.neighbours import exit_code
from seatrial.neighbours_table import bought, gaps, table, undisturbed, words
from tests.made_neighbours import KINDS, NAMES, plan
from tests.made_trials import broke, rate_trial


class Kept:
    """A store in memory."""

    def __init__(self) -> None:
        self.states: list[Interference] = []
        self.files: dict[str, bytes] = {}
        self.logs: list[str] = []

    def write_answer(self, answer: Interference) -> None:
        self.states.append(answer)

    def write_histogram(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def write_log(self, name: str, _text: str) -> None:
        self.logs.append(name)

    def histogram(self, name: str) -> bytes:
        return self.files[name]


class Quiet:
    """Counts steps."""

    def __init__(self) -> None:
        self.done = 0

    def step(self, what: str) -> None:
        assert what

    def advance(self, steps: int = 1) -> None:
        self.done += steps


class Machine:
    """Makes trials whose p99 is known: a neighbour makes it worse by a factor that limits take away.

    Args:
        worse: kind -> factor without limits; infinite is a rate that is not held.
        cured_by: kind -> the limit that takes all of it away.
        stop_after: trials after which the engine is gone.

    """

    def __init__(
        self, worse: dict[NeighbourKind, float], cured_by: dict[NeighbourKind, str], stop_after: int = 10**6
    ) -> None:
        self.worse, self.cured_by, self.left = worse, cured_by, stop_after
        self.asked: list[str] = []

    def __call__(self, order: Order, setting: Setting, _engine: Engine, beside: Neighbour | None) -> Measured:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.asked.append(order.id)
        p99, changed = 10.0, {}
        if beside is not None:
            beside.saw("warm-up")
            if self.cured_by.get(beside.kind) not in beside.limits:
                p99 *= self.worse.get(beside.kind, 1.0)
        if p99 == float("inf"):
            changed, p99 = broke(Guard.RATE_NOT_MET), 5000.0
        p99 *= 1 + 0.01 * order.round
        made = histograms.new()
        for _ in range(100):
            histograms.record(made, p99 * 1000)
        file = f"{order.id}.hdr"
        trial = rate_trial(
            setting.load_profile.rate or 0, p99, name=order.id, round=order.round, attempt=order.attempt,
            histograms={"all": file, "hello": "dropped"}, run_profile=setting.run_profile.name, **changed,
        )  # fmt: skip
        return Measured(trial=trial, histograms={file: histograms.encode(made), "dropped": b""}, log="")


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "check", lambda *_: None)


def run(what: Plan, machine: Machine, store: Kept | None = None) -> tuple[Interference, Kept, Quiet]:
    kept, quiet = store or Kept(), Quiet()
    engine = cast("Engine", object())
    found = neighbours.run(what, engine=engine, store=kept, progress=quiet, run_one=machine)
    return found, kept, quiet


def test_ratios_are_paired_by_round_with_the_undisturbed_victim_of_the_same_limits() -> None:
    found, _, quiet = run(plan(), Machine({NeighbourKind.CPU: 3.0}, {NeighbourKind.CPU: "cpus"}))
    rows = {one.id: one for one in found.rows}
    free = rows[Arm(kind=NeighbourKind.CPU, share=0.8, victim_limited=False).id]
    assert isinstance(free.p99_ratio, Ratio)
    assert free.p99_ratio.value == pytest.approx(3.0)
    assert free.p99_ratio.significant
    assert isinstance(free.p99_ms, Interval)
    assert free.baseline is not None
    assert rows[free.baseline].kind is None
    assert rows[free.baseline].p99_ratio is None
    assert free.offered_rps == 800
    assert found.finished
    assert quiet.done >= steps(plan())


def test_a_set_that_the_grid_has_at_one_load_only_is_confirmed_at_the_other() -> None:
    machine = Machine({NeighbourKind.CPU: 9.0}, {NeighbourKind.CPU: "network"})
    found, _, _ = run(plan(), machine)
    assert not isinstance(found.smallest, NotMeasured)
    assert found.smallest.limits == NAMES
    assert {one.share for one in found.rows if one.purpose == "smallest set"} == {0.5, 0.8}
    assert found.smallest.confirmed


def test_what_a_limit_buys_is_p99_with_it_over_p99_without_it() -> None:
    found, _, _ = run(plan(), Machine({NeighbourKind.CPU: 4.0}, {NeighbourKind.CPU: "cpus"}))
    gains = {(one.limit, one.kind, one.share): one for one in found.gains}
    bought_by_cpus = gains["cpus", NeighbourKind.CPU, 0.8].gain
    assert isinstance(bought_by_cpus, Ratio)
    assert bought_by_cpus.value == pytest.approx(0.25)
    assert {one.limit for one in found.gains} == {"cpus", "pids", EVERY, VICTIM, BOTH}


def test_the_smallest_set_is_one_that_serves_all_kinds_and_fresh_trials_confirm_it() -> None:
    machine = Machine(
        {NeighbourKind.CPU: 4.0, NeighbourKind.FORK: 5.0}, {NeighbourKind.CPU: "cpus", NeighbourKind.FORK: "cpus"}
    )
    found, _, _ = run(plan(), machine)
    best = found.smallest
    assert not isinstance(best, NotMeasured)
    assert best.limits == ("cpus",)
    assert best.confirmed
    assert best.certain
    fresh = [one for one in found.rows if one.purpose == "smallest set"]
    assert {(one.kind, one.share) for one in fresh} == {(k, s) for k in (None, *KINDS) for s in (0.5, 0.8)}


def test_a_set_that_fresh_trials_refute_is_not_confirmed() -> None:
    class Moody(Machine):
        def __call__(self, order: Order, *rest: Any) -> Measured:
            if order.id.partition("-r")[0].endswith("-set"):
                self.cured_by = {}
            return super().__call__(order, *rest)

    found, _, _ = run(plan(), Moody({NeighbourKind.CPU: 4.0}, {NeighbourKind.CPU: "cpus"}))
    assert not isinstance(found.smallest, NotMeasured)
    assert not found.smallest.confirmed
    assert "burns CPU" in found.smallest.remark


def test_no_limit_is_needed_where_nothing_disturbs() -> None:
    found, _, _ = run(plan(), Machine({}, {}))
    assert not isinstance(found.smallest, NotMeasured)
    assert found.smallest.limits == ()
    assert found.smallest.confirmed
    assert not [one for one in found.rows if one.purpose == "smallest set"]


def test_a_rate_that_is_not_held_is_a_result_without_a_figure_and_is_never_ranked() -> None:
    worse = {NeighbourKind.CPU: float("inf")}
    found, kept, _ = run(plan(), Machine(worse, {NeighbourKind.CPU: "network"}))
    rows = {one.id: one for one in found.rows}
    row = rows[Arm(kind=NeighbourKind.CPU, share=0.8, victim_limited=False).id]
    assert (row.held, row.not_held, row.void) == (0, 3, 0)
    assert isinstance(row.p99_ms, NotMeasured)
    assert "3 of 3 rounds" in row.p99_ms.not_measured
    assert isinstance(row.p99_ratio, NotMeasured)
    assert len(row.trials) == 3, "a result is not repeated"
    assert kept.logs
    assert not isinstance(found.smallest, NotMeasured)
    # Alone, `network` is not tried against it, so only all limits together are known to keep it.
    assert found.smallest.limits == NAMES


def test_where_not_even_all_limits_help_the_kinds_are_named() -> None:
    found, _, _ = run(plan(), Machine({NeighbourKind.FORK: 9.0}, {}))
    assert not isinstance(found.smallest, NotMeasured)
    assert isinstance(found.smallest.limits, NotMeasured)
    assert found.smallest.unheld == (NeighbourKind.FORK,)
    assert "every limit on both keeps it within 9.00 at 50% and 9.00 at 80%" in found.smallest.limits.not_measured
    assert found.smallest.by_kind[NeighbourKind.CPU] == ()


def test_where_the_undisturbed_victim_does_not_hold_nothing_is_said_of_limits() -> None:
    class Tired(Machine):
        def __call__(self, order: Order, setting: Setting, engine: Engine, beside: Neighbour | None) -> Measured:
            made = super().__call__(order, setting, engine, beside)
            changed = broke(Guard.RATE_NOT_MET) if beside is None else {}
            return dataclasses.replace(made, trial=made.trial.model_copy(update=changed))

    found, _, _ = run(plan(), Tired({}, {}))
    assert not isinstance(found.smallest, NotMeasured)
    assert isinstance(found.smallest.limits, NotMeasured)
    assert "undisturbed" in found.smallest.limits.not_measured
    assert {len(one.trials) for one in found.rows if one.kind is None} == {3 * (1 + neighbours.REPEATS)}
    assert exit_code(found) == 6


def test_where_every_trial_beside_a_neighbour_is_void_nothing_was_found_out() -> None:
    class Crowded(Machine):
        def __call__(self, order: Order, setting: Setting, engine: Engine, beside: Neighbour | None) -> Measured:
            made = super().__call__(order, setting, engine, beside)
            void = made.trial.model_copy(update=broke(Guard.CLOCK_STEPPED) if beside is not None else {})
            return dataclasses.replace(made, trial=void)

    assert exit_code(run(plan(), Crowded({}, {}))[0]) == 6
    assert exit_code(run(plan(), Machine({}, {}))[0]) == 0


def test_an_undisturbed_round_that_was_held_at_the_second_attempt_counts() -> None:
    class Restless(Machine):
        def __call__(self, order: Order, setting: Setting, engine: Engine, beside: Neighbour | None) -> Measured:
            made = super().__call__(order, setting, engine, beside)
            changed = broke(Guard.RATE_NOT_MET) if (beside, order.round, order.attempt) == (None, 2, 1) else {}
            return dataclasses.replace(made, trial=made.trial.model_copy(update=changed))

    found, _, _ = run(plan(), Restless({NeighbourKind.CPU: 3.0}, {NeighbourKind.CPU: "cpus"}))
    alone = [one for one in found.rows if one.kind is None and one.purpose == "grid"]
    assert {(one.held, one.not_held, len(one.trials)) for one in alone} == {(3, 0, 4)}
    assert all(isinstance(one.p99_ratio, Ratio) for one in found.rows if one.kind is not None)


def test_a_stopped_comparison_goes_on_and_makes_no_trial_twice() -> None:
    first = Machine({NeighbourKind.CPU: 3.0}, {NeighbourKind.CPU: "cpus"}, stop_after=20)
    store = Kept()
    with pytest.raises(KeyboardInterrupt):
        run(plan(), first, store)
    second = Machine(first.worse, first.cured_by)
    found, _, _ = run(plan(known=store.states[-1]), second, store)
    assert not set(first.asked) & set(second.asked)
    whole, _, _ = run(plan(), Machine(first.worse, first.cured_by))
    assert found == whole
    third = Machine(first.worse, first.cured_by)
    run(plan(known=found), third, store)
    assert third.asked == []


def test_another_comparison_does_not_take_over_its_trials() -> None:
    whole, _, _ = run(plan(), Machine({}, {}))
    again = Machine({}, {})
    run(plan(known=whole, capacity_rps=500.0), again)
    assert again.asked


def test_a_set_that_was_measured_as_it_is_needs_no_more_trials() -> None:
    found, _, _ = run(plan(), Machine({}, {}))
    best = smallest(found.rows, KINDS, NAMES, 2.0)
    assert confirming(plan(), best, found.rows) == []


def test_the_smoke_size_tells_no_smallest_set() -> None:
    found, _, _ = run(plan(size=SIZES["smoke"]), Machine({}, {}))
    assert isinstance(found.smallest, NotMeasured)
    assert {one.share for one in found.rows} == {0.8}


def test_only_the_whole_histogram_of_a_trial_is_kept() -> None:
    found, kept, _ = run(plan(), Machine({}, {}))
    assert set(found.histogram_files) == set(kept.files)
    assert "dropped" not in kept.files


def test_the_tables_have_every_kind_and_say_what_was_not_held() -> None:
    found, _, _ = run(plan(), Machine({NeighbourKind.CPU: float("inf")}, {NeighbourKind.CPU: "cpus"}))
    assert undisturbed(found).row_count == 4
    assert table(found).row_count == len(KINDS) * 2
    assert bought(found).row_count == len(found.gains)
    cells = [str(cell) for column in table(found).columns for cell in column.cells]
    assert "not held (3 of 3)" in cells
    assert any("Without limits means within" in line for line in words(found))
    assert any("did not hold" in line for line in gaps(found))
