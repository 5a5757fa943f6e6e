"""What one comparison beside neighbours measures: its size, its arms, and the record that it begins with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import (
    Image,
    Interference,
    NeighbourCaps,
    NeighbourKind,
    NeighbourRow,
    NotMeasured,
    RunProfile,
    SmallestSet,
)
from loadtests import neighbour_sets
from loadtests.judging import Order
from loadtests.neighbour_limits import LIMITS, caps, limits_of, victim_limits
from loadtests.neighbour_rows import Arm
from loadtests.setting import Setting

OVERHEAD_S = 4.0
SLACK_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured.

    Args:
        name: `smoke`, `quick`, `full`.
        rounds: trials of each row.
        warmup_s: of each trial; the neighbour is at it from its beginning.
        measure_s: of each trial.
        shares: of the victim's capacity, that are offered.
        mixed_at: at which of these limits on one side only are tried too, beside none and those on both.
        single: whether each limit is tried alone, at the highest load; without it no smallest set is told.

    """

    name: str
    rounds: int
    warmup_s: float
    measure_s: float
    shares: tuple[float, ...] = (0.5, 0.8)
    mixed_at: tuple[float, ...] = (0.8,)
    single: bool = True


SIZES = {
    one.name: one
    for one in (
        Size(name="smoke", rounds=1, warmup_s=0.5, measure_s=1.0, shares=(0.8,), mixed_at=(), single=False),
        Size(name="quick", rounds=3, warmup_s=0.5, measure_s=1.5),
        Size(name="full", rounds=8, warmup_s=2.0, measure_s=6.0, mixed_at=(0.5, 0.8)),
    )
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One comparison.

    Args:
        image: the victim's.
        setting: how it is started, with the limits of its run profile, and on which cores.
        neighbour_profile: the run profile that the neighbour's limits come from.
        size: how much is measured.
        kinds: which neighbours.
        capacity_rps: the victim's.
        capacity_from: where that is from, in words.
        factor: what the smallest set of limits is to keep p99 within.
        machine_memory_bytes: the engine's machine's, of which the harness's own limits are a part.
        seed: orders the rounds and varies the inputs.
        known: how far an earlier attempt came.

    """

    image: Image
    setting: Setting
    neighbour_profile: RunProfile
    size: Size
    kinds: tuple[NeighbourKind, ...]
    capacity_rps: float
    capacity_from: str
    factor: float
    machine_memory_bytes: int
    seed: int
    known: Interference | None = None

    @property
    def caps(self) -> NeighbourCaps:
        """The harness's own limits."""
        return caps(self.machine_memory_bytes, self.size.warmup_s + self.size.measure_s + SLACK_S)


@dataclass(frozen=True, kw_only=True)
class NeighbourOrder(Order):
    """One trial of one row."""

    arm: str

    @property
    def id(self) -> str:
        """The trial's name, unique in a run."""
        return f"neighbours-{self.image.variant}-{self.arm}-r{self.round}-a{self.attempt}"


def grid(plan: Plan, limits: Sequence[str]) -> list[Arm]:
    """Return the undisturbed arms; every kind without limits, with limits on either and on both; single limits."""
    every, nothing = tuple(limits), ()
    found = []
    for share in plan.size.shares:
        sides: list[tuple[bool, tuple[str, ...]]] = [(False, nothing), (True, every)]
        if share in plan.size.mixed_at:
            sides[1:1] = [(True, nothing), (False, every)]
        found += [Arm(kind=None, share=share, victim_limited=limited) for limited in (False, True)]
        found += [
            Arm(kind=kind, share=share, victim_limited=limited, limits=chosen)
            for kind in plan.kinds
            for limited, chosen in sides
        ]
    if plan.size.single:
        found += [
            Arm(kind=kind, share=max(plan.size.shares), victim_limited=False, limits=(limit.name,), purpose="one limit")
            for kind in plan.kinds
            for limit in LIMITS
            if limit.name in limits and kind in limit.against
        ]
    return found


def confirming(plan: Plan, found: SmallestSet, rows: Sequence[NeighbourRow]) -> list[Arm]:
    """Return the arms that confirm a set of limits; none where the grid has it at every load, or there is no set."""
    there = {one.share for one in neighbour_sets.rows_under(rows, found, "grid")}
    if isinstance(found.limits, NotMeasured) or there == set(plan.size.shares):
        return []
    limited, chosen = found.victim_limited, found.limits
    arms = []
    for share in plan.size.shares:
        arms.append(Arm(kind=None, share=share, victim_limited=limited, purpose="smallest set"))
        arms += [
            Arm(kind=kind, share=share, victim_limited=limited, limits=chosen, purpose="smallest set")
            for kind in plan.kinds
        ]
    return arms


def steps(plan: Plan) -> int:
    """Return how many steps `run` announces: the trials of the grid that are not there yet."""
    return plan.size.rounds * len(grid(plan, [one.name for one in limits_of(plan.neighbour_profile, plan.caps)]))


def estimate_s(plan: Plan) -> float:
    """Return about how many seconds a step takes, for the user's patience only."""
    return plan.size.warmup_s + plan.size.measure_s + OVERHEAD_S


def begun(plan: Plan) -> Interference:
    """Return a new comparison, or the one that is there where it asks for the same."""
    new = Interference(
        variant=plan.image.variant,
        image_digest=plan.image.digest,
        run_profile=plan.setting.run_profile.name,
        finished=False,
        load_profile=plan.setting.load_profile.name,
        size=plan.size.name,
        capacity_rps=plan.capacity_rps,
        capacity_from=plan.capacity_from,
        shares=plan.size.shares,
        kinds=plan.kinds,
        rounds=plan.size.rounds,
        warmup_s=plan.size.warmup_s,
        measure_s=plan.size.measure_s,
        seed=plan.seed,
        victim_limits=victim_limits(plan.setting.run_profile),
        neighbour_profile=plan.neighbour_profile.name,
        neighbour_limits=limits_of(plan.neighbour_profile, plan.caps),
        caps=plan.caps,
        victim_cpus=plan.setting.cores.target,
        neighbour_cpus=plan.setting.cores.target,
        generator_cpus=plan.setting.cores.generator,
        factor=plan.factor,
        smallest=NotMeasured(not_measured="the comparison has not ended"),
        remarks=_remarks(plan),
    )
    known = plan.known
    apart = {"finished", "rows", "gains", "smallest", "remarks"}
    if known is None or known.model_dump(exclude=apart) != new.model_dump(exclude=apart):
        return new
    return known.model_copy(update={"finished": False})


def _remarks(plan: Plan) -> tuple[str, ...]:
    found = [f"The neighbour shares the victim's core, {plan.setting.cores.target}: the case in which it can do most."]
    if plan.setting.cores.shared:
        found.append("There is one core only: the generator shares it too, and is a victim as well.")
    return tuple(found)


def told(arm: Arm) -> str:
    """Return an arm in words."""
    beside = f"beside one that {arm.kind} ({', '.join(arm.limits) or 'no limits'})" if arm.kind else "undisturbed"
    return f"{beside} at {arm.share:.0%}, victim {'limited' if arm.victim_limited else 'free'}"
