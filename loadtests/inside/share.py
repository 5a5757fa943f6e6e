"""One process's share of a trial's load: its Locust environment, what it notes in the window, and its sums."""

from __future__ import annotations

# Locust replaces parts of the standard library by gevent's: it has to be the first to import them.
import locust.env  # isort: skip
import time
from array import array
from random import Random
from typing import Any

import gevent

from loadtests.inside import recorder
from loadtests.inside.dividing import due_between, users_of
from loadtests.inside.examination import HOST
from loadtests.inside.machine import apart, cpu_seconds
from loadtests.inside.orders import Orders
from loadtests.inside.polling import Polling
from loadtests.inside.recorder import Recorder
from loadtests.locustfile import Arrivals, ClosedUser, Deck

LEAST_GRACE_S = 1.0
"""How long a request that was open at the window's end may still take; one that takes longer hangs."""
GRACE_POLL_S = 0.005


class Share:
    """What one Locust process does of a trial.

    Args:
        orders: the trial's.
        number: of the process, from 0.

    """

    def __init__(self, orders: Orders, number: int = 0) -> None:
        self.orders = orders
        self.number = number
        self.kind = kind_of(orders)
        self.kind.host = f"http://{HOST}:{orders.port}"
        random = Random(orders.seed + 1 + number)  # noqa: S311 - which answers are verified, no secret
        self.notes = Recorder(sample_share=orders.sample_share, random=random)
        self.epoch: float | None = None
        """Open model: when the schedule begins, by `time.perf_counter`; None: when it is asked for."""
        self.polling = Polling() if orders.model == "closed" and apart(orders.target_cpus) else None
        """None: the target would pay for it; or the model is open, whose arrivals keep their own time."""
        self._cpu_s = 0.0
        self._looked_s = 0.0
        self.environment = locust.env.Environment(user_classes=[self.kind])
        self.environment.deck = Deck(orders, number)  # type: ignore[attr-defined]
        self.environment.orders = orders  # type: ignore[attr-defined]
        self.environment.share = self  # type: ignore[attr-defined]
        self.environment.events.request.add_listener(self.notes.on_request)  # type: ignore[no-untyped-call]

    def arrivals_begin(self) -> float:
        """Return when the schedule of arrivals begins; from now on it has begun."""
        if self.epoch is None:
            self.epoch = time.perf_counter()
        return self.epoch

    def begin(self) -> None:
        """Begin the measured window."""
        self._cpu_s, self._looked_s = self._worked(), self._looked()
        self.notes.begin()

    def end(self) -> None:
        """End the measured window."""
        self.notes.end()
        self._cpu_s, self._looked_s = self._worked() - self._cpu_s, self._looked() - self._looked_s

    def _worked(self) -> float:
        """Return this process's CPU seconds, without those in which it only looked for answers."""
        return cpu_seconds() - self._looked()

    def _looked(self) -> float:
        return 0.0 if self.polling is None else self.polling.spent

    def settle(self) -> None:
        """Wait for the answers to what was open at the window's end, as long as they may take."""
        grace = time.monotonic() + max(LEAST_GRACE_S, 2 * self.notes.longest_cycle)
        while self.notes.waiting() and time.monotonic() < grace:
            gevent.sleep(GRACE_POLL_S)

    def summary(self) -> dict[str, Any]:
        """Return what was noted in the window, ready for JSON; `dividing.merged` adds several up."""
        orders, notes = self.orders, self.notes
        began, ended = recorder.window(notes)
        found: dict[str, Any] = {
            "window_s": ended - began,
            "endpoints": {
                name: {
                    "requests": len(counts.latencies_us) + counts.failures,
                    "failures": counts.failures,
                    "latency": _encoded(orders, counts.latencies_us),
                    "service": _encoded(orders, counts.service_us) if orders.model == "open" else None,
                }
                for name, counts in notes.counts.items()
            },
            "verified": notes.verified,
            "unanswered": notes.unanswered,
            "faults": notes.faults,
            "failure_examples": dict(notes.failure_examples),
            "client": self.kind.client_name,
            "cpu_seconds": self._cpu_s,
            "looking_seconds": self._looked_s,
        }
        if orders.model == "open":
            counted, law = recorder.open_law(notes)
            start = self.arrivals_begin()
            return found | {
                "law_expected": counted,
                "law_found": law,
                "due": due_between(orders, began - start, ended - start, self.number),
                "sent": sum(1 for one in notes.arrivals if began <= one.sent < ended),
                "backlog_begin": recorder.in_flight(notes, began),
                "backlog_end": recorder.in_flight(notes, ended),
            }
        return found | {"law_expected": users_of(orders, self.number), "law_found": recorder.closed_law(notes)}


def kind_of(orders: Orders) -> type[Arrivals] | type[ClosedUser]:
    """Return the class of a trial's users."""
    return Arrivals if orders.model == "open" else ClosedUser


def _encoded(orders: Orders, latencies_us: array[int]) -> str:
    return recorder.encoded(latencies_us, orders.lowest_us, orders.highest_us, orders.significant_digits)
