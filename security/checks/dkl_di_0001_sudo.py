"""Builds must not call sudo: they run as root anyway, and it stays in the image."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.shell import commands, program
from security.subjects import Dockerfile

CHECK = Check(
    id="DKL-DI-0001",
    title="sudo in the build",
    severity=Severity.MEDIUM,
    rationale="sudo has no terminal and no password there; what it needs to be installed stays behind for an intruder.",
    remediation="Switch with USER instead.",
    good=[parse("FROM x\nRUN echo sudo"), parse("FROM x\nRUN apt-get install -y sudoku")],
    bad=[
        parse("FROM x\nRUN sudo apt-get update"),
        parse("FROM x\nRUN ls && /usr/bin/sudo ls"),
        parse('FROM x\nRUN ["sudo", "ls"]'),
    ],
)


def test(dockerfile: Dockerfile) -> Outcome:
    """Fail for each RUN that calls sudo."""
    return failed_or_passed(
        [
            f"{run.where}: RUN calls sudo"
            for run in dockerfile.named("RUN")
            if any(program(one) == "sudo" for one in commands(run))
        ]
    )
