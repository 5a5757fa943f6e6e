"""Figures are written in three significant digits, in the unit that suits their size."""

from __future__ import annotations

import pytest

from harness import figures
from harness.model import Interval, NotMeasured, Ratio

TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0.0, "s", "0 s"),
        (0.29, "s", "0.290 s"),
        (0.0731, "s", "73.1 ms"),
        (12.3456, "s", "12.3 s"),
        (0.2963, "ms", "296 µs"),
        (9.0, "ms", "9 ms"),
        (10.351, "ms", "10.4 ms"),
        (99.96, "ms", "100 ms"),
        (250.0, "ms", "250 ms"),
        (12_500.0, "ms", "12.5 s"),
        (5_602.4, "req/s", "5,602 req/s"),
        (0.0, "bytes", "0 B"),
        (999, "bytes", "999 B"),
        (43_012_345, "bytes", "43.0 MB"),
        (999_900, "bytes", "1.0 MB"),
        (1_204_000_000, "bytes", "1.2 GB"),
        (0.0213, "share", "2.13%"),
        (1, "findings", "1 finding"),
        (7, "findings", "7 findings"),
        (0.0, "findings", "0 findings"),
        (1e-6, "", "1e-06"),
    ],
    ids=lambda value: str(value),
)
def test_figure(value: float, unit: str, written: str) -> None:
    assert figures.figure(value, unit) == written


def test_an_interval_says_how_many_trials_it_rests_on() -> None:
    assert figures.interval(Interval(value=10, low=9, high=11, n=3), "ms") == "10 ms (9 ms to 11 ms, n = 3)"
    assert figures.interval(Interval(value=10, low=None, high=None, n=1), "ms") == "10 ms (n = 1, so no interval)"
    assert figures.interval(Interval(value=3, low=3, high=3, n=1), "layers") == "3 layers"


@pytest.mark.parametrize(
    ("value", "significant", "written"),
    [
        (0.355, True, "0.35"),
        (1.02, False, "~1.02"),
        (3.2, None, "?3.20"),
        (34.6, True, "34.6"),
        (0.026, True, "0.026"),
    ],
)
def test_a_ratio_carries_its_mark(value: float, significant: bool | None, written: str) -> None:
    assert (
        figures.ratio(Ratio(value=value, low=None, high=None, significant=significant, method=""))
        == f"{written}{TIMES}"
    )


def test_no_ratio_is_no_number() -> None:
    assert figures.ratio(NotMeasured(not_measured="it was not loaded")) == "-"


@pytest.mark.parametrize(
    ("value", "trials", "written"),
    [
        (100, (97, 101, 104), "±4%"),
        (100, (99.6, 100.3), "±0.4%"),
        (100, (100, 100), "±0%"),
        (100, (1, 5000), "±>999%"),
        (100, (100,), "1 trial"),
        (100, (), ""),
        (0, (0, 1), ""),
    ],
)
def test_a_spread_is_the_farthest_trial_in_percent(value: float, trials: tuple[float, ...], written: str) -> None:
    assert figures.spread(value, trials) == written
