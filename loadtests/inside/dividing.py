"""How one load is divided among processes, and what they noted of it added up: never averages of percentiles. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from random import Random
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtests.arrivals import due_times
from loadtests.inside.orders import Orders

SUMS = ("verified", "unanswered", "cpu_seconds", "looking_seconds", "law_expected", "law_found")
OPEN_SUMS = ("due", "sent", "backlog_begin", "backlog_end")
"""Of the open model only."""


def users_of(orders: Orders, number: int) -> int:
    """Return how many of the closed users a process has, as Locust's dispatcher deals them out: in turn."""
    whole, rest = divmod(orders.users, orders.processes)
    return whole + (number < rest)


def arrivals_of(orders: Orders, number: int) -> Iterator[float]:
    """Yield the seconds at which a process's requests are due: every so many of the one schedule, without end."""
    schedule = due_times(orders.rate or 0, orders.arrivals, Random(orders.seed))  # noqa: S311 - no secret
    return islice(schedule, number, None, orders.processes)


def due_between(orders: Orders, begin_s: float, end_s: float, number: int = 0) -> int:
    """Return how many requests a process's schedule had in a span: asked of the schedule, not of what was sent."""
    return sum(1 for due in takewhile(lambda due: due < end_s, arrivals_of(orders, number)) if due >= begin_s)


def merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sum of what each process noted.

    Args:
        parts: at least one; each has the keys of `share.Share.summary`.

    Returns:
        The same keys, with `processes` and `process_cpu_seconds` beside them. The window is the mean of the processes'
        windows, which begin and end at the same moments but for their event loops' delays.

    """
    first = parts[0]
    names = dict.fromkeys(name for part in parts for name in part["endpoints"])
    examples: Counter[str] = Counter()
    for part in parts:
        examples.update(part["failure_examples"])
    sums = SUMS + (OPEN_SUMS if "due" in first else ())
    return {name: sum(part[name] for part in parts) for name in sums} | {
        "window_s": sum(part["window_s"] for part in parts) / len(parts),
        "endpoints": {
            name: _endpoint([part["endpoints"][name] for part in parts if name in part["endpoints"]]) for name in names
        },
        "faults": [fault for part in parts for fault in part["faults"]],
        "failure_examples": dict(examples.most_common()),
        "client": first["client"],
        "processes": len(parts),
        "process_cpu_seconds": [part["cpu_seconds"] for part in parts],
    }


def _endpoint(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "requests": sum(part["requests"] for part in parts),
        "failures": sum(part["failures"] for part in parts),
        "latency": _added([part["latency"] for part in parts]),
        "service": None if parts[0]["service"] is None else _added([part["service"] for part in parts]),
    }


def _added(encoded: Sequence[str]) -> str:
    """Add up histograms in HdrHistogram's V2 encoding: the distribution of all their values together."""
    total, *others = [HdrHistogram.decode(one.encode("ascii")) for one in encoded]
    for other in others:
        total.add(other)
    return bytes(total.encode()).decode("ascii")
