"""The generator of a sliced comparison: asks two servers in turn, in slices of some milliseconds, and times both."""

from __future__ import annotations

import gc
import json
import select
import statistics
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtests import contract
from loadtests.cases import Answer, Case
from loadtests.inside import examination
from loadtests.inside.lean import Client, Reply, headers_of
from loadtests.inside.machine import clock_offset, cpu_seconds
from loadtests.inside.slice_orders import SIDES, SliceOrders, in_order
from loadtests.inside.steps import CASES_PER_ENDPOINT, Step, steps_of
from loadtests.inside.stock import Stock

MOST_FAILURES = 20
"""After so many of one side there is nothing left to compare."""
MOST_EXAMPLES = 10
US_PER_S = 1e6
HOST_S = 30.0
QUANTILES = {"p50_ms": 0.5, "p75_ms": 0.75, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p99_9_ms": 0.999}


class Stopped(Exception):
    """One side no longer answers, or answers wrongly: there is nothing left to compare."""

    def __init__(self, side: Side, what: str) -> None:
        super().__init__(what)
        self.side = side.name


@dataclass
class Side:
    """One of the two servers, and what was noted of it."""

    name: str
    stock: Stock
    client: Client
    latencies_s: array[float] = field(default_factory=lambda: array("d"))
    """Sending (or connecting, on a fresh connection) to last byte, of the counted requests."""
    asked: int = 0
    """All requests of the measured time, those that open a slice and are not counted among them."""
    failures: int = 0
    verified: int = 0
    faults: list[str] = field(default_factory=list)
    examples: Counter[str] = field(default_factory=Counter)

    def forget(self) -> None:
        """Begin anew after the warm-up; what was wrong stays."""
        self.latencies_s = array("d")
        self.asked = 0


def main() -> None:
    """Do what the environment's orders say; always ends with exit code 0, since the events tell what happened."""
    orders = SliceOrders.from_environment()
    random = Random(orders.seed)  # noqa: S311 - inputs and an order, no secret
    stocks = {name: Stock(name, orders.request_timeout_s) for name in in_order(orders.first)}
    sides = {
        name: Side(name, stock, Client(stock, port=orders.port, connections=orders.connections))
        for name, stock in stocks.items()
    }
    either = list(sides.values())
    if not all([_ready(side, orders) for side in either]) or not _examined("before", either, orders, random):
        return
    result = compare(orders, [sides[name] for name in SIDES], random)
    if not result["stopped"]:
        _examined("after", either, orders, random)
    say("result", **result)


def compare(orders: SliceOrders, sides: Sequence[Side], random: Random) -> dict[str, Any]:
    """Warm up, measure, and return all slices and each side's latencies."""
    names = list(orders.endpoints or {contract.READY: 1})
    tasks = {name: steps_of(name, orders.port, random) for name in names}
    order = _order(orders.endpoints or {contract.READY: 1}, random)
    slices: list[tuple[float, ...]] = []
    stopped: dict[str, str] = {}
    # A collection in the middle of a slice would be charged to one side; nothing here makes cycles.
    gc.collect()
    gc.disable()
    clock, used, wall = clock_offset(), 0.0, 0.0
    try:
        _slices(orders, sides, tasks, order, random, orders.warmup_s, [])
        for side in sides:
            side.forget()
        say("measure-begin")
        wait_for_host()
        clock, used, wall = clock_offset(), cpu_seconds(), time.perf_counter()
        _slices(orders, sides, tasks, order, random, orders.measure_s, slices)
    except Stopped as error:
        stopped = {error.side: str(error)}
    used, wall = cpu_seconds() - used, time.perf_counter() - wall
    stepped = clock_offset() - clock
    say("measure-end")
    wait_for_host()
    gc.enable()
    return {
        "endpoints": names,
        "slices": slices,
        "sides": {side.name: _summary(side, orders) for side in sides},
        "wall_s": wall,
        "cpu_seconds": used,
        "clock_step_s": stepped,
        "stopped": stopped,
    }


def _slices(
    orders: SliceOrders, sides: Sequence[Side], tasks: dict[str, list[Step]], order: Iterator[str], random: Random,
    seconds: float, slices: list[tuple[float, ...]],
) -> None:  # fmt: skip
    """Do pairs of slices, in random order within each, until the time is over.

    Both slices of a pair ask one endpoint the same things. A row is: the endpoint's place, which side came first, and
    for each side the counted requests, the seconds that they took, and their median.
    """
    names = list(tasks)
    over = time.perf_counter() + seconds
    while time.perf_counter() < over:
        name = next(order)
        first = random.getrandbits(1)
        found = [(0, 0.0, 0.0), (0, 0.0, 0.0)]
        begin = random.randrange(CASES_PER_ENDPOINT)
        for place in (first, 1 - first):
            found[place] = one_slice(sides[place], tasks[name], begin, orders, random)
        slices.append((names.index(name), first, *found[0], *found[1]))


def one_slice(
    side: Side, tasks: Sequence[Step], begin: int, orders: SliceOrders, random: Random
) -> tuple[int, float, float]:
    """Ask one side for the length of a slice; return the counted requests, their seconds, and the median of these.

    The first request is not counted: it pays for the switch between the two, with cold caches and with what the other
    server still had to do after its last answer.
    """
    side.stock.fill()
    number, opening, taken = begin, True, array("d")
    over = time.perf_counter() + orders.slice_s
    while True:
        case, request = tasks[number % len(tasks)]
        number += 1
        side.asked += 1
        try:
            reply = side.client.ask(request)
        except BlockingIOError as error:
            what = f"{case.method} {case.target[:60]}: no answer within {orders.request_timeout_s:g} s"
            raise Stopped(side, what) from error
        except OSError as error:
            _failed(side, f"{case.method} {case.target[:60]}: {error or type(error).__name__}")
            continue
        if reply.status != case.status or reply.body != case.answer or random.random() < orders.sample_share:
            _verify(side, case, reply)
        if opening:
            opening = False
            continue
        taken.append(reply.ended - reply.began)
        side.latencies_s.append(reply.answered - reply.began)
        if reply.ended >= over or side.stock.low:
            return len(taken), sum(taken), statistics.median(taken)


def _failed(side: Side, what: str) -> None:
    side.failures += 1
    if what in side.examples or len(side.examples) < MOST_EXAMPLES:
        side.examples[what] += 1
    if side.failures >= MOST_FAILURES:
        raise Stopped(side, f"{side.failures} requests failed, the last with: {what}")


def _verify(side: Side, case: Case, reply: Reply) -> None:
    side.verified += 1
    seconds = reply.answered - reply.began
    answer = Answer(status=reply.status, headers=headers_of(reply.head), body=reply.body, seconds=seconds)
    side.faults.extend(case.faults(answer))
    if len(side.faults) >= MOST_EXAMPLES:
        raise Stopped(side, "it answers wrongly")


def _order(weights: dict[str, int], random: Random) -> Iterator[str]:
    names = [name for name, weight in weights.items() for _ in range(weight)]
    random.shuffle(names)
    return cycle(names)


def _summary(side: Side, orders: SliceOrders) -> dict[str, Any]:
    # Exact, and not read from the histogram: its steps of a microsecond are half a percent of a quick answer.
    ranked = sorted(side.latencies_s)
    histogram = HdrHistogram(orders.lowest_us, orders.highest_us, orders.significant_digits)
    for value, count in Counter(round(one * US_PER_S) for one in ranked).items():
        histogram.record_value(min(max(value, orders.lowest_us), orders.highest_us), count)
    latency = {
        name: 1e3 * ranked[min(len(ranked) - 1, int(q * len(ranked)))] for name, q in QUANTILES.items() if ranked
    }
    if ranked:
        latency |= {"max_ms": 1e3 * ranked[-1], "mean_ms": 1e3 * sum(ranked) / len(ranked)}
    return {
        "counted": len(ranked),
        "asked": side.asked,
        "failures": side.failures,
        "failure_examples": dict(side.examples),
        "faults": side.faults,
        "verified": side.verified,
        "connections": side.client.opened,
        "latency": latency,
        "histogram": bytes(histogram.encode()).decode("ascii"),
    }


def _ready(side: Side, orders: SliceOrders) -> bool:
    deadline = time.monotonic() + orders.ready_timeout_s
    case = contract.case(contract.READY, Random(0))  # noqa: S311 - no secret
    found = examination.first_answer(orders.port, case, deadline, side.stock.opened)
    say("ready", side=side.name, wrong=found.wrong, unanswered=found.unanswered)
    return not found.wrong and not found.unanswered


def _examined(when: str, sides: Sequence[Side], orders: SliceOrders, random: Random) -> bool:
    right = True
    for side in sides:
        cases = contract.examination(random)
        found = examination.examine(orders.port, cases, orders.request_timeout_s, side.stock.opened)
        say("contract", when=when, side=side.name, **vars(found))
        right = right and not found.wrong and not found.unanswered
    return right


def wait_for_host() -> None:
    """Ask nothing until the host has read both cgroups, and says so in a line."""
    select.select([sys.stdin], [], [], HOST_S)
    sys.stdin.readline()


def say(event: str, **what: Any) -> None:
    """Tell the host one thing, in a line, at once."""
    sys.stdout.write(json.dumps({"event": event, **what}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
