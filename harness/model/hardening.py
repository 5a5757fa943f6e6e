"""What checks and attacks find in a running container."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from harness.model.base import Model
from harness.model.findings import Outcome, Severity
from harness.model.running import RunProfile


class ContainerCheckResult(Model):
    """What one check found in a container as it runs."""

    id: str
    """The rule's id: CIS-5.4, or SEA- for this project's own."""
    title: str
    severity: Severity
    outcome: Outcome
    remediation: str


class Attempt(Model):
    """One thing that a probe tried inside a container, and what came of it."""

    what: str
    result: Literal["stopped", "succeeded", "not tried"]
    """`not tried` also where the answer tells nothing; it never counts as stopped."""
    errno: str | None = None
    """The name of the errno that came back: EPERM."""
    evidence: str = ""
    stopped_by: str | None = None
    """The defence that stopped it."""


class ProbeResult(Model):
    """One attack from inside a container: PASSED where every attempt that was made was stopped."""

    id: str
    title: str
    severity: Severity
    outcome: Outcome
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()
    """What a reader should know beside the outcome."""
    counts: dict[str, float] = {}
    """How far a counted attack got: processes, bytes, descriptors, CPU seconds."""
    remediation: str
    seconds: float

    @property
    def stopped_by(self) -> tuple[str, ...]:
        """The defences that stopped it, each once."""
        return tuple(dict.fromkeys(one.stopped_by for one in self.attempts if one.stopped_by))


class Hardening(Model):
    """One variant under one run profile: what its flags say, and what an attacker inside can do."""

    variant: str
    image_digest: str
    run_profile: str
    probed_at: datetime
    seconds: float
    container_checks: tuple[ContainerCheckResult, ...]
    probes: tuple[ProbeResult, ...]
    profile: RunProfile | None = None
    """The run profile itself, as it was read; None in older records."""
    seccomp_profile: str | None = None
    """The JSON of the seccomp profile that the run profile names; None where it names none."""
    failure: str = ""
    """Why nothing was looked at: it would not start so. Then there are no checks and no probes, and nothing passed."""
    remarks: tuple[str, ...] = ()
    """How the container differed from what the run profile says, and why."""
