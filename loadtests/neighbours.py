"""A victim under an open load beside neighbours on its core, in interleaved rounds, with and without limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from harness.engine.client import Engine
from harness.locks import measuring
from harness.model import (
    Interference,
    LoadTrial,
    NeighbourKind,
    NeighbourRow,
    NeighbourTrial,
    NotMeasured,
    Progress,
    SmallestSet,
)
from loadtests import journeys, neighbour_sets, trial
from loadtests.inside.neighbour_orders import NeighbourOrders
from loadtests.judging import ALL, Measured, Order
from loadtests.neighbour_beside import Neighbour
from loadtests.neighbour_limits import DISK_FILE_BYTES, neighbour_profile, victim_profile
from loadtests.neighbour_plan import NeighbourOrder, Plan, begun, confirming, grid, told
from loadtests.neighbour_rows import Arm, gains, judged, row
from loadtests.setting import Setting

REPEATS = 2
WAIT_S = 120.0


class NeighbourStore(Protocol):
    """Where a comparison is kept as it goes."""

    def write_answer(self, answer: Interference, /) -> None:
        """Keep the comparison as far as it is."""

    def write_histogram(self, name: str, data: bytes, /) -> None:
        """Keep one encoded histogram."""

    def write_log(self, name: str, text: str, /) -> None:
        """Keep what a victim printed that did not hold."""

    def histogram(self, name: str, /) -> bytes:
        """Return one encoded histogram."""


TrialRunner = Callable[[Order, Setting, Engine, Neighbour | None], Measured]


def run_trial(order: Order, setting: Setting, engine: Engine, neighbour: Neighbour | None) -> Measured:
    """Make one trial, beside a neighbour if there is one."""
    return trial.run(order, setting, engine, beside=neighbour)


def run(
    plan: Plan, *, engine: Engine, store: NeighbourStore, progress: Progress, run_one: TrialRunner = run_trial
) -> Interference:
    """Make every trial that is not there yet; the comparison is kept after each.

    Args:
        plan: the comparison.
        engine: where.
        store: takes it after each trial.
        progress: a step a trial; those that confirm the smallest set are not announced.
        run_one: makes one trial.

    Raises:
        UsageError: a limit lies above the harness's own, or the load profile names a journey that is not there.
        SeatrialError: the engine failed; what was measured is kept.

    """
    work = _Work(plan, begun(plan), engine, store, progress, run_one)
    journeys.check(engine, plan.setting.generator_image, plan.setting.load_profile)
    names = [one.name for one in work.found.neighbour_limits]
    arms = grid(plan, names)
    work.rounds(arms)
    rows = work.rows(arms)
    smallest: SmallestSet | NotMeasured = NotMeasured(not_measured=f"the size {plan.size.name} tries no limit alone")
    if plan.size.single:
        smallest = neighbour_sets.smallest(rows, plan.kinds, names, plan.factor)
        more = confirming(plan, smallest, rows)
        work.rounds(more)
        rows = [*rows, *work.rows(more)]
        if not isinstance(smallest.limits, NotMeasured):
            under = neighbour_sets.rows_under(rows, smallest, "smallest set" if more else "grid")
            smallest = neighbour_sets.confirmed(smallest, under)
    whole = work.found.model_copy(
        update={"finished": True, "rows": tuple(rows), "gains": gains(rows, names), "smallest": smallest}
    )
    store.write_answer(whole)
    return whole


class _Work:
    """A comparison in progress: its trials by arm, and where they go."""

    def __init__(
        self,
        plan: Plan,
        found: Interference,
        engine: Engine,
        store: NeighbourStore,
        progress: Progress,
        run_one: TrialRunner,
    ) -> None:
        self.plan, self.found = plan, found
        self._engine, self._store, self._progress, self._run_one = engine, store, progress, run_one
        self._trials: dict[str, list[NeighbourTrial]] = {one.id: list(one.trials) for one in found.rows}
        self._rows = {one.id: one for one in found.rows}

    def rounds(self, arms: Sequence[Arm]) -> None:
        """Make what is missing of each round; in each the loads take turns, and the arms of a load a random order."""
        for round_ in range(1, self.plan.size.rounds + 1):
            missing = [one for one in self._order(arms, round_) if not self._settled(one, round_)]
            self._progress.advance(len(arms) - len(missing))
            if missing:
                with measuring(self._progress.step):
                    self._round(missing, round_)

    def rows(self, arms: Sequence[Arm]) -> list[NeighbourRow]:
        """Return the rows of arms, in their order, each set against the whole of its undisturbed one."""
        return [self._row(arm) for arm in arms]

    def _order(self, arms: Sequence[Arm], round_: int) -> list[Arm]:
        # Rows of one load are compared with each other, so they are made close together.
        random = Random(f"{self.plan.seed}/neighbours/{round_}")  # noqa: S311 - an order, no secret
        shares = list(dict.fromkeys(one.share for one in arms))
        random.shuffle(shares)
        order = []
        for share in shares:
            mine = [one for one in arms if one.share == share]
            random.shuffle(mine)
            order += mine
        return order

    def _settled(self, arm: Arm, round_: int) -> bool:
        had = [one for one in self._trials.get(arm.id, ()) if one.trial.round == round_]
        # Undisturbed, a rate that was not held is no neighbour's doing, and made again as any invalid trial is.
        again = {"void"} if arm.kind is not None else {"void", "not held"}
        return any(one.outcome not in again for one in had) or len(had) > REPEATS

    def _round(self, missing: Sequence[Arm], round_: int) -> None:
        for attempt in range(REPEATS + 1):
            for arm in missing:
                if self._settled(arm, round_):
                    continue
                had = self._trials.setdefault(arm.id, [])
                self._progress.step(f"{self.plan.image.variant}: {told(arm)}, round {round_}")
                before = sum(one.trial.round == round_ for one in had)
                had.append(self._one(arm, round_, before + 1))
                self._rows[arm.id] = self._row(arm)
                self.found = self.found.model_copy(update={"rows": tuple(self._rows.values())})
                self._store.write_answer(self.found)
                if attempt == 0:
                    self._progress.advance()

    def _row(self, arm: Arm) -> NeighbourRow:
        return row(
            arm,
            self._trials.get(arm.id, ()),
            self._trials.get(arm.baseline or "", ()),
            offered_rps=arm.share * self.plan.capacity_rps,
            histogram=self._store.histogram,
        )

    def _one(self, arm: Arm, round_: int, attempt: int) -> NeighbourTrial:
        plan = self.plan
        order = NeighbourOrder(
            image=plan.image, model="open", round=round_, attempt=attempt, arm=arm.id,
            # Within a round every arm is asked the same.
            seed=Random(f"{plan.seed}/neighbours/{round_}/{attempt}").randrange(2**31),  # noqa: S311 - no secret
        )  # fmt: skip
        usual = plan.setting.load_profile
        profile = usual.model_copy(
            update={
                "users": None,
                "rate": arm.share * plan.capacity_rps,
                "warmup_s": plan.size.warmup_s,
                "measure_s": plan.size.measure_s,
                # A neighbour is no stranger on the core: what others took is judged here, its own share left out.
                "foreign_share_max": usual.foreign_share_max if arm.kind is None else 1.0,
            }
        )
        setting = dataclasses.replace(
            plan.setting,
            load_profile=profile,
            run_profile=victim_profile(plan.setting.run_profile, plan.caps, limited=arm.victim_limited),
        )
        beside = None if arm.kind is None else neighbour(plan, self._engine, arm.kind, arm.limits)
        measured = self._run_one(order, setting, self._engine, beside)
        one = only_whole(measured.trial)
        for name in one.histograms.values():
            self._store.write_histogram(name, measured.histograms[name])
        seen, began = (None, True) if beside is None else (beside.seen(), beside.began)
        found = judged(one, seen, usual.foreign_share_max, began=began)
        if found.outcome != "held":
            self._store.write_log(f"{order.id}.log", measured.log)
        return found


def neighbour(plan: Plan, engine: Engine, kind: NeighbourKind, limits: tuple[str, ...]) -> Neighbour:
    """Return a neighbour of one kind under some limits, to be started beside a trial."""
    own = plan.caps
    return Neighbour(
        engine=engine,
        image=plan.setting.generator_image,
        kind=kind,
        limits=limits,
        profile=neighbour_profile(limits, plan.neighbour_profile, own),
        cpuset=plan.setting.cores.target,
        orders=NeighbourOrders(
            kind=kind.name.lower(),
            seconds=own.seconds,
            wait_s=WAIT_S,
            memory_bytes=own.asked_memory_bytes,
            processes=own.processes,
            busy_processes=own.busy_processes,
            sockets=own.sockets,
            file_bytes=min(DISK_FILE_BYTES, own.file_bytes),
            written_bytes=own.written_bytes,
            connections=own.flood_connections,
            port=plan.setting.port,
        ),
    )


def only_whole(one: LoadTrial) -> LoadTrial:
    """Return a trial with the figures of all endpoints together: of so many trials, those of each are not kept."""
    files = {name: file for name, file in one.histograms.items() if name == ALL}
    return one.model_copy(update={"histograms": files, "endpoints": {}})
