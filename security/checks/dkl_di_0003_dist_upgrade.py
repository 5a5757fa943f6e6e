"""A build must not upgrade the distribution under itself."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.shell import commands, operands, program
from security.subjects import Dockerfile

CHECK = Check(
    id="DKL-DI-0003",
    title="dist-upgrade in the build",
    severity=Severity.LOW,
    rationale="It may remove packages and change the release, so no two builds are alike.",
    remediation="Raise the base image; install single security updates by name where one cannot wait.",
    good=[parse("FROM x\nRUN apt-get update && apt-get upgrade -y"), parse("FROM x\nRUN echo dist-upgrade")],
    bad=[
        parse("FROM x\nRUN apt-get update && apt-get -y dist-upgrade"),
        parse("FROM x\nRUN apt full-upgrade"),
        parse("FROM x\nRUN apk upgrade --available"),
    ],
)


def test(dockerfile: Dockerfile) -> Outcome:
    """Fail for dist-upgrade and full-upgrade of apt, and for apk's `upgrade --available`."""
    found = []
    for run in dockerfile.named("RUN"):
        for one in commands(run):
            debian = program(one) in ("apt-get", "apt", "aptitude") and {"dist-upgrade", "full-upgrade"} & set(
                operands(one)
            )
            alpine = program(one) == "apk" and "upgrade" in one and {"--available", "-a"} & set(one)
            if debian or alpine:
                found.append(f"{run.where}: {' '.join(one)[:80]}")
    return failed_or_passed(found)
