"""One load divided among processes is the same load, and what they noted adds up to what one would have noted."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Sequence
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import histograms
from loadtests.arrivals import due_times
from loadtests.inside import recorder
from loadtests.inside.dividing import arrivals_of, due_between, merged, users_of
from loadtests.inside.orders import Orders

LATENCIES = st.lists(st.integers(1, 10**7), max_size=40)


def encoded(latencies_us: Sequence[int]) -> str:
    return recorder.encoded(
        array("q", latencies_us), histograms.LOWEST_US, histograms.HIGHEST_US, histograms.SIGNIFICANT_DIGITS
    )


def part(latencies_us: Sequence[int], name: str = "/", failures: int = 0, **changed: Any) -> dict[str, Any]:
    return {
        "window_s": 5.0,
        "endpoints": {
            name: {
                "requests": len(latencies_us) + failures, "failures": failures, "latency": encoded(latencies_us),
                "service": None,
            }
        },
        "verified": 3, "unanswered": 1, "faults": [], "failure_examples": {}, "client": "lean", "cpu_seconds": 2.0,
        "looking_seconds": 0.5, "law_expected": 4, "law_found": 3.9,
    } | changed  # fmt: skip


@given(st.lists(LATENCIES, min_size=1, max_size=4))
def test_histograms_add_up_to_that_of_all_latencies_together(shares: list[list[int]]) -> None:
    total = merged([part(one) for one in shares])
    every = [latency for one in shares for latency in one]
    found = histograms.decode(total["endpoints"]["/"]["latency"].encode())
    alone = histograms.decode(encoded(every).encode())
    assert total["endpoints"]["/"]["requests"] == found.get_total_count() == len(every)
    assert histograms.percentiles(found) == histograms.percentiles(alone)


def test_counts_add_up_and_an_endpoint_that_one_process_alone_asked_is_kept() -> None:
    one = part([1000], failures=2, failure_examples={"refused": 2}, window_s=5.0, faults=["a"])
    other = part([2000, 3000], name="/io", failures=1, failure_examples={"refused": 1, "reset": 9}, window_s=5.2)
    total = merged([one, other])
    assert {name: (each["requests"], each["failures"]) for name, each in total["endpoints"].items()} == {
        "/": (3, 2),
        "/io": (3, 1),
    }
    assert total["window_s"] == pytest.approx(5.1)
    assert total["failure_examples"] == {"reset": 9, "refused": 3}
    assert total["faults"] == ["a"]
    assert (total["verified"], total["unanswered"], total["law_expected"]) == (6, 2, 8)
    assert total["processes"] == 2
    assert total["process_cpu_seconds"] == [2.0, 2.0]
    assert total["looking_seconds"] == 1.0
    assert "due" not in total


def test_the_offered_rate_is_that_of_all_processes() -> None:
    sums: dict[str, Any] = {"due": 100, "sent": 99, "backlog_begin": 1, "backlog_end": 2}
    total = merged([part([1], **sums), part([1], **sums)])
    assert (total["due"], total["sent"], total["backlog_begin"], total["backlog_end"]) == (200, 198, 2, 4)


@given(rate=st.floats(1, 5000), kind=st.sampled_from(["constant", "poisson"]), processes=st.integers(1, 8))
def test_processes_send_one_schedule_together(rate: float, kind: str, processes: int) -> None:
    orders = Orders(model="open", rate=rate, arrivals=kind, processes=processes, seed=7)
    together = heapq.merge(*(arrivals_of(orders, number) for number in range(processes)))
    assert list(islice(together, 200)) == list(islice(due_times(rate, kind, Random(7)), 200))


@given(rate=st.floats(1, 2000), processes=st.integers(1, 5), begin=st.floats(0, 2), length=st.floats(0, 2))
def test_what_was_due_is_divided_without_loss(rate: float, processes: int, begin: float, length: float) -> None:
    alone = Orders(model="open", rate=rate, arrivals="poisson", seed=3)
    shared = Orders(model="open", rate=rate, arrivals="poisson", seed=3, processes=processes)
    parts = [due_between(shared, begin, begin + length, number) for number in range(processes)]
    assert sum(parts) == due_between(alone, begin, begin + length)


@given(users=st.integers(1, 500), processes=st.integers(1, 16))
def test_users_are_dealt_out_in_turn(users: int, processes: int) -> None:
    dealt = [users_of(Orders(users=users, processes=processes), number) for number in range(processes)]
    assert sum(dealt) == users
    assert max(dealt) - min(dealt) <= 1
