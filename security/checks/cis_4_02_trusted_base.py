"""Base images must be named by digest, and be among those that the settings allow."""

from __future__ import annotations

from fnmatch import fnmatchcase

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.subjects import BuiltImage

_DIGEST = "sha256:" + "a" * 64


def _image(text: str, *allowed: str) -> BuiltImage:
    return BuiltImage(dockerfile=parse(text), allowed_bases=allowed)


CHECK = Check(
    id="CIS-4.2",
    title="Base image not pinned, or not allowed",
    severity=Severity.LOW,
    rationale="A tag can be moved. Only a digest says which base was reviewed, and makes today's build tomorrow's.",
    remediation="Write FROM name:tag@sha256:..., and let a bot raise the digest.",
    good=[
        _image(f"FROM python:3.13-slim@{_DIGEST}"),
        _image(f"ARG BASE=python@{_DIGEST}\nFROM $BASE AS build\nFROM scratch\nCOPY --from=build / /"),
        _image(f"FROM python@{_DIGEST} AS Build\nFROM build"),
        _image(f"FROM python:3.13-slim@{_DIGEST}", "python:*", "gcr.io/distroless/*"),
    ],
    bad=[
        _image("FROM python:3.13-slim"),
        _image("ARG BASE=python:3.13-slim\nFROM ${BASE}"),
        _image(f"FROM python AS build\nFROM python@{_DIGEST}"),
        _image("FROM python@sha256:abc"),
        _image(f"FROM evil/python:3.13@{_DIGEST}", "python:*"),
    ],
)


def test(image: BuiltImage) -> Outcome:
    """Fail for every stage made from an image without a digest, or outside of the allowed; an ARG has its default."""
    found = []
    for stage in image.dockerfile.outside_bases():
        if not _pinned(stage.base):
            found.append(f"Dockerfile:{stage.line}: {stage.base} has no digest")
        if image.allowed_bases and not any(fnmatchcase(stage.base, pattern) for pattern in image.allowed_bases):
            found.append(f"Dockerfile:{stage.line}: {stage.base} is not among the allowed bases")
    return failed_or_passed(found)


def _pinned(base: str) -> bool:
    _, found, digest = base.partition("@sha256:")
    return bool(found) and len(digest) == 64
