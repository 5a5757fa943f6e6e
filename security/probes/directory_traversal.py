"""Reading files outside of what the app serves, by paths that lead upward."""

from __future__ import annotations

from harness.model import Severity
from security.inside.http import app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="directory-traversal",
    title="No path leads to files outside of what the app serves",
    severity=Severity.HIGH,
    group=Group.APP,
    rationale="/etc/passwd is the proof; the app's own source and its keys are the prize.",
    remediation="Serve files by name from one folder (Flask's send_from_directory), never by joining paths.",
    seconds=40,
)
UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "..;/", "..%c0%af", "....//", "..\\")
DEPTH = 8
MARK = "root:x:0:0"


def attack(kit: Kit) -> None:
    """Ask for /etc/passwd upward from `/`, from /static/ and from the caller's paths."""
    if not app_answers(kit):
        return
    starts = ["/", "/static/", *(path.rstrip("/") + "/" for path in kit.facts.get("paths", []) if path != "/")]
    tries = [start + up * DEPTH + "etc/passwd" for start in starts for up in UP]
    tries += ["//etc/passwd", "/file:///etc/passwd", "/?file=" + "../" * DEPTH + "etc/passwd", "/%00/etc/passwd"]
    statuses: dict[int, int] = {}
    for path in tries:
        answer = exchange(kit, request("GET", path), 1.0)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        if MARK in answer.text():
            kit.succeeded("GET " + path, "status " + str(answer.status) + ", " + str(len(answer.body)) + " bytes of it")
    counted = ", ".join(
        str(count) + " times " + (str(s) if s else "no answer") for s, count in sorted(statuses.items())
    )
    what = "GET /etc/passwd by " + str(len(tries)) + " paths"
    if set(statuses) == {0}:
        kit.absent(what, "none was answered")
    else:
        kit.stopped(what, "the app serves no file by such a path", None, counted)
