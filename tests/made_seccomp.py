"""Seccomp profiles of images that were never recorded, for tests that need no engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.model import NotMeasured, PhaseCalls, RuntimeCalls, SeccompProfile, SeccompProof


def seccomp_profile(*, proofs: Mapping[str, Any] | None = None, **changes: Any) -> SeccompProfile:
    """Make what is known of one; `proofs` are names and outcomes."""
    outcomes = {"starts": "held", "contract": "held", "load": "held"} if proofs is None else proofs
    fields: dict[str, Any] = {
        "variant": "slim-gunicorn",
        "image_digest": "sha256:" + "1" * 64,
        "run_profile": "hardened",
        "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
        "seconds": 60.0,
        "architecture": "x86_64",
        "kernel": "6.1",
        "recorder": "strace 6.13",
        "phases": (PhaseCalls(phase="start", calls=("execve", "read")), PhaseCalls(phase="load", calls=("read",))),
        "runtime": RuntimeCalls(runtime="runc 1.1.5", calls=("fstatfs",), trials=3),
        "allowed": ("execve", "fstatfs", "read"),
        "default_profile": "made for a test",
        "default_calls": 300,
        "closed": ("ptrace",),
        "proofs": tuple(
            SeccompProof.model_validate({"name": name, "outcome": outcome, "evidence": "made for a test"})
            for name, outcome in outcomes.items()
        ),
        "cost": NotMeasured(not_measured="made for a test"),
        "cpu_cost": NotMeasured(not_measured="made for a test"),
    }
    return SeccompProfile(**(fields | changes))
