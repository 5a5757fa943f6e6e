"""Which side comes first: by chance, and each equally often."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loadtests.inside.slice_orders import in_order
from loadtests.slices import first_of


@given(st.integers(), st.integers(1, 1000))
def test_of_two_pairs_each_side_is_first_in_one(seed: int, block: int) -> None:
    assert {first_of(seed, 2 * block - 1), first_of(seed, 2 * block)} == {"a", "b"}


def test_chance_decides_in_which() -> None:
    counts = Counter(first_of(seed, index) for seed in range(50) for index in (1, 3, 5, 7))
    # 200 throws of a fair coin come out of 60 to 140 once in ten million times; these are always the same.
    assert 60 < counts["a"] < 140


def test_the_other_side_comes_after() -> None:
    assert in_order("a") == ("a", "b")
    assert in_order("b") == ("b", "a")
