"""The user journeys for Locust: closed users that ask without a pause, and arrivals at a fixed rate.

`python -m loadtests.inside.driver` runs both. Closed users run by hand too:
`locust -f loadtests/locustfile.py ClosedUser`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import cycle
from random import Random
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.lock import Semaphore
from gevent.pool import Group
from locust import User, constant, task

from loadtests import contract
from loadtests.inside.dividing import arrivals_of
from loadtests.inside.lean import Client, Reply
from loadtests.inside.orders import Orders
from loadtests.inside.patient import Fresh
from loadtests.inside.recorder import Arrival
from loadtests.inside.steps import Step, steps_of
from loadtests.inside.timer import Timer

FAILED_STATUS = 400
MOST_AT_ONCE = 4096
"""Connections of the open model that may be in use at once, so that the generator keeps within its open files. What
waits for one waits within its response time; the model itself has no limit."""


class WrongStatus(Exception):
    """An answer whose status says that the request failed."""


class Deck:
    """Cases of every endpoint of the mix, dealt by weight, each with its request as it goes over the wire.

    Args:
        orders: names the mix and the seed.
        number: of the process; each varies the inputs in its own way.

    """

    def __init__(self, orders: Orders, number: int = 0) -> None:
        random = Random(orders.seed + number)  # noqa: S311 - inputs that vary, no secret
        mix = orders.journeys or contract.JOURNEYS
        self._steps: dict[str, Iterator[Step]] = {}
        for name, weight in mix.items():
            if weight > 0:
                self._steps[name] = cycle(steps_of(name, orders.port, random))
        names = [name for name in self._steps for _ in range(mix[name])]
        random.shuffle(names)
        self._names = cycle(names)

    def deal(self) -> Step:
        """Return the next step. A shuffled deck of the weights goes round, so that every trial has the same mix."""
        return next(self._steps[next(self._names)])


class Journeys(User):
    """Takes the steps of the mix by the lean client; what came of each is left to the recorder."""

    abstract = True
    host = "http://127.0.0.1:5000"
    wait_time = constant(0)
    client_name = "lean"
    """What sends the requests, as a trial's record has it."""

    @cached_property
    def orders(self) -> Orders:
        """The trial's; where it is run by hand, those of the environment, and the port of Locust's own `--host`."""
        found = getattr(self.environment, "orders", None)
        if isinstance(found, Orders):
            return found
        by_hand = Orders.from_environment()
        return replace(by_hand, port=urlsplit(self.host or "").port or by_hand.port)

    @cached_property
    def deck(self) -> Deck:
        """The cases, shared by all users of a process."""
        shared = getattr(self.environment, "deck", None)
        return shared if isinstance(shared, Deck) else Deck(self.orders)

    def ask(self, client: Client, **context: Any) -> bool:
        """Send the next request, tell Locust's listeners of its answer, and return whether there was one."""
        case, request = self.deck.deal()
        began = time.perf_counter()
        reply: Reply | None = None
        failure: Exception | None = None
        try:
            reply = client.ask(request)
            seconds = reply.answered - reply.began
            if reply.status >= FAILED_STATUS:
                failure = WrongStatus(f"{case.endpoint}: status {reply.status}")
        except OSError as error:
            seconds, failure = time.perf_counter() - began, error
        self.environment.events.request.fire(
            request_type=case.method,
            name=case.endpoint,
            response_time=seconds * 1e3,
            response_length=0 if reply is None else len(reply.body),
            exception=failure,
            context={"case": case, **context},
            response=reply,
        )
        return reply is not None


class ClosedUser(Journeys):
    """Asks, waits for the answer, and asks again at once: as many of these as the load profile says."""

    @task
    def journey(self) -> None:
        """Take one step of the mix after the other, until Locust stops this user."""
        share = getattr(self.environment, "share", None)
        source = Fresh(self.orders.request_timeout_s, share and share.polling)
        client = Client(source, port=self.orders.port, waits=False)
        while True:
            if not self.ask(client):
                # A refusal comes at once: without this, no other user would ever get its turn.
                gevent.sleep(0)


class Arrivals(Journeys):
    """The open model: one user that lets a greenlet go at each moment at which a request is due."""

    @task
    def arrive(self) -> None:
        """Send requests at their due times, until Locust stops this user.

        Where several processes share the arrivals, each sends every so many of the one schedule, from one start on.
        """
        share = self.environment.share
        client = Client(Fresh(self.orders.request_timeout_s), port=self.orders.port, connections=None, waits=False)
        timer, going, doors = Timer(), Group(), Semaphore(MOST_AT_ONCE)
        start = share.arrivals_begin()
        try:
            for offset in arrivals_of(self.orders, share.number):
                timer.wait_until(start + offset)
                going.spawn(self._one, client, doors, start + offset, share.notes.arrivals.append)
        finally:
            # Those that a saturated target still owes would keep it busy while its answers are verified afterwards.
            going.kill(block=False)
            timer.close()

    def _one(self, client: Client, doors: Semaphore, due: float, note: Callable[[Arrival], None]) -> None:
        arrival = Arrival(due=due, sent=time.perf_counter())
        note(arrival)
        with doors:
            self.ask(client, arrival=arrival)
