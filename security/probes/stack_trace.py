"""Making the app show a stack trace."""

from __future__ import annotations

from harness.model import Severity
from security.inside.http import app_answers, exchange, request
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="stack-trace",
    title="No error page shows a stack trace",
    severity=Severity.MEDIUM,
    group=Group.APP,
    rationale="A trace tells file names, versions and sometimes values to whoever asks.",
    remediation="Run without debug mode, and answer errors with a page of your own.",
    seconds=40,
)
MARKS = (
    "Traceback (most recent call last)",
    'File "/',
    "File &quot;/",
    "File &#34;/",
    "Werkzeug Debugger",
    "site-packages",
)


def attack(kit: Kit) -> None:
    """Send requests that are wrong in one way each, to `/`, to a path that is not there and to the caller's paths."""
    if not app_answers(kit):
        return
    nowhere = "/seatrial-" + kit.facts["nonce"]
    wrong = [("GET " + nowhere, request("GET", nowhere))]
    for path in ["/", *kit.facts.get("paths", [])]:
        wrong += [
            ("GET " + path + " with a query of bad bytes", request("GET", path + "?n=%ff%fe&n[]=1&n=1e999&ms=-1&%00=")),
            ("DELETE " + path, request("DELETE", path)),
            ("POST bad JSON to " + path, request("POST", path, "Content-Type: application/json", body=b'{"a":')),
            ("POST a bad form to " + path, request("POST", path, "Content-Type: multipart/form-data", body=b"--x\r\n")),
            (
                "GET " + path + " with a bad cookie",
                request("GET", path, "Cookie: session=.eJw\xff;;=;", "Accept: \xff"),
            ),
            ("GET " + path + " with a bad range", request("GET", path, "Range: bytes=9-1", "If-Modified-Since: never")),
        ]
    for what, raw in wrong:
        answer = exchange(kit, raw)
        hit = next((mark for mark in MARKS if mark in answer.text()), None)
        if hit:
            kit.succeeded(what, "status " + str(answer.status) + ", and the answer holds " + repr(hit))
        elif answer.status:
            kit.stopped(what, "the app answers without a trace", None, "status " + str(answer.status))
        elif answer.closed:
            kit.stopped(what, "the server closes the connection")
        else:
            kit.absent(what, "no answer: " + answer.error)
