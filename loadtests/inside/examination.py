"""Asks the contract's cases one by one over fresh connections, and waits for an app's first correct answer."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from loadtests.cases import Answer, Case

HOST = "127.0.0.1"
POLL_S = 0.002
MOST_FAULTS = 20

Opener = Callable[[int, float], socket.socket]
"""Opens a connection to a port with a time limit; None in its place: to the loopback of the caller's own namespace."""


@dataclass
class Findings:
    """What an examination found. Wrong answers and missing ones are apart: a dead app does not answer wrongly."""

    verified: int = 0
    wrong: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def ask(port: int, case: Case, timeout_s: float, opener: Opener | None = None) -> Answer:
    """Send one case's request to the loopback and read its answer whole.

    Raises:
        OSError: nothing listens, or no answer came in time.
        http.client.HTTPException: what came is not HTTP.

    """
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        if opener is not None:
            connection.sock = opener(port, timeout_s)
        began = time.perf_counter()
        if case.announced_bytes is None:
            connection.request(case.method, case.target, body=case.body, headers=dict(case.request_headers))
        else:
            connection.putrequest(case.method, case.target)
            connection.putheader("Content-Length", str(case.announced_bytes))
            connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - began
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=headers, body=body, seconds=seconds)
    finally:
        connection.close()


def examine(port: int, cases: Iterable[Case], timeout_s: float, opener: Opener | None = None) -> Findings:
    """Ask every case; stop at the first that gets no answer, since each more would cost the whole time limit."""
    findings = Findings()
    for case in cases:
        try:
            answer = ask(port, case, timeout_s, opener)
        except (OSError, http.client.HTTPException) as error:
            what = str(error) or type(error).__name__
            findings.unanswered.append(f"{case.method} {case.target[:80]}: no answer ({what})")
            return findings
        findings.verified += 1
        findings.wrong.extend(case.faults(answer))
        if len(findings.wrong) >= MOST_FAULTS:
            return findings
    return findings


def first_answer(port: int, case: Case, deadline: float, opener: Opener | None = None) -> Findings:
    """Poll until one correct answer has come, or `deadline` (by `time.monotonic`) is over.

    Returns one verified answer; or the last wrong one; or, where there was none at all, what was missing.
    """
    wrong: Findings | None = None
    while True:
        findings = examine(port, [case], max(deadline - time.monotonic(), POLL_S), opener)
        if findings.verified and not findings.wrong:
            return findings
        if findings.wrong:
            wrong = findings
        if time.monotonic() >= deadline:
            return wrong or findings
        time.sleep(POLL_S)
