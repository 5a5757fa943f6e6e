"""Ratios that travel between machines: as often wrong as promised, and able to see what is there."""

from __future__ import annotations

import random

import pytest

from harness.statistics import unpaired_ratio
from harness.travelling import counted_difference, difference, paired, ratio_of_ratios, unpaired

TRIES = 600


def run_of(dice: random.Random, machine: float, ours: float, rounds: int = 4) -> tuple[dict[int, float], ...]:
    """Return a variant's and the baseline variant's trials on a machine that drifts from round to round."""
    drift = [machine * dice.lognormvariate(0, 0.15) for _ in range(rounds)]
    return tuple(
        {number: true * drift[number] * dice.lognormvariate(0, 0.03) for number in range(rounds)}
        for true in (ours, 20.0)
    )


def called_different(slower: float, machine: float) -> float:
    dice, called = random.Random(7), 0
    for _ in range(TRIES):
        before, after = run_of(dice, 1.0, 10.0), run_of(dice, machine, 10.0 * slower)
        called += bool(ratio_of_ratios(paired(*after), paired(*before), "x").significant)
    return called / TRIES


def test_a_machine_of_another_speed_is_called_slower_one_time_in_twenty() -> None:
    assert 0.02 <= called_different(1.0, machine=1.9) <= 0.08


def test_a_slowdown_of_a_fifth_is_seen_on_another_machine() -> None:
    assert called_different(1.2, machine=0.6) > 0.9


def test_unpaired_trials_are_as_honest() -> None:
    dice, called = random.Random(3), 0
    for _ in range(TRIES):
        sides = [[scale * dice.lognormvariate(0, 0.1) for _ in range(5)] for scale in (10.0, 20.0, 17.0, 34.0)]
        found = ratio_of_ratios(unpaired(sides[2], sides[3]), unpaired(sides[0], sides[1]), "x")
        called += bool(found.significant)
    assert 0.02 <= called / TRIES <= 0.08


def test_the_value_is_the_ratio_of_the_ratios() -> None:
    ours, theirs = unpaired([30.0] * 3, [10.0] * 3), unpaired([8.0] * 3, [4.0] * 3)
    found = ratio_of_ratios(ours, theirs, "by hand")
    assert found.value == pytest.approx(1.5)
    assert found.low == pytest.approx(1.5)
    assert found.high == pytest.approx(1.5)
    assert found.significant is True
    assert found.method.startswith("by hand: Student's t on logarithms, unpaired, 3 and 3 trials")


def test_two_trials_are_too_few_to_judge() -> None:
    found = ratio_of_ratios(unpaired([3.0, 3.1], [1.0, 1.1, 1.2]), unpaired([3.0] * 3, [1.0] * 3), "x")
    assert (found.low, found.significant) == (None, None)
    assert "too few" in found.method


@pytest.mark.parametrize(
    ("ours", "theirs", "significant"),
    [
        pytest.param([3, 2, 4], [0, 0, 0], True, id="from none"),
        pytest.param([0, 1, 0], [0, 0, 0], False, id="one stray"),
        pytest.param([0, 0, 0], [0, 0, 0], False, id="none either time"),
        pytest.param([2, 2, 2], [0, 0, 0], True, id="without any scatter"),
        pytest.param([9, 9], [0, 0, 0], None, id="too few"),
    ],
)
def test_values_that_may_be_zero_have_a_difference(
    ours: list[float], theirs: list[float], significant: bool | None
) -> None:
    assert difference(ours, theirs).significant is significant


def test_a_count_differs_by_what_it_differs() -> None:
    assert counted_difference(3, 1).value == 2
    assert counted_difference(3, 3).significant is False


def test_it_is_less_sure_than_a_comparison_on_one_machine_and_never_surer() -> None:
    values = ([10.0, 10.5, 9.8, 10.2], [12.0, 12.4, 11.8, 12.1])
    direct = unpaired_ratio(values[1], values[0])
    reference = [20.0, 20.8, 19.6, 20.3]
    travelled = ratio_of_ratios(unpaired(values[1], reference), unpaired(values[0], reference), "x")
    assert direct.low is not None
    assert travelled.low is not None
    assert travelled.low < direct.low
