"""A race of configurations up a ladder of rates: who misses a rung twice is out; the last ones are searched. Pure.

A whole search for capacity of every configuration would take hours; a race spends its trials on those that stay in it.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from random import Random

from loadtests.bracketing import OtherSearch, Outcome

STRIDE = 1.5
"""The step up for as long as everybody holds."""
STEP_UP = 1.15
STEP_DOWN = 1.5
CHANCES = 2
FINALISTS = 2
VOID_TRIALS = 2


@dataclass(frozen=True, kw_only=True)
class Heat:
    """One trial to make, or one that was made: who, and at which rate."""

    name: str
    rate_rps: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a heat came to; `p99_ms` is infinite where it was not measured."""

    heat: Heat
    outcome: Outcome
    p99_ms: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Finish:
    """The end of a race: who is left, best first, and the highest rung that they held; nobody where none held any."""

    names: tuple[str, ...]
    rate_rps: float | None


Race = Generator[Heat, Run, Finish]


def next_heat(
    names: Sequence[str], runs: Sequence[Run], *, start_rps: float, least_rps: float, seed: int
) -> Heat | Finish:
    """Return the next trial to make, or who is left. The same runs always give the same answer.

    Args:
        names: the configurations.
        runs: what was run so far, in order.
        start_rps: the first rung; where nobody holds it, lower ones follow.
        least_rps: where it is given up.
        seed: orders each rung.

    Raises:
        OtherSearch: a heat was run that this race would not have asked for at that point.

    """
    race = _race(tuple(names), start_rps, least_rps, seed)
    try:
        heat = next(race)
        for run in runs:
            same = run.heat.name == heat.name and math.isclose(run.heat.rate_rps, heat.rate_rps, rel_tol=1e-9)
            if not same:
                raise OtherSearch(f"{run.heat} was run where {heat} would have been")
            heat = race.send(run)
    except StopIteration as end:
        finish: Finish = end.value
        return finish
    return heat


def _race(names: tuple[str, ...], start_rps: float, least_rps: float, seed: int) -> Race:
    standing, rate, passed, step = names, start_rps, None, STRIDE
    best: dict[str, float] = {}
    for rung in range(1, 1000):
        order = list(standing)
        Random(f"{seed}/{rung}").shuffle(order)  # noqa: S311 - an order, no secret
        held: dict[str, float] = {}
        for name in order:
            p99_ms = yield from _chances(Heat(name=name, rate_rps=rate))
            if p99_ms is not None:
                held[name] = p99_ms
        if held:
            step = step if len(held) == len(standing) else STEP_UP
            best, passed = held, rate
            standing = tuple(sorted(held, key=lambda name: held[name]))
            if len(standing) <= FINALISTS:
                break
            rate *= step
        elif passed is not None and step == STRIDE:
            rate, step = passed * STEP_UP, STEP_UP
        elif passed is not None:
            break
        else:
            rate /= STEP_DOWN
            if rate < least_rps:
                return Finish(names=(), rate_rps=None)
    return Finish(names=tuple(sorted(best, key=lambda name: best[name]))[:FINALISTS], rate_rps=passed)


def _chances(heat: Heat) -> Generator[Heat, Run, float | None]:
    """Return p99 of the first of two trials that holds; None where none does."""
    missed = void = 0
    while missed < CHANCES:
        run = yield heat
        if run.outcome is Outcome.HELD:
            return run.p99_ms
        if run.outcome is Outcome.WRONG:
            return None
        if run.outcome is Outcome.VOID and void < VOID_TRIALS:
            void += 1
            continue
        missed += 1
    return None
