"""apk must leave no index behind."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.shell import commands, program
from security.subjects import Dockerfile, Instruction

CHECK = Check(
    id="DKL-DI-0004",
    title="apk add without --no-cache",
    severity=Severity.LOW,
    rationale="The index stays in the layer: bytes that nobody reads.",
    remediation="apk add --no-cache ...",
    good=[
        parse("FROM x\nRUN apk add --no-cache curl"),
        parse("FROM x\nRUN apk --no-cache add curl"),
        parse("FROM x\nRUN apk update && apk add curl && rm -rf /var/cache/apk/*"),
        parse("FROM x\nRUN --mount=type=cache,target=/var/cache/apk apk add curl"),
    ],
    bad=[parse("FROM x\nRUN apk add curl"), parse("FROM x\nRUN apk update && apk add --virtual b curl")],
)


def test(dockerfile: Dockerfile) -> Outcome:
    """Fail for each `apk add` that keeps the cache, in a RUN that neither mounts nor removes it."""
    return failed_or_passed([f"{run.where}: {found}" for run in dockerfile.named("RUN") if (found := _keeps(run))])


def _keeps(run: Instruction) -> str:
    if any("/var/cache/apk" in flag or "/etc/apk/cache" in flag for flag in run.flags):
        return ""
    found = ""
    for one in commands(run):
        if program(one) == "apk" and "add" in one and not {"--no-cache"} & set(one):
            found = " ".join(one)[:80]
        elif program(one) == "rm" and any(word.startswith("/var/cache/apk") for word in one):
            found = ""
    return found
