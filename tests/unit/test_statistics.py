"""Intervals and ratios: known answers, properties, and the coverage that 95% promises."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import statistics
from harness.model import Interval

positive = st.floats(min_value=1e-3, max_value=1e6)
trials = st.lists(positive, min_size=2, max_size=12)


def test_a_mean_interval_has_the_textbook_answer() -> None:
    # t(0.975, 2) = 4.3027; mean 0, standard deviation 1, n = 3: half width 4.3027 / sqrt(3).
    interval = statistics.mean_interval([-1.0, 0.0, 1.0])
    assert interval.value == pytest.approx(0.0)
    assert interval.high == pytest.approx(2.4841, abs=1e-4)
    assert interval.low == pytest.approx(-2.4841, abs=1e-4)
    assert interval.n == 3


def test_positive_values_are_averaged_as_logarithms() -> None:
    interval = statistics.mean_interval([1.0, 10.0, 100.0])
    assert interval.value == pytest.approx(10.0)
    half = 4.30265 * math.log(10) / math.sqrt(3)
    assert interval.low == pytest.approx(10.0 * math.exp(-half), rel=1e-4)
    assert interval.high == pytest.approx(10.0 * math.exp(half), rel=1e-4)


def test_one_trial_has_a_value_and_no_interval() -> None:
    interval = statistics.mean_interval([3.0])
    assert interval.value == pytest.approx(3.0)
    assert (interval.low, interval.high, interval.n) == (None, None, 1)


@pytest.mark.parametrize("values", [[], [math.nan], [1.0, math.inf]], ids=["none", "nan", "infinite"])
def test_no_values_is_an_error_and_never_a_zero(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        statistics.mean_interval(values)


@given(trials)
def test_the_interval_holds_the_mean_and_stays_positive(values: list[float]) -> None:
    interval = statistics.mean_interval(values)
    assert interval.low is not None
    assert interval.high is not None
    assert 0 <= interval.low <= interval.value * (1 + 1e-9)
    assert interval.value <= interval.high * (1 + 1e-9)


@given(trials, positive)
def test_a_change_of_unit_changes_no_ratio(values: list[float], factor: float) -> None:
    other = [value * 1.5 for value in reversed(values)]
    plain = statistics.paired_ratio(dict(enumerate(values)), dict(enumerate(other)))
    scaled = statistics.paired_ratio(
        dict(enumerate(v * factor for v in values)), dict(enumerate(v * factor for v in other))
    )
    assert scaled.value == pytest.approx(plain.value, rel=1e-6)


@given(trials)
def test_the_ratio_of_the_shown_means_is_the_shown_ratio(values: list[float]) -> None:
    other = [value * 0.7 + 1 for value in reversed(values)]
    ratio = statistics.paired_ratio(dict(enumerate(values)), dict(enumerate(other)))
    shown = statistics.mean_interval(values).value / statistics.mean_interval(other).value
    assert ratio.value == pytest.approx(shown, rel=1e-6)


@given(trials)
def test_swapping_the_sides_turns_the_ratio_over(values: list[float]) -> None:
    a, b = dict(enumerate(values)), dict(enumerate(value * 2 + 1 for value in reversed(values)))
    forth, back = statistics.paired_ratio(a, b), statistics.paired_ratio(b, a)
    assert forth.value * back.value == pytest.approx(1.0)
    assert forth.significant == back.significant


def test_pairing_sees_a_small_difference_through_a_large_drift() -> None:
    drift = {1: 100.0, 2: 140.0, 3: 90.0, 4: 120.0}
    faster = {one: value * factor for (one, value), factor in zip(drift.items(), (0.9, 0.91, 0.89, 0.9), strict=True)}
    assert statistics.paired_ratio(faster, drift).significant is True
    assert statistics.unpaired_ratio(list(faster.values()), list(drift.values())).significant is False


def test_only_rounds_that_both_have_are_paired() -> None:
    ratio = statistics.paired_ratio({1: 2.0, 2: 2.0, 3: 2.0, 9: 500.0}, {1: 1.0, 2: 1.0, 3: 1.0, 8: 7.0})
    assert ratio.value == pytest.approx(2.0)
    assert "3 log ratios" in ratio.method


def test_two_rounds_give_a_ratio_without_a_judgement() -> None:
    ratio = statistics.paired_ratio({1: 2.0, 2: 2.1}, {1: 1.0, 2: 1.0})
    assert (ratio.low, ratio.high, ratio.significant) == (None, None, None)
    assert "too few" in ratio.method
    assert statistics.unpaired_ratio([1.0, 1.0], [2.0, 2.0, 2.0]).significant is None


def test_no_common_round_is_an_error() -> None:
    with pytest.raises(ValueError, match="no round"):
        statistics.paired_ratio({1: 1.0}, {2: 1.0})


def test_welch_has_the_textbook_answer() -> None:
    # exp of two samples with means 0 and 1, variances 1 and 1, n = 3 each: half width t(0.975, 4) * sqrt(2 / 3).
    ratio = statistics.unpaired_ratio([math.exp(v) for v in (-1.0, 0.0, 1.0)], [math.exp(v) for v in (0.0, 1.0, 2.0)])
    half = 2.77645 * math.sqrt(2 / 3)
    assert ratio.low == pytest.approx(math.exp(-1 - half), rel=1e-4)
    assert ratio.high == pytest.approx(math.exp(-1 + half), rel=1e-4)


def test_counted_values_differ_or_do_not() -> None:
    assert statistics.exact_ratio(58.0, 117.0).significant is True
    assert statistics.exact_ratio(58.0, 58.0).significant is False


def test_a_merged_value_beside_the_spread_widens_it() -> None:
    interval = statistics.around(50.0, [9.0, 10.0, 11.0])
    assert interval.value == 50.0
    assert interval.high == 50.0
    assert interval.low is not None
    assert interval.low < 9.0


def test_a_merged_ratio_beyond_one_is_not_called_significant() -> None:
    ratio = statistics.paired_ratio({1: 0.9, 2: 0.9, 3: 0.91}, {1: 1.0, 2: 1.0, 3: 1.0})
    assert ratio.significant is True
    assert statistics.with_value(ratio, 1.02, "merged").significant is False


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param((1.0, 2.0), (1.5, 3.0), True, id="they share values"),
        pytest.param((1.0, 2.0), (2.0, 3.0), True, id="they touch"),
        pytest.param((1.0, 2.0), (2.1, 3.0), False, id="they are apart"),
        pytest.param((None, None), (2.1, 3.0), None, id="one is no interval"),
    ],
)
def test_overlap(
    first: tuple[float | None, float | None], second: tuple[float | None, float | None], expected: bool | None
) -> None:
    a, b = (Interval(value=1.5, low=low, high=high, n=3) for low, high in (first, second))
    assert statistics.overlap(a, b) is expected
    assert statistics.overlap(b, a) is expected


@pytest.mark.parametrize("n", [3, 6], ids=["3 rounds", "6 rounds"])
def test_two_equal_variants_are_called_different_one_time_in_twenty(n: int) -> None:
    dice = random.Random(20)
    runs, wrong = 1500, 0
    for _ in range(runs):
        drift = [dice.gauss(0, 0.2) for _ in range(n)]
        a = {i: math.exp(d + dice.gauss(0, 0.05)) for i, d in enumerate(drift)}
        b = {i: math.exp(d + dice.gauss(0, 0.05)) for i, d in enumerate(drift)}
        wrong += statistics.paired_ratio(a, b).significant is True
    # 0.05 with a standard error of 0.0056: four of them on either side.
    assert 0.028 < wrong / runs < 0.073


@pytest.mark.parametrize("n", [3, 5], ids=["3 trials", "5 trials"])
def test_the_interval_holds_the_truth_nineteen_times_in_twenty(n: int) -> None:
    dice = random.Random(7)
    runs, held = 1500, 0
    for _ in range(runs):
        interval = statistics.mean_interval([100 * math.exp(dice.gauss(0, 0.1)) for _ in range(n)])
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= 100 <= interval.high
    assert 0.927 < held / runs < 0.973
