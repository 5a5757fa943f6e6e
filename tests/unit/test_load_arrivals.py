"""Arrivals of the open model: the rate is held, and a seed gives the same moments."""

from __future__ import annotations

from itertools import islice, pairwise, takewhile
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals import due_times

rates = st.floats(min_value=0.01, max_value=10_000, allow_nan=False)


@given(rate=rates, kind=st.sampled_from(["constant", "poisson"]), seed=st.integers())
def test_moments_grow_and_a_seed_gives_the_same(rate: float, kind: str, seed: int) -> None:
    one, other = (list(islice(due_times(rate, kind, Random(seed)), 50)) for _ in range(2))
    assert one == other
    assert one[0] >= 0
    assert all(a < b for a, b in pairwise(one))


@given(rate=rates)
def test_constant_arrivals_do_not_drift(rate: float) -> None:
    moments = list(islice(due_times(rate, "constant", Random(0)), 10_001))
    assert moments[10_000] == pytest.approx(10_000 / rate, rel=1e-12)


def test_poisson_gaps_are_exponential() -> None:
    moments = list(islice(due_times(500, "poisson", Random(3)), 40_000))
    gaps = [b - a for a, b in pairwise(moments)]
    assert fmean(gaps) == pytest.approx(1 / 500, rel=0.02)
    # The mean and the standard deviation of an exponential distribution are the same.
    assert pstdev(gaps) == pytest.approx(1 / 500, rel=0.03)


def test_poisson_counts_vary_as_they_should() -> None:
    moments = takewhile(lambda due: due < 400, due_times(50, "poisson", Random(4)))
    counts = [0] * 400
    for due in moments:
        counts[int(due)] += 1
    assert fmean(counts) == pytest.approx(50, rel=0.03)
    assert pstdev(counts) ** 2 == pytest.approx(50, rel=0.25)


@pytest.mark.parametrize(("rate", "kind"), [(0, "constant"), (-1, "poisson"), (float("nan"), "poisson"), (1, "x")])
def test_what_is_no_rate_or_kind_is_refused(rate: float, kind: str) -> None:
    with pytest.raises(ValueError, match=r"rate|arrivals"):
        due_times(rate, kind, Random(0))
