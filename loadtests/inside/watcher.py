"""Watches a port from inside its namespace: prints a line at the first correct answer, and one when nothing listens."""

from __future__ import annotations

import json
import socket
import sys
import time
from random import Random

from loadtests import contract
from loadtests.cases import Case
from loadtests.inside import examination
from loadtests.inside.orders import Orders

POLL_S = 0.002
DOWN_POLL_S = 0.01
ANSWER_TIMEOUT_S = 5.0


def main() -> None:
    """Tell of ups and downs, for ever: the host kills the container."""
    port = Orders.from_environment().port
    case = contract.case(contract.READY, Random(0))  # noqa: S311 - no secret
    say("watching")
    while True:
        wait_up(port, case)
        wait_down(port)
        say("down")


def wait_up(port: int, case: Case) -> None:
    """Return at the first correct answer; tell of wrong ones, once each."""
    told: set[str] = set()
    while True:
        if listens(port):
            findings = examination.examine(port, [case], ANSWER_TIMEOUT_S)
            if findings.verified and not findings.wrong:
                say("up")
                return
            new = [fault for fault in findings.wrong if fault not in told]
            told.update(new)
            if new:
                say("wrong", wrong=new)
        time.sleep(POLL_S)


def wait_down(port: int) -> None:
    """Return when nothing listens any more."""
    while listens(port):
        time.sleep(DOWN_POLL_S)


def listens(port: int) -> bool:
    """Say whether a connection is taken; a refused one on the loopback costs next to nothing."""
    with socket.socket() as probe:
        probe.settimeout(ANSWER_TIMEOUT_S)
        return probe.connect_ex((examination.HOST, port)) == 0


def say(event: str, **what: object) -> None:
    """Tell the host one thing, in a line, at once."""
    sys.stdout.write(json.dumps({"event": event, **what}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
