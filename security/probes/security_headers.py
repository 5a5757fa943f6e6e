"""Using what an answer without security headers lets a browser do."""

from __future__ import annotations

from harness.model import Severity
from security.inside.http import Answer, app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="security-headers",
    title="Every answer carries the security headers",
    severity=Severity.LOW,
    group=Group.APP,
    rationale="They keep a browser from guessing types, from framing the page and from telling where the user "
    "came from.",
    remediation="Send X-Content-Type-Options: nosniff, a Content-Security-Policy with frame-ancestors, and a "
    "Referrer-Policy.",
    seconds=40,
)


def attack(kit: Kit) -> None:
    """Look at the answer of `/`, of the caller's paths, and of a path that is not there."""
    if not app_answers(kit):
        return
    for path in ["/", *kit.facts.get("paths", []), "/seatrial-" + kit.facts["nonce"]]:
        answer = exchange(kit, request("GET", path))
        what = "GET " + path
        missing = _missing(answer)
        if not answer.status:
            kit.absent(what, "no answer: " + answer.error)
        elif missing:
            kit.succeeded(what, "missing: " + ", ".join(missing))
        else:
            kit.stopped(what, "security headers", None, "status " + str(answer.status))


def _missing(answer: Answer) -> list[str]:
    headers = answer.headers
    policy = headers.get("content-security-policy", "")
    wanted = (
        ("X-Content-Type-Options: nosniff", headers.get("x-content-type-options", "").lower() == "nosniff"),
        ("Content-Security-Policy", bool(policy)),
        ("frame-ancestors or X-Frame-Options", "frame-ancestors" in policy or "x-frame-options" in headers),
        ("Referrer-Policy", "referrer-policy" in headers),
    )
    return [name for name, there in wanted if not there]
