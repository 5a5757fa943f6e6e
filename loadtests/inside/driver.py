"""One trial inside the generator's container: wait, verify, warm up, measure, verify; JSON lines on standard output."""

from __future__ import annotations

# Locust replaces parts of the standard library by gevent's: it has to be the first to import them.
import locust.env  # noqa: F401  # isort: skip
import json
import logging
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from loadtests import contract
from loadtests.cores import cpu_list
from loadtests.inside import examination
from loadtests.inside.crew import Crew, until
from loadtests.inside.dividing import merged
from loadtests.inside.examination import Findings
from loadtests.inside.machine import clock_offset, core_busy_seconds
from loadtests.inside.orders import Orders
from loadtests.inside.share import Share

TOLD_EVERY_S = 1.0
"""A line a second costs the generator a ten thousandth of its core."""


def main() -> None:
    """Do what the environment's orders say; always ends with exit code 0, since the events tell what happened."""
    # Locust logs every task's exception; the container's standard error is kept with the trial.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    orders = Orders.from_environment()
    crew = Crew(orders) if orders.processes > 1 else None
    random = Random(orders.seed)  # noqa: S311 - inputs that vary, no secret
    say("waiting")
    ready = contract.case(contract.READY, random)
    first = examination.first_answer(orders.port, ready, time.monotonic() + orders.ready_timeout_s)
    say("ready", wrong=first.wrong, unanswered=first.unanswered)
    if first.wrong or first.unanswered:
        return
    before = examination.examine(orders.port, contract.examination(random), orders.request_timeout_s)
    say_findings("before", before)
    if before.wrong or before.unanswered:
        return
    result = load(orders, crew)
    after = examination.examine(orders.port, contract.examination(random), orders.request_timeout_s)
    say_findings("after", after)
    say("result", **result)


def load(orders: Orders, crew: Crew | None) -> dict[str, Any]:
    """Warm up and measure with Locust; return the counts, encoded histograms and sums of the measured window."""
    machine = Machine(orders, crew)
    say("warm-up")
    parts = [_alone(orders, machine)] if crew is None else crew.load(machine.watch)
    return merged(parts) | machine.found


class Machine:
    """What this machine did in the measured window, beside the load; and the host is told of its edges."""

    def __init__(self, orders: Orders, crew: Crew | None = None) -> None:
        self.found: dict[str, float | None] = {}
        self.answered: Callable[[], int] | None = None if crew is None else lambda: crew.answered
        """Counts the answers so far, for who waits; None: nobody counts."""
        self._core = min(cpu_list(orders.target_cpus))

    def begin(self) -> None:
        """Take the first readings."""
        say("measure-begin")
        self._clock, self._busy = clock_offset(), core_busy_seconds(self._core)

    def end(self) -> None:
        """Take the last ones."""
        stepped, before, after = clock_offset() - self._clock, self._busy, core_busy_seconds(self._core)
        say("measure-end")
        busy = None if before is None or after is None else after - before
        self.found = {"clock_step_s": stepped, "core_busy_s": busy}

    def watch(self, begin: float, end: float) -> None:
        """Take readings at two moments by `time.perf_counter`, and return after the second."""
        until(begin)
        self.begin()
        self.wait(end)
        self.end()

    def wait(self, end: float) -> None:
        """Wait for the window's end, and tell the host once in a while how many answers have come since it was told."""
        before = self.answered() if self.answered else 0
        while self.answered and time.perf_counter() + TOLD_EVERY_S < end:
            began = time.perf_counter()
            until(began + TOLD_EVERY_S)
            now = self.answered()
            say("so-far", answers=now - before, seconds=time.perf_counter() - began)
            before = now
        until(end)


def _alone(orders: Orders, machine: Machine) -> dict[str, Any]:
    """Load from this process alone."""
    share = Share(orders)
    runner = share.environment.create_local_runner()
    users = 1 if orders.model == "open" else orders.users
    runner.start(users, spawn_rate=users)
    until(time.perf_counter() + orders.warmup_s)
    machine.begin()
    share.begin()
    machine.answered = lambda: sum(len(one.latencies_us) for one in share.notes.counts.values())
    machine.wait(time.perf_counter() + orders.measure_s)
    share.end()
    machine.end()
    share.settle()
    runner.quit()
    return share.summary()


def say_findings(when: str, findings: Findings) -> None:
    """Tell the host what an examination found."""
    say("contract", when=when, verified=findings.verified, wrong=findings.wrong, unanswered=findings.unanswered)


def say(event: str, **what: Any) -> None:
    """Tell the host one thing, and when by the engine's clock, in a line, at once."""
    sys.stdout.write(json.dumps({"event": event, "at": time.time(), **what}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
