"""Turning one method into another by a header, past a proxy's rules."""

from __future__ import annotations

from harness.model import Severity
from security.inside.http import app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="method-override",
    title="A request's method cannot be overridden, and TRACE is off",
    severity=Severity.MEDIUM,
    group=Group.APP,
    rationale="Who stands before the app and allows GET only is passed by a GET that the app takes for a DELETE.",
    remediation="Do not install a method-override middleware; leave TRACE off.",
    seconds=40,
)
HEADERS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


def attack(kit: Kit) -> None:
    """Compare each overridden request with the same one without: any other status says that it was heard."""
    if not app_answers(kit):
        return
    for path in ["/", *kit.facts.get("paths", [])]:
        for method, other in (("GET", "DELETE"), ("POST", "GET")):
            plain = exchange(kit, request(method, path)).status
            for header in HEADERS:
                what = method + " " + path + " with " + header + ": " + other
                _compare(kit, what, plain, exchange(kit, request(method, path, header + ": " + other)).status)
            what = method + " " + path + "?_method=" + other
            _compare(kit, what, plain, exchange(kit, request(method, path + "?_method=" + other)).status)
    nonce = kit.facts["nonce"]
    answer = exchange(kit, request("TRACE", "/", "X-Seatrial: " + nonce))
    if answer.status == 200 and nonce in answer.text():
        kit.succeeded("TRACE /", "the request came back")
    elif answer.status:
        kit.stopped("TRACE /", "the server does not echo", None, "status " + str(answer.status))
    else:
        kit.absent("TRACE /", "no answer: " + answer.error)


def _compare(kit: Kit, what: str, plain: int, overridden: int) -> None:
    evidence = "status " + str(overridden) + ", without the header " + str(plain)
    if not plain or not overridden:
        kit.absent(what, "no answer; " + evidence)
    elif plain == overridden:
        kit.stopped(what, "the app does not hear it", None, evidence)
    else:
        kit.succeeded(what, evidence)
