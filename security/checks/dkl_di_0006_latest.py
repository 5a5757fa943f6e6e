"""Base images must name a version."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.subjects import Dockerfile

CHECK = Check(
    id="DKL-DI-0006",
    title="Base image without a version",
    severity=Severity.MEDIUM,
    rationale="`latest` is another image on another day, so no scan says anything about the next build.",
    remediation="Name a version, better with its digest: FROM python:3.13-slim@sha256:...",
    good=[
        parse("FROM python:3.13"),
        parse("FROM localhost:5000/x:1 AS a\nFROM a"),
        parse("FROM x@sha256:ab"),
        parse("FROM scratch"),
    ],
    bad=[
        parse("FROM python"),
        parse("FROM python:latest"),
        parse("ARG B=localhost:5000/x\nFROM $B"),
        parse("ARG B\nFROM x:1\nFROM ${B}"),
    ],
)


def test(dockerfile: Dockerfile) -> Outcome:
    """Fail for each base without tag and digest, and for the tag `latest`."""
    found = []
    for stage in dockerfile.outside_bases():
        name, _, digest = stage.base.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and tag in ("", "latest"):
            found.append(f"Dockerfile:{stage.line}: {stage.base}")
    return failed_or_passed(found)
