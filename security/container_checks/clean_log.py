"""The container starts without a warning or an error in its log."""

from __future__ import annotations

import re

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

TROUBLE = re.compile(
    r"\b(WARN|WARNING|ERROR|CRITICAL|FATAL)\b"
    r"|^Traceback \(|\bException\b:|(Error|Warning): "
    r"|(?i:(^|\s)(warning|error|fatal)\s?:)"
    r"|(?i:\blevel(name)?\"?\s?[=:]\s?\"?(warn|error|critical|fatal))"
)
"""A level's own word in capitals, an exception by its name, `error:` as programs in C write it, and structured logs."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MOST_LINES = 10
CHECK = Check(
    id="SEA-CONTAINER-LOG",
    title="The container starts without a warning or an error in its log",
    severity=Severity.LOW,
    rationale="What goes wrong at every start is soon not looked at any more.",
    remediation="Mend what the line names; gunicorn under a read-only root wants --no-control-socket and "
    "/dev/shm for its heartbeat.",
    good=[
        RunningContainer(log="[1] [INFO] Listening at: http://0.0.0.0:5000\nGET /errors 200\n"),
        RunningContainer(log='{"level": "info", "message": "errors: none, warnings are off"}\n'),
    ],
    bad=[
        RunningContainer(log="[1] [ERROR] Control server error: Read-only file system\n"),
        RunningContainer(log="WARNING: This is a development server.\n"),
        RunningContainer(log="Traceback (most recent call last):\n"),
        RunningContainer(log="app.py:3: DeprecationWarning: it will go\n"),
        RunningContainer(log="nginx: error: no such file\n"),
        RunningContainer(log='{"level": "error", "message": "no such file"}\n'),
        RunningContainer(log="time=1 level=warning msg=slow\n"),
    ],
    unclear=[RunningContainer()],
)


def test(container: RunningContainer) -> Outcome:
    """Look for the words of a log's levels, and for the start of a stack trace."""
    if container.log is None:
        return Skipped(reason="The container's log was not read.")
    lines = [COLOUR.sub("", line).strip() for line in container.log.splitlines()]
    return failed_or_passed([f"log: {line[:200]}" for line in lines if TROUBLE.search(line)][:MOST_LINES])
