"""Reading the versions that the app tells."""

from __future__ import annotations

import re

from harness.model import Severity
from security.inside.http import app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="server-header",
    title="No header tells a version",
    severity=Severity.LOW,
    group=Group.APP,
    rationale="A version tells an attacker which faults to try.",
    remediation="Set the Server header to a bare name; gunicorn sends none, Flask's development server tells two "
    "versions.",
    seconds=40,
)
NAMES = ("server", "x-powered-by", "via", "x-aspnet-version", "x-runtime", "x-generator")


def attack(kit: Kit) -> None:
    """Look for digits in the headers of an answer, of an error, and of what the server itself rejects."""
    if not app_answers(kit):
        return
    kinds = (
        ("GET /", request("GET", "/")),
        ("GET a path that is not there", request("GET", "/seatrial-" + kit.facts["nonce"])),
        ("a request that is no HTTP", b"GET / HTTP/9.9\r\n\r\n"),
    )
    for what, raw in kinds:
        answer = exchange(kit, raw)
        told = [name + ": " + answer.headers[name] for name in NAMES if re.search(r"\d", answer.headers.get(name, ""))]
        if told:
            kit.succeeded(what, "; ".join(told))
        elif answer.status:
            kit.stopped(what, "no version in the headers", None, "Server: " + answer.headers.get("server", "(none)"))
        else:
            kit.absent(what, "no answer with headers")
