"""Sending a body, or headers, larger than any that the app has use for."""

from __future__ import annotations

import socket
import time

from harness.model import Severity
from security.inside.http import LOOPBACK, Answer, app_answers, exchange, patience, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="oversized-body",
    title="An oversized body or header is rejected",
    severity=Severity.MEDIUM,
    group=Group.APP,
    rationale="A server that reads whatever it is sent can be made to use up its memory or its disk.",
    remediation="Set a limit (Flask's MAX_CONTENT_LENGTH; gunicorn's --limit-request-line and "
    "--limit-request-field_size).",
    seconds=60,
)
BODY_BYTES = 16 << 20
CHUNK = b"a" * 65536
WAIT_S = 8.0
"""A server that takes a body and stays silent fails: one that was only starved for a moment must not."""


def attack(kit: Kit) -> None:
    """Post 16 MiB to `/` and the caller's paths, then send a header of 1 MiB; count what is taken before the answer."""
    if not app_answers(kit):
        return
    for path in ["/", *kit.facts.get("paths", [])]:
        what = "POST " + str(BODY_BYTES >> 20) + " MiB to " + path
        sent, answer = _post(kit, path)
        _record(kit, what, answer, str(sent) + " bytes taken, ")
    _record(
        kit, "GET / with a header of 1 MiB", exchange(kit, request("GET", "/", "X-Big: " + "a" * (1 << 20)), WAIT_S), ""
    )


def _record(kit: Kit, what: str, answer: Answer, taken: str) -> None:
    if 200 <= answer.status < 300:
        kit.succeeded(what, taken + "status " + str(answer.status))
    elif answer.status:
        kit.stopped(what, "the app or its server rejects it", None, taken + "status " + str(answer.status))
    elif answer.closed:
        kit.stopped(what, "the server closes the connection", None, taken + "no answer")
    else:
        kit.succeeded(what, taken + "and neither answered nor closed within " + str(WAIT_S * patience(kit)) + " s")


def _post(kit: Kit, path: str) -> tuple[int, Answer]:
    began, sent, got, closed = time.monotonic(), 0, b"", False
    wait_s = WAIT_S * patience(kit)
    head = request("POST", path, "Content-Type: application/octet-stream", "Content-Length: " + str(BODY_BYTES))
    try:
        with socket.create_connection((LOOPBACK, kit.facts["port"]), timeout=wait_s) as one:
            one.sendall(head)
            try:
                while sent < BODY_BYTES:
                    sent += one.send(CHUNK[: BODY_BYTES - sent])
            except OSError:
                # The server answered and closed before it had read all.
                pass
            one.settimeout(wait_s)
            while len(got) < 65536:
                part = one.recv(65536)
                if not part:
                    closed = True
                    break
                got += part
    except OSError as error:
        closed = closed or isinstance(error, ConnectionError)
    return sent, Answer(got, time.monotonic() - began, closed, "")
