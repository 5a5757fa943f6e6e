"""Package lists must not be updated in an instruction of their own: the cache keeps them while the world moves on."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.shell import commands, operands, program
from security.subjects import Dockerfile, Instruction

UPDATES = {
    "apt-get": "update",
    "apt": "update",
    "aptitude": "update",
    "apk": "update",
    "yum": "makecache",
    "dnf": "makecache",
}
USES = ("install", "add", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "source", "download")

CHECK = Check(
    id="CIS-4.7",
    title="Package lists updated in a RUN of their own",
    severity=Severity.MEDIUM,
    rationale="The builder caches the RUN with the old lists, and later installs what they name: stale packages.",
    remediation="Join them: RUN apt-get update && apt-get install -y ... && rm -rf /var/lib/apt/lists/*",
    good=[
        parse("FROM x\nRUN apt-get update && apt-get install -y curl"),
        parse("FROM x\nRUN apt-get update; \\\n # why\n apt-get -y install curl"),
        parse("FROM x\nRUN <<EOF\napt-get update\napt-get install curl\nEOF"),
        parse("FROM x\nRUN apk update && apk add curl"),
        parse("FROM x\nRUN echo 'apt-get update'"),
    ],
    bad=[
        parse("FROM x\nRUN apt-get update\nRUN apt-get install -y curl"),
        parse('FROM x\nRUN ["apt-get", "-q", "update"]'),
        parse("FROM x\nRUN sh -c 'apt update'"),
        parse("FROM x\nRUN apk --no-cache update && ls"),
        parse("FROM x\nRUN sudo -E apt-get update"),
        parse("FROM x\nRUN apt-get install curl && apt-get update"),
    ],
)


def test(dockerfile: Dockerfile) -> Outcome:
    """Fail for each RUN that updates the lists and installs nothing after that."""
    return failed_or_passed([f"{run.where}: {updated}" for run in dockerfile.named("RUN") if (updated := _alone(run))])


def _alone(run: Instruction) -> str:
    pending = ""
    for command in commands(run):
        name = program(command)
        if name not in UPDATES:
            continue
        if UPDATES[name] in operands(command):
            pending = " ".join(command)[:80]
        elif any(use in command for use in USES):
            pending = ""
    return pending
