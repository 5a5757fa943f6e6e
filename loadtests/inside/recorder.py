"""What the generator notes of each request, cheaply: a listener of Locust's `request` event, and what it sums up to.

Locust's own statistics round times of 100 ms and more to two digits, so they are not used: every latency is kept as an
integer of microseconds, and histograms are made of them when the load is over.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from gevent import getcurrent
from hdrh.histogram import HdrHistogram

from loadtests.cases import Answer, Case

US_PER_S = 1e6
MOST_EXAMPLES = 10


@dataclass
class Counts:
    """One endpoint's requests within the measured window; latencies are those of answers that were no failure."""

    latencies_us: array[int] = field(default_factory=lambda: array("q"))
    """Closed model: sending to last byte. Open model: from the moment the request was due."""
    service_us: array[int] = field(default_factory=lambda: array("q"))
    """Open model only: sending to last byte."""
    failures: int = 0


@dataclass
class Arrival:
    """One request of the open model; moments by `time.perf_counter`, None while it is not there."""

    due: float
    sent: float
    done: float | None = None
    failed: bool = False


class Recorder:
    """Counts what happens between `begin` and `end`; checks a share of the answers whole, all the time.

    Args:
        sample_share: share of the answers that are compared whole with the contract, 0 to 1.
        random: picks them.

    """

    def __init__(self, *, sample_share: float, random: Random) -> None:
        self.sample_share = sample_share
        self.random = random
        self.began: float | None = None
        self.ended: float | None = None
        self.counts: dict[str, Counts] = {}
        self.unanswered = 0
        """Failures within the window that were no answer at all: refused, reset, timed out."""
        self.verified = 0
        self.faults: list[str] = []
        self.failure_examples: Counter[str] = Counter()
        self.arrivals: list[Arrival] = []
        self.cycle_seconds = 0.0
        """Closed model: response times plus the time that each user spent between them, summed within the window."""
        self.longest_cycle = 0.0
        self.cycles_open: dict[int, float] = {}
        """Closed model: for each user, when its last request before the window's end had ended."""
        self.answered_late: set[int] = set()
        """Those of them whose next answer came after the window's end."""
        self._last_end: dict[int, float] = {}

    def begin(self) -> None:
        """Begin the measured window."""
        self.began = time.perf_counter()

    def end(self) -> None:
        """End the measured window."""
        self.ended = time.perf_counter()
        self.cycles_open = dict(self._last_end)

    def waiting(self) -> bool:
        """Say whether requests that were open at the window's end still have no answer."""
        if self.ended is None:
            return True
        if self.arrivals:
            return any(one.done is None for one in self.arrivals if one.sent < self.ended)
        return len(self.answered_late) < len(self.cycles_open)

    def on_request(
        self,
        name: str,
        response_time: float,
        exception: BaseException | None,
        context: Mapping[str, Any],
        response: Any,
        **_: Any,
    ) -> None:
        """Note one request; Locust calls this when its answer has come, or has failed to."""
        done = time.perf_counter()
        seconds = response_time / 1000
        arrival: Arrival | None = context.get("arrival")
        if arrival is not None:
            arrival.done, arrival.failed = done, exception is not None
        user = id(getcurrent())
        last_end = self._last_end.get(user, done - seconds)
        self._last_end[user] = done
        if self.began is not None and self.ended is None:
            self.cycle_seconds += done - max(last_end, self.began)
            self.longest_cycle = max(self.longest_cycle, done - last_end)
            counts = self.counts.get(name)
            if counts is None:
                counts = self.counts[name] = Counts()
            if exception is not None:
                counts.failures += 1
                self.unanswered += not getattr(response, "status_code", 0)
                self._keep_example(exception)
            elif arrival is None:
                counts.latencies_us.append(int(seconds * US_PER_S))
            else:
                counts.latencies_us.append(int((done - arrival.due) * US_PER_S))
                counts.service_us.append(int(seconds * US_PER_S))
        elif self.ended is not None and exception is None and user in self.cycles_open:
            self.answered_late.add(user)
        if exception is None and self.random.random() < self.sample_share:
            self._verify(context.get("case"), response, seconds)

    def _keep_example(self, exception: BaseException) -> None:
        text = str(exception)[:200] or type(exception).__name__
        if text in self.failure_examples or len(self.failure_examples) < MOST_EXAMPLES:
            self.failure_examples[text] += 1

    def _verify(self, case: Case | None, response: Any, seconds: float) -> None:
        if case is None:
            return
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(
            status=response.status_code, headers=headers, body=bytes(response.content or b""), seconds=seconds
        )
        self.verified += 1
        if len(self.faults) < MOST_EXAMPLES:
            self.faults.extend(case.faults(answer))


def window(recorder: Recorder) -> tuple[float, float]:
    """Return the measured window's two moments by `time.perf_counter`.

    Raises:
        RuntimeError: it has not begun or not ended.

    """
    if recorder.began is None or recorder.ended is None:
        raise RuntimeError("the measured window has not ended")
    return recorder.began, recorder.ended


def closed_law(recorder: Recorder) -> float:
    """Return the users that Little's law finds: throughput x (mean response time + mean time between requests).

    Each user is always in a request or between two, so this is the number of users, unless some of them hang or died.
    What reaches over the window's edges is counted with its part inside, so that a short window is as exact as a long
    one; what was open at the end counts only where its answer came in the grace after it.
    Source: Little (1961), in the operational form of Denning and Buzen (1978) for interactive systems.
    """
    began, ended = window(recorder)
    open_s = sum(ended - max(recorder.cycles_open[user], began) for user in recorder.answered_late)
    return (recorder.cycle_seconds + open_s) / (ended - began)


def open_law(recorder: Recorder) -> tuple[float, float]:
    """Return the mean number of requests in flight: as counted over the window, and as Little's law finds it.

    The second leaves out those that had no answer after the grace either; so the two part where requests hang.
    """
    began, ended = window(recorder)
    counted = found = 0.0
    for one in recorder.arrivals:
        inside = max(0.0, (ended if one.done is None else min(one.done, ended)) - max(one.due, began))
        counted += inside
        if one.done is not None and not (one.failed and one.done > ended):
            found += inside
    return counted / (ended - began), found / (ended - began)


def in_flight(recorder: Recorder, moment: float) -> int:
    """Return how many requests were sent and not yet answered at a moment."""
    return sum(1 for one in recorder.arrivals if one.sent <= moment and (one.done is None or one.done > moment))


def encoded(latencies_us: array[int], lowest: int, highest: int, digits: int) -> str:
    """Return an HdrHistogram of the latencies in its V2 compressed encoding (base64 text)."""
    histogram = HdrHistogram(lowest, highest, digits)
    for value, count in Counter(latencies_us).items():
        histogram.record_value(min(max(value, lowest), highest), count)
    return bytes(histogram.encode()).decode("ascii")
