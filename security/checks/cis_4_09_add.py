"""Files must be brought in by COPY; ADD also downloads and unpacks."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.subjects import Dockerfile, Instruction

CHECK = Check(
    id="CIS-4.9",
    title="ADD where COPY is meant",
    severity=Severity.LOW,
    rationale="ADD takes what a URL gives out that day, and unpacks archives unasked. COPY does what it says.",
    remediation="Use COPY; for a download, ADD --checksum=sha256:... .",
    good=[
        parse("FROM x\nCOPY app.py ."),
        parse(f"FROM x\nADD --checksum=sha256:{'a' * 64} https://example.org/x.tar.gz /"),
    ],
    bad=[
        parse("FROM x\nADD app.py ."),
        parse("FROM x\nADD https://example.org/x.tar.gz /"),
        parse('FROM x\nadd ["a b", "/"]'),
        parse("FROM x\nONBUILD ADD . ."),
    ],
)


def test(dockerfile: Dockerfile) -> Outcome:
    """Fail for each ADD of the Dockerfile itself; a base image's own history does not count."""
    return failed_or_passed(
        [f"{one.where}: ADD {one.value[:80]}" for one in dockerfile.named("ADD", "ONBUILD") if _adds(one)]
    )


def _adds(one: Instruction) -> bool:
    if one.name == "ONBUILD":
        return one.value.upper().startswith("ADD ")
    return not any(flag.startswith("--checksum=") for flag in one.flags)
