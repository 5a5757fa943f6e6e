"""Sending requests whose end two servers would see in two places."""

from __future__ import annotations

from harness.model import Severity
from security.inside.http import Answer, app_answers, exchange
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="request-smuggling",
    title="A request with an ambiguous end is rejected",
    severity=Severity.HIGH,
    group=Group.APP,
    rationale="Where a proxy and the app disagree on where a request ends, the rest of one becomes the start "
    "of another's.",
    remediation="Serve with a server that rejects such requests: a recent gunicorn does.",
    seconds=60,
)
HIDDEN = b"GET /seatrial-hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
WAIT_S = 1.0
REJECTED = (400, 411, 413, 501)
BOTH = "Content-Length and Transfer-Encoding"


def attack(kit: Kit) -> None:
    """Send each ambiguity once; RFC 9112, sections 6.1 and 6.3, wants an error, or one answer and the end."""
    if not app_answers(kit):
        return
    both = b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"
    kinds = (
        (BOTH, both, b"0\r\n\r\n" + HIDDEN),
        ("two different Content-Lengths", b"Content-Length: 0\r\nContent-Length: 5\r\n", b"hello" + HIDDEN),
        ("Content-Length: +0", b"Content-Length: +0\r\n", HIDDEN),
        ("Content-Length that is no number", b"Content-Length: 0x0\r\n", HIDDEN),
        ("a blank before the colon", b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + HIDDEN),
        ("an unknown Transfer-Encoding", b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + HIDDEN),
        ("a chunk size that is no number", b"Transfer-Encoding: chunked\r\n", b"0x0\r\n\r\n" + HIDDEN),
        ("a folded header", b"X-One: 1\r\n Content-Length: 5\r\n", b"hello" + HIDDEN),
    )
    for what, headers, body in kinds:
        raw = b"POST / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n" + body
        _record(kit, what, exchange(kit, raw, WAIT_S))


def _record(kit: Kit, what: str, answer: Answer) -> None:
    statuses = answer.statuses()
    evidence = "answers over one connection: " + (", ".join(str(one) for one in statuses) or "none")
    evidence += "; closed" if answer.closed else "; left open"
    if len(statuses) > 1 and statuses[1] not in REJECTED:
        kit.succeeded(what, evidence + ": the hidden request was served")
    elif statuses and statuses[-1] in REJECTED and answer.closed:
        kit.stopped(what, "the server rejects it and closes", None, evidence)
    elif statuses and not answer.closed:
        kit.succeeded(what, evidence + ": the rest would start the next request")
    elif statuses and what == BOTH:
        kit.stopped(what, "one answer, and the connection is closed", None, evidence)
    elif statuses:
        kit.succeeded(what, evidence + ": taken for a request")
    elif answer.closed:
        kit.stopped(what, "the server closes the connection", None, evidence)
    else:
        kit.absent(what, "no answer in time")
