"""Reaching a debug console that the app's framework left open."""

from __future__ import annotations

from harness.model import Severity
from security.inside.http import app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="debug-console",
    title="The app serves no debug console",
    severity=Severity.CRITICAL,
    group=Group.APP,
    rationale="Such a console runs any code that it is given; its PIN can be computed from files on the machine.",
    remediation="Run without debug mode, behind a production server such as gunicorn.",
    seconds=40,
)
PLACES = (
    ("/console", ("Interactive Console", "__debugger__")),
    ("/?__debugger__=yes&cmd=resource&f=debugger.js", ("openShell", "promptForPin", "debugger")),
    ("/__debug__/", ("djdt", "Debug Toolbar")),
    ("/debug/", ("Interactive Console", "debugger")),
)


def attack(kit: Kit) -> None:
    """Ask for the consoles of the usual frameworks, and look for their marks in the answers."""
    if not app_answers(kit):
        return
    home = exchange(kit, request("GET", "/")).body
    for path, marks in PLACES:
        answer = exchange(kit, request("GET", path))
        what = "GET " + path
        hit = next((mark for mark in marks if mark in answer.text()), None)
        if answer.status == 200 and hit and answer.body != home:
            kit.succeeded(what, "status 200, and the answer holds " + repr(hit))
        elif answer.status:
            kit.stopped(what, "the app serves no such thing", None, "status " + str(answer.status))
        else:
            kit.absent(what, "no answer: " + answer.error)
