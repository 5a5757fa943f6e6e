"""Records of a container's checks and probes, for tests: everything passed, but for what a test names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.engine import run_profiles
from harness.model import (
    Attempt,
    ContainerCheckResult,
    Hardening,
    HealthCheck,
    Image,
    Outcome,
    Passed,
    ProbeResult,
    Results,
    Severity,
)
from security import container_scan
from security.probe import discover
from tests import made_records
from tests.results_factory import make

DIGEST = "sha256:" + "a" * 64
NAME = "distroless-gunicorn"
HARDENED = run_profiles.load("hardened")
CHECKS = [one.check.id for one in container_scan.checks()]
PROBES = [one.probe.id for one in discover()]


def hardening(outcomes: dict[str, Outcome] | None = None, **changes: Any) -> Hardening:
    """Everything passed, but for the named checks and probes."""
    said = outcomes or {}
    fields: dict[str, Any] = {
        "variant": NAME,
        "image_digest": DIGEST,
        "run_profile": "hardened",
        "probed_at": datetime(2026, 11, 24, tzinfo=UTC),
        "seconds": 1.0,
        "container_checks": tuple(
            ContainerCheckResult(
                id=one, title=one, severity=Severity.LOW, outcome=said.get(one, Passed()), remediation=""
            )
            for one in CHECKS
        ),
        "probes": tuple(
            ProbeResult(
                id=one, title=one, severity=Severity.LOW, outcome=said.get(one, Passed()), remediation="", seconds=0.1,
                attempts=(Attempt(what="it", result="stopped", stopped_by=f"what stops {one}"),),
            )
            for one in PROBES
        ),
        "profile": HARDENED,
        "seccomp_profile": run_profiles.seccomp_text(HARDENED),
    }  # fmt: skip
    return Hardening(**(fields | changes))


def image(**changes: Any) -> Image:
    fields: dict[str, Any] = {
        "digest": DIGEST,
        "user": "65532:65532",
        "exposed_ports": ("5000/tcp",),
        "entrypoint": ("python3", "-m", "gunicorn", "app.wsgi:app"),
        "healthcheck": HealthCheck(
            test=("CMD", "python3", "/check me.py"), interval_s=30, timeout_s=3, start_period_s=10, retries=3
        ),
    }
    return made_records.image(NAME, **(fields | changes))


def results(found: Hardening | None = None, built: Image | None = None, **changes: Any) -> Results:
    run = make().results
    fields = {"hardenings": (found or hardening(),), "images": (built or image(),), "run_profile": "hardened"}
    return run.model_copy(update={**fields, **changes})
