"""A closed load that goes on while its target is stopped, and counts what becomes of every request.

Plain threads over kept connections, since the question is what is lost and not how fast it goes. JSON lines on standard
output: `waiting`, `ready`, `steady` (the host may stop the target now), `result`.
"""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

from loadtests import contract
from loadtests.cases import Answer, Case
from loadtests.inside import examination
from loadtests.inside.orders import Orders
from loadtests.inside.watcher import say

CASES_PER_ENDPOINT = 16
MOST_EXAMPLES = 5
LONGEST_S = 900.0
"""However long a target takes to stop, the load ends then."""


@dataclass
class Fates:
    """What became of the requests; shared by all users, under a lock."""

    answered: int = 0
    wrong: int = 0
    lost: int = 0
    """Sent on a connection that was taken, and not answered whole."""
    lost_on_kept: int = 0
    """Of those, on a connection that had served before and was closed without a byte of an answer. Clients and proxies
    send such a request again by themselves where its method is idempotent (RFC 9110, 9.2.2)."""
    refused: int = 0
    """Never taken: nothing listened any more. A load balancer sends these elsewhere."""
    examples: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, **counts: int) -> None:
        """Add to the counts."""
        with self.lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def example(self, text: str) -> None:
        """Keep a fault's text, the first few of them."""
        with self.lock:
            if len(self.examples) < MOST_EXAMPLES:
                self.examples.append(text[:200])


class User:
    """One user: asks, waits for the answer, asks again; leaves at the first refused connection.

    Args:
        orders: port, mix and time limits.
        number: varies the inputs.
        fates: where what became of each request is counted.

    """

    def __init__(self, orders: Orders, number: int, fates: Fates) -> None:
        random = Random(orders.seed + number)  # noqa: S311 - inputs that vary, no secret
        mix = orders.journeys or contract.JOURNEYS
        dealt = [contract.case(name, random) for name in mix for _ in range(mix[name] * CASES_PER_ENDPOINT)]
        random.shuffle(dealt)
        self._cases = cycle(dealt)
        self._orders = orders
        self._fates = fates
        self._connection: http.client.HTTPConnection | None = None

    def go(self, until: float) -> None:
        """Ask until nothing listens any more, or the time is over (by `time.monotonic`)."""
        while time.monotonic() < until and self._one(next(self._cases)):
            pass
        self._close()

    def _one(self, case: Case) -> bool:
        kept = self._connection is not None
        try:
            connection = self._connected()
        except ConnectionRefusedError:
            self._fates.note(refused=1)
            return False
        except OSError as error:
            return self._lose(case, error, kept=False)
        began = False
        try:
            connection.request(case.method, case.target, body=case.body, headers=dict(case.request_headers))
            response = connection.getresponse()
            began = True
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return self._lose(case, error, kept=kept and not began and _closed(error))
        headers = {name.lower(): value for name, value in response.getheaders()}
        faults = case.faults(Answer(status=response.status, headers=headers, body=body))
        if faults:
            self._fates.example(faults[0])
            self._fates.note(wrong=1)
        else:
            self._fates.note(answered=1)
        if response.will_close:
            self._close()
        return True

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            fresh = http.client.HTTPConnection(
                examination.HOST, self._orders.port, timeout=self._orders.request_timeout_s
            )
            fresh.connect()
            self._connection = fresh
        return self._connection

    def _lose(self, case: Case, error: Exception, *, kept: bool) -> bool:
        self._close()
        self._fates.note(lost=1, lost_on_kept=int(kept))
        if not kept:
            self._fates.example(f"{case.method} {case.target[:80]}: {type(error).__name__}: {error}")
        return True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _closed(error: Exception) -> bool:
    """Say whether the server closed the connection, as opposed to taking too long or answering in no known language."""
    return isinstance(error, ConnectionResetError | BrokenPipeError | http.client.RemoteDisconnected)


def main() -> None:
    """Load, say when it is steady, go on until the target is gone, and tell what became of the requests."""
    orders = Orders.from_environment()
    say("waiting")
    ready = contract.case(contract.READY, Random(orders.seed))  # noqa: S311 - no secret
    first = examination.first_answer(orders.port, ready, time.monotonic() + orders.ready_timeout_s)
    say("ready", wrong=first.wrong, unanswered=first.unanswered)
    if first.wrong or first.unanswered:
        return
    fates = Fates()
    until = time.monotonic() + min(LONGEST_S, orders.warmup_s + orders.measure_s)
    users = [User(orders, number, fates) for number in range(orders.users)]
    threads = [threading.Thread(target=user.go, args=(until,), daemon=True) for user in users]
    for thread in threads:
        thread.start()
    time.sleep(orders.warmup_s)
    say("steady", answered=fates.answered, wrong=fates.wrong, lost=fates.lost)
    for thread in threads:
        thread.join(max(0.0, until + orders.request_timeout_s - time.monotonic()))
    say(
        "result", answered=fates.answered, wrong=fates.wrong, lost=fates.lost, lost_on_kept=fates.lost_on_kept,
        refused=fates.refused, examples=fates.examples, still_asking=sum(one.is_alive() for one in threads),
    )  # fmt: skip


if __name__ == "__main__":
    main()
