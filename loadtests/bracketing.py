"""The search for a variant's capacity: from what was tried so far to the next rate to try. Pure.

A rate is held or missed. Doubling or halving finds a rate that holds and one that does not; bisection on a log scale
narrows them to the tolerance. One trial is moved by chance, so the search's own trials are then not believed: the
candidate has to hold in three fresh trials, and the next step up to miss in two of three; else the candidate moves.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

GROWTH = 2.0
FRESH_TRIALS = 3
STEP_UP_MISSES = 2

Purpose = Literal["search", "confirm", "step up"]


class Outcome(StrEnum):
    """What one trial said of its rate."""

    HELD = "held"
    MISSED = "missed"
    GENERATOR = "beyond the generator"
    """The generator was the bottleneck: the rate was not really offered."""
    VOID = "void"
    """The trial says nothing of the rate; it is made again."""
    WRONG = "wrong answers"
    """The target breaks its contract: no rate of it would mean anything."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is searched, and how far. Rates in requests a second.

    Args:
        tolerance: the size of a step, as a share: 0.05 for steps of 5%.
        start_rps: the first rate.
        least_rps: where it gives up.
        most_rps: what is never gone beyond.
        most_trials: how many trials it may take.
        repeats: how many void trials in a row it bears.

    """

    tolerance: float
    start_rps: float
    least_rps: float = 1.0
    most_rps: float = 100_000.0
    most_trials: int = 40
    repeats: int = 2


@dataclass(frozen=True, kw_only=True)
class Try:
    """One trial that was made."""

    rate_rps: float
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Ask:
    """The next trial to make."""

    rate_rps: float
    purpose: Purpose


@dataclass(frozen=True, kw_only=True)
class Found:
    """The end of a search. `rate_rps` is the highest rate that held in three fresh trials; None where none did."""

    rate_rps: float | None
    step_up_rps: float | None = None
    """The next step up, which missed in two of three."""
    confirmed: bool = False
    at_least: bool = False
    """The generator, not the target, ended the search."""
    reason: str = ""
    """Why it is not confirmed."""


class OtherSearch(ValueError):
    """The trials that are there are not those of this search."""


Search = Generator[Ask, Outcome, Found]


def advise(goal: Goal, tries: Sequence[Try]) -> Ask | Found:
    """Return the next trial to make, or what the search came to. The same tries always give the same answer.

    Raises:
        OtherSearch: a rate was tried that this search would not have asked for at that point.

    """
    known = _Known()
    search = _search(goal, known)
    try:
        ask = next(search)
        void = 0
        for one in tries:
            if not math.isclose(one.rate_rps, ask.rate_rps, rel_tol=1e-9):
                raise OtherSearch(f"{one.rate_rps:g} was tried where {ask.rate_rps:g} would have been")
            if one.outcome is Outcome.WRONG:
                return Found(rate_rps=None, reason="it answers wrongly")
            if one.outcome is Outcome.VOID:
                void += 1
                if void > goal.repeats:
                    return replace(known.best(), reason=f"{void} trials in a row gave no measurement")
                continue
            void = 0
            ask = search.send(one.outcome)
    except StopIteration as end:
        found: Found = end.value
        return found
    if len(tries) >= goal.most_trials:
        return replace(known.best(), reason=f"not settled after {len(tries)} trials")
    return ask


@dataclass
class _Known:
    """What a search has shown so far, for the case that it is not brought to its end."""

    proven_rps: float | None = None

    def best(self) -> Found:
        return Found(rate_rps=self.proven_rps)


def _search(goal: Goal, known: _Known) -> Search:
    below, above = yield from _bracket(goal)
    if below is None:
        return Found(rate_rps=None, reason=f"not even {goal.least_rps:g} requests a second were held")
    while above / below > 1 + goal.tolerance:
        middle = math.sqrt(below * above)
        held = (yield Ask(rate_rps=middle, purpose="search")) is Outcome.HELD
        below, above = (middle, above) if held else (below, middle)
    return (yield from _confirm(goal, below, known))


def _bracket(goal: Goal) -> Generator[Ask, Outcome, tuple[float | None, float]]:
    """Return the highest rate that held, None where none did, and the lowest that did not."""
    rate, below, above = min(max(goal.start_rps, goal.least_rps), goal.most_rps), 0.0, math.inf
    while True:
        if (yield Ask(rate_rps=rate, purpose="search")) is Outcome.HELD:
            below = rate
            if rate >= goal.most_rps:
                return rate, rate
            rate = min(rate * GROWTH, goal.most_rps)
        else:
            above = rate
            if rate <= goal.least_rps:
                return None, rate
            rate = max(rate / GROWTH, goal.least_rps)
        if below and above < math.inf:
            return below, above


def _confirm(goal: Goal, base: float, known: _Known) -> Search:
    """Move the candidate by steps until it holds in three fresh trials and the step above it does not.

    Candidates are base * step**number, so that a way up and down comes back to the very same rates.
    """
    step, number = 1 + goal.tolerance, 0
    proven: set[int] = set()
    while True:
        rate, up = base * step**number, base * step ** (number + 1)
        if rate < goal.least_rps:
            return Found(rate_rps=None, reason=f"no rate from {goal.least_rps:g} up held in three fresh trials")
        if number not in proven:
            if not (yield from _all_hold(rate)):
                number -= 1
                continue
            proven.add(number)
            known.proven_rps = rate
        known.proven_rps = rate
        if up > goal.most_rps:
            return Found(rate_rps=rate, at_least=True, reason=f"the search ends at {goal.most_rps:g} requests a second")
        verdict = yield from _most_miss(up)
        if verdict is Outcome.GENERATOR:
            return Found(rate_rps=rate, at_least=True, reason=f"the generator could not offer {up:.4g} a second")
        if verdict is Outcome.MISSED:
            return Found(rate_rps=rate, step_up_rps=up, confirmed=True)
        number += 1


def _all_hold(rate: float) -> Generator[Ask, Outcome, bool]:
    for _ in range(FRESH_TRIALS):
        if (yield Ask(rate_rps=rate, purpose="confirm")) is not Outcome.HELD:
            return False
    return True


def _most_miss(rate: float) -> Generator[Ask, Outcome, Outcome]:
    """Return what two of at most three trials say."""
    said: list[Outcome] = []
    while True:
        said.append((yield Ask(rate_rps=rate, purpose="step up")))
        for outcome in (Outcome.GENERATOR, Outcome.MISSED, Outcome.HELD):
            if said.count(outcome) >= STEP_UP_MISSES:
                return outcome
        if len(said) >= FRESH_TRIALS:
            # One of each: the generator is at its end too, so the step up says nothing of the target.
            return Outcome.GENERATOR
