"""Several Locust processes for one load, one a core: Locust's own master and workers, forked as its `--processes` does.

All share the monotonic clock, so the master names the moments at which the window begins and ends, and each worker
keeps them by itself. What they noted comes back in messages of Locust's.
"""

from __future__ import annotations

# Locust replaces parts of the standard library by gevent's: it has to be the first to import them.
import locust.env  # isort: skip
import os
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import gevent

from loadtests.inside.examination import HOST
from loadtests.inside.orders import Orders
from loadtests.inside.share import LEAST_GRACE_S, Share, kind_of

AHEAD_S = 0.2
"""So long before a moment the workers are told of it."""
JOIN_S = 30.0
POLL_S = 0.005
EPOCH, WINDOW, DONE = "seatrial-epoch", "seatrial-window", "seatrial-done"


class Crew:
    """The workers as their master has them; they wait, doing nothing, until the load begins.

    Made before this process has done anything else: what is forked must not have begun to wait for events.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._doors = [self._forked(number) for number in range(orders.processes)]
        self._parts: dict[int, dict[str, Any]] = {}
        self._environment: locust.env.Environment | None = None

    @property
    def answered(self) -> int:
        """How many answers the workers have told of so far, by Locust's own count; they do so every few seconds."""
        total = None if self._environment is None else self._environment.stats.total
        return 0 if total is None else total.num_requests - total.num_failures

    def _forked(self, number: int) -> int:
        inner, door = os.pipe()
        if os.fork() == 0:
            os.close(door)
            code = 1
            try:
                _work(self._orders, number, inner)
                code = 0
            except Exception:
                # What is kept with the trial says why a process is missing.
                traceback.print_exc()
            finally:
                # Nothing of the parent's is this process's to end.
                os._exit(code)
        os.close(inner)
        return door

    def load(self, window: Callable[[float, float], None]) -> Sequence[dict[str, Any]]:
        """Warm up and measure with all of them; return each one's summary, in the order of their numbers.

        Args:
            window: called when the load runs, with the moments by `time.perf_counter` at which the window will begin
                and end; returns when it has ended.

        Raises:
            RuntimeError: a worker did not come, or gave no result.

        """
        orders = self._orders
        environment = self._environment = locust.env.Environment(user_classes=[kind_of(orders)])
        master = environment.create_master_runner(HOST, 0)
        master.register_message(DONE, self._note)
        for door in self._doors:
            os.write(door, str(master.server.port).encode())
            os.close(door)
        _wait_for(lambda: len(master.clients.ready) == orders.processes, JOIN_S, "joined the load")
        epoch = time.perf_counter() + AHEAD_S
        master.send_message(EPOCH, {"at": epoch})
        users = orders.processes if orders.model == "open" else orders.users
        master.start(users, spawn_rate=users)
        begin = max(epoch + orders.warmup_s, time.perf_counter() + AHEAD_S)
        master.send_message(WINDOW, {"begin": begin, "end": begin + orders.measure_s})
        window(begin, begin + orders.measure_s)
        patience = JOIN_S + LEAST_GRACE_S + 2 * (orders.request_timeout_s + orders.warmup_s + orders.measure_s)
        _wait_for(lambda: len(self._parts) == orders.processes, patience, "gave its result")
        master.quit()
        return [self._parts[number] for number in sorted(self._parts)]

    def _note(self, environment: Any, msg: Any) -> None:
        self._parts[int(msg.data["number"])] = msg.data["summary"]


def until(moment: float) -> None:
    """Let others go on until a moment by `time.perf_counter`."""
    gevent.sleep(max(0.0, moment - time.perf_counter()))


def _work(orders: Orders, number: int, inner: int) -> None:
    """Be one worker, until its master quits or is gone."""
    port = os.read(inner, 16)
    if not port:
        return
    share = Share(orders, number)
    worker = share.environment.create_worker_runner(HOST, int(port))

    def begin_arrivals(environment: Any, msg: Any) -> None:
        share.epoch = msg.data["at"]

    def measure(environment: Any, msg: Any) -> None:
        until(msg.data["begin"])
        share.begin()
        until(msg.data["end"])
        share.end()
        share.settle()
        worker.send_message(DONE, {"number": number, "summary": share.summary()})

    worker.register_message(EPOCH, begin_arrivals)
    worker.register_message(WINDOW, measure, concurrent=True)
    worker.greenlet.join()


def _wait_for(reached: Callable[[], bool], patience_s: float, what: str) -> None:
    deadline = time.monotonic() + patience_s
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not every process of the generator has {what} within {patience_s:g} s")
        gevent.sleep(POLL_S)
