"""No SSH server runs in the container."""

from __future__ import annotations

import posixpath

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

SERVERS = ("sshd", "dropbear", "sshd-session", "tinysshd")
CHECK = Check(
    id="CIS-5.7",
    title="No SSH server runs in the container",
    severity=Severity.MEDIUM,
    rationale="It is one more way in, with keys and logs of its own that nobody looks after.",
    remediation="Use the engine's exec to look inside.",
    good=[RunningContainer(processes=("/usr/bin/python3 -m gunicorn", "python3 sshd_report.py"))],
    bad=[
        RunningContainer(processes=("python3 app.py", "/usr/sbin/sshd -D")),
        RunningContainer(processes=("sshd: /usr/sbin/sshd [listener]",)),
        RunningContainer(processes=("dropbear -F",)),
    ],
    unclear=[RunningContainer()],
)


def test(container: RunningContainer) -> Outcome:
    """Look at the engine's own list of processes, so that no `ps` is needed inside."""
    if container.processes is None:
        return Skipped(reason="The engine cannot list the container's processes.")
    evidence = []
    for line in container.processes:
        program = posixpath.basename((line.split() or [""])[0]).rstrip(":")
        if program in SERVERS:
            evidence.append(f"process: {line}")
    return failed_or_passed(evidence)
