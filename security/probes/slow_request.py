"""Holding one request open, and looking whether others are still served."""

from __future__ import annotations

import socket
import time

from harness.model import Severity
from security.inside.http import LOOPBACK, app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="slow-request",
    title="One slow request does not keep others from being served",
    severity=Severity.MEDIUM,
    group=Group.APP,
    rationale="A server that waits for one client's bytes serves nobody else: one connection switches it off.",
    remediation="Serve with threads or several workers (gunicorn's gthread), and put a buffering proxy before the app.",
    seconds=60,
)
HELD_S = 3.0
OTHER_S = 5.0


def attack(kit: Kit) -> None:
    """Hold one connection with half a header, then one with half a body; ask for `/` over another meanwhile."""
    if not app_answers(kit):
        return
    kinds = (
        ("half a header", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: a"),
        ("half a body", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"),
    )
    for name, raw in kinds:
        _hold(kit, "hold a connection open with " + name, raw)


def _hold(kit: Kit, what: str, raw: bytes) -> None:
    began = time.monotonic()
    try:
        with socket.create_connection((LOOPBACK, kit.facts["port"]), timeout=HELD_S) as one:
            one.sendall(raw)
            time.sleep(0.3)
            other = exchange(kit, request("GET", "/"), OTHER_S)
            one.settimeout(max(0.05, HELD_S - (time.monotonic() - began)))
            try:
                end = "closed by the server" if not one.recv(1) else "answered"
            except OSError:
                end = "still open"
    except OSError as error:
        kit.absent(what, "no connection: " + type(error).__name__)
        return
    held = end + " after {:.1f} s".format(time.monotonic() - began)  # noqa: UP032 - one line, one style
    if other.status:
        served = "another request was answered in {:.0f} ms".format(other.seconds * 1000)  # noqa: UP032
        kit.stopped(what, "the server serves others meanwhile", None, served + "; " + held)
    else:
        kit.succeeded(what, "another request got no answer; " + held)
