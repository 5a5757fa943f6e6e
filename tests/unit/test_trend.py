"""Growth is told from chance: exact on straight lines, honest on noise that hangs together, silent on too little."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness import trend
from harness.model import Interval, NotMeasured

NOWHERE = NotMeasured(not_measured="a test")


def noise(random: Random, count: int, alike: float) -> list[float]:
    """Make autoregressive noise; with 1.0 a random walk."""
    found = [random.gauss(0, 1 if alike == 1 else 1 / math.sqrt(1 - alike**2))]
    while len(found) < count:
        found.append(alike * found[-1] + random.gauss(0, 1))
    return found


@given(
    gradient=st.floats(-1e6, 1e6), offset=st.floats(-1e9, 1e9), count=st.integers(10, 500), step=st.floats(0.01, 100)
)
def test_a_straight_line_has_its_own_slope(gradient: float, offset: float, count: int, step: float) -> None:
    xs = [number * step for number in range(count)]
    found = trend.slope(xs, [offset + gradient * x for x in xs])
    # What rounding at that offset can move: some units in the last place over the length of the line.
    scale = max(abs(gradient), abs(offset) / (count * step) * 1e-6, 1e-6)
    assert isinstance(found, Interval)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(gradient, abs=1e-6 * scale)


def test_white_noise_gives_the_textbook_interval() -> None:
    random = Random(3)
    ys = noise(random, 20, 0.0)
    found = trend.slope(list(range(20)), ys)
    known = stats.linregress(range(20), ys)
    residuals = [y - known.intercept - known.slope * x for x, y in enumerate(ys)]
    assert math.fsum(a * b for a, b in pairwise(residuals)) < 0, "else it is widened"
    assert isinstance(found, Interval)
    assert found.value == pytest.approx(known.slope)
    assert found.high == pytest.approx(known.slope + known.stderr * stats.t.ppf(0.975, 18))


@pytest.mark.parametrize(("alike", "most"), [(0.0, 0.08), (0.5, 0.08), (0.9, 0.09), (0.98, 0.10), (1.0, 0.13)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(alike: float, most: float) -> None:
    random, missed, runs = Random(11), 0, 300
    for _ in range(runs):
        ys = [5.0 * x + y for x, y in enumerate(noise(random, 240, alike))]
        found = trend.slope(list(range(240)), ys)
        if isinstance(found, Interval) and found.low is not None and found.high is not None:
            missed += not found.low <= 5.0 <= found.high
    assert missed / runs <= most


def whole_and_later(ys: list[float]) -> bool | None:
    xs, middle = list(range(len(ys))), len(ys) // 2
    return trend.grows(trend.slope(xs, ys), trend.slope(xs[middle:], ys[middle:]))


@pytest.mark.parametrize("alike", [0.0, 0.9, 1.0])
def test_what_does_not_grow_is_hardly_ever_called_a_leak(alike: float) -> None:
    random = Random(5)
    called = sum(whole_and_later(noise(random, 240, alike)) is True for _ in range(200))
    assert called <= 6


@pytest.mark.parametrize(("alike", "count"), [(0.0, 240), (0.5, 240), (0.9, 2400)])
def test_a_leak_of_twenty_times_the_noise_shows(alike: float, count: int) -> None:
    random, called = Random(7), 0
    for _ in range(100):
        deviation = 1 if alike == 0 else 1 / math.sqrt(1 - alike**2)
        ys = [20 * deviation * x / count + y for x, y in enumerate(noise(random, count, alike))]
        called += whole_and_later(ys) is True
    assert called >= 95


def test_a_leak_that_memory_takes_in_steps_shows() -> None:
    assert whole_and_later([float(number // 16) for number in range(240)]) is True


def test_what_fills_up_once_is_no_leak() -> None:
    random = Random(9)
    ys = [50 * (1 - math.exp(-x / 40)) + y for x, y in enumerate(noise(random, 240, 0.0))]
    assert whole_and_later(ys) is False


@pytest.mark.parametrize(
    ("xs", "ys", "said"),
    [
        ([1.0] * 9, [1.0] * 9, "too few"),
        ([1.0] * 20, [float(n) for n in range(20)], "same place"),
    ],
)
def test_too_little_gives_no_slope(xs: list[float], ys: list[float], said: str) -> None:
    found = trend.slope(xs, ys)
    assert isinstance(found, NotMeasured)
    assert said in found.not_measured


def test_a_slow_wave_is_no_growth() -> None:
    assert whole_and_later([math.sin(n / 8) for n in range(40)]) is False


def test_what_is_not_measured_cannot_be_judged() -> None:
    flat = Interval(value=0, low=-1, high=1, n=20)
    assert trend.grows(NOWHERE, flat) is None
    assert trend.grows(flat, NOWHERE) is None
    assert trend.grows(flat, flat) is False


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="a y for each x"):
        trend.slope([1.0], [])
