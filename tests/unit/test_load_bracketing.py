"""The search for capacity finds a simulated server's, by steps that are allowed, and says when it cannot."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.bracketing import Ask, Found, Goal, OtherSearch, Outcome, Try, advise


def goal(**changed: float) -> Goal:
    return Goal(**({"tolerance": 0.05, "start_rps": 200.0} | changed))  # type: ignore[arg-type]


def searched(
    wanted: Goal, capacity: float, noise: float = 0.0, seed: int = 0, generator: float = math.inf
) -> tuple[Found, list[Try], list[Ask]]:
    """Search a simulated server whose limit moves from trial to trial, log-normally by `noise`."""
    random = Random(seed)
    tries: list[Try] = []
    asked: list[Ask] = []
    while isinstance(step := advise(wanted, tries), Ask):
        limit = capacity * math.exp(random.gauss(0, noise))
        outcome = Outcome.HELD if step.rate_rps <= limit else Outcome.MISSED
        if step.rate_rps > generator:
            outcome = Outcome.GENERATOR
        tries.append(Try(rate_rps=step.rate_rps, outcome=outcome))
        asked.append(step)
    return step, tries, asked


@given(
    capacity=st.floats(2, 40_000),
    start=st.floats(1, 50_000),
    tolerance=st.sampled_from([0.02, 0.05, 0.1, 0.3]),
)
def test_without_noise_the_capacity_lies_between_the_confirmed_rate_and_the_step_up(
    capacity: float, start: float, tolerance: float
) -> None:
    found, tries, asked = searched(goal(start_rps=start, tolerance=tolerance, most_trials=100), capacity)
    assert found.confirmed
    assert found.reason == ""
    assert found.rate_rps is not None
    assert found.step_up_rps is not None
    assert found.step_up_rps == pytest.approx(found.rate_rps * (1 + tolerance))
    assert found.rate_rps <= capacity < found.step_up_rps
    fresh = [one for one, ask in zip(tries, asked, strict=True) if ask.purpose == "confirm"]
    assert [one.outcome for one in fresh if one.rate_rps == found.rate_rps][-3:] == [Outcome.HELD] * 3
    above = [one for one, ask in zip(tries, asked, strict=True) if ask.purpose == "step up"]
    assert [one.outcome for one in above][-2:] == [Outcome.MISSED] * 2


@given(capacity=st.floats(2, 90_000), seed=st.integers(0, 10**6), noise=st.floats(0, 0.2))
def test_the_end_of_a_noisy_search_holds_what_it_says(capacity: float, seed: int, noise: float) -> None:
    wanted = goal()
    found, tries, asked = searched(wanted, capacity, noise, seed)
    assert len(tries) <= wanted.most_trials
    fresh = [
        t.outcome for t, a in zip(tries, asked, strict=True) if a.purpose == "confirm" and t.rate_rps == found.rate_rps
    ]
    if found.rate_rps is not None:
        assert any(fresh[at : at + 3] == [Outcome.HELD] * 3 for at in range(len(fresh)))
    if found.confirmed:
        assert found.step_up_rps is not None
        above = [t.outcome for t, a in zip(tries, asked, strict=True) if a.purpose == "step up"]
        assert above[-1] is Outcome.MISSED
        assert above[-3:].count(Outcome.MISSED) >= 2
    else:
        assert found.reason


@pytest.mark.parametrize(
    ("noise", "within", "settled"), [(0.0, 0.05, 200), (0.02, 0.09, 195), (0.05, 0.18, 190), (0.1, 0.3, 170)]
)
def test_a_noisy_search_is_seldom_far_off_and_mostly_settles(noise: float, within: float, settled: int) -> None:
    runs = [searched(goal(), 1234.5, noise, seed)[0] for seed in range(200)]
    confirmed = [found.rate_rps for found in runs if found.confirmed and found.rate_rps]
    assert len(confirmed) >= settled
    off = [abs(math.log(rate / 1234.5)) for rate in confirmed]
    assert sum(one <= within for one in off) >= 0.95 * len(off)


@given(capacity=st.floats(50, 5000), seed=st.integers(0, 1000))
def test_the_same_tries_give_the_same_step_so_a_stopped_search_goes_on(capacity: float, seed: int) -> None:
    _, tries, asked = searched(goal(), capacity, 0.05, seed)
    for number, ask in enumerate(asked):
        assert advise(goal(), tries[:number]) == ask


def test_a_search_that_starts_near_takes_few_trials() -> None:
    _, tries, _ = searched(goal(start_rps=700), 1000)
    assert len(tries) <= 12


def test_a_target_that_holds_nothing_has_no_capacity() -> None:
    found, tries, _ = searched(goal(least_rps=10), 3)
    assert (found.rate_rps, found.confirmed) == (None, False)
    assert "10" in found.reason
    assert len(tries) <= 7


def test_a_generator_at_its_end_gives_at_least() -> None:
    found, _, _ = searched(goal(), 50_000, generator=3000)
    assert found.at_least
    assert not found.confirmed
    assert "generator" in found.reason
    assert found.rate_rps is not None
    assert 3000 / 1.05**2 < found.rate_rps <= 3000


def test_the_search_ends_at_its_highest_rate() -> None:
    found, _, _ = searched(goal(most_rps=1000), 5000)
    assert (found.rate_rps, found.at_least, found.confirmed) == (1000, True, False)


def test_wrong_answers_end_it() -> None:
    found = advise(goal(), [Try(rate_rps=200, outcome=Outcome.WRONG)])
    assert isinstance(found, Found)
    assert (found.rate_rps, found.reason) == (None, "it answers wrongly")


def test_void_trials_are_made_again_and_then_given_up() -> None:
    void = Try(rate_rps=200, outcome=Outcome.VOID)
    assert advise(goal(), [void, void]) == Ask(rate_rps=200, purpose="search")
    found = advise(goal(), [void] * 3)
    assert isinstance(found, Found)
    assert "no measurement" in found.reason


def test_a_search_that_never_settles_ends_with_what_it_has_shown() -> None:
    """The candidate holds three times, the step above holds twice and then misses, for ever."""
    tries: list[Try] = []
    wanted = goal(start_rps=100, most_trials=60)
    base: float | None = None
    script = 0
    while isinstance(step := advise(wanted, tries), Ask):
        if step.purpose == "search":
            outcome = Outcome.HELD if step.rate_rps <= 1000 else Outcome.MISSED
        else:
            base = base or step.rate_rps
            above = step.rate_rps > base * 1.01
            outcome = Outcome.MISSED if above and step.purpose == "confirm" else Outcome.HELD
        script += 1
        tries.append(Try(rate_rps=step.rate_rps, outcome=outcome))
    assert len(tries) == 60
    assert not step.confirmed
    assert "60 trials" in step.reason
    assert step.rate_rps == base


def test_tries_of_another_search_are_not_taken_for_its_own() -> None:
    with pytest.raises(OtherSearch):
        advise(goal(), [Try(rate_rps=123, outcome=Outcome.HELD)])
