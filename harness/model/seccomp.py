"""A seccomp profile made for one image: the system calls that it was seen to make, what proves it, what it costs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from harness.model.base import Model, NotMeasured
from harness.model.judged import Ratio

SeccompPhase = Literal["start", "contract", "load", "health check", "stop"]
"""What the container was doing when a call was seen."""


class PhaseCalls(Model):
    """The system calls of one phase, each once, by name."""

    phase: SeccompPhase
    calls: tuple[str, ...]


class RuntimeCalls(Model):
    """What the container's runtime itself calls under the filter, before it hands over to the image's program."""

    runtime: str
    """Name and version, as the engine tells them: `runc 1.1.5`."""
    calls: tuple[str, ...]
    """Those that the image itself does not make; each is needed: without it no container starts, or no exec."""
    by_table: tuple[str, ...] = ()
    """Others that the image does not make, which the runtime's language may need at any moment: timing decides, so no
    trial tells, and a table does."""
    trials: int
    """Containers that were started to find them."""


class SeccompProof(Model):
    """One thing that was done under the profile."""

    name: Literal["starts", "contract", "load", "health check", "exec", "error path", "stop"]
    outcome: Literal["held", "broke", "not tried"]
    evidence: str
    """How often, how much, or what broke; why it was not tried."""


class SeccompProfile(Model):
    """One image's own seccomp profile under one run profile: made, proved, counted and priced."""

    variant: str
    image_digest: str
    run_profile: str
    """The run profile under which it was recorded and proved, this seccomp profile in the place of its own."""
    recorded_at: datetime
    seconds: float
    """Recording and proofs, without the cost's comparison."""
    architecture: str
    """As `uname -m` says; the profile holds for no other."""
    kernel: str
    recorder: str
    """The program that recorded, with its version."""
    phases: tuple[PhaseCalls, ...]
    runtime: RuntimeCalls
    allowed: tuple[str, ...]
    """What the profile allows: the phases' calls and the runtime's, but for those that stay closed."""
    refused: tuple[str, ...] = ()
    """Calls that were seen, but that the engine's default profile refuses as well: they stay closed."""
    unnamed: tuple[str, ...] = ()
    """Calls that were seen by number only: no profile can name them, so they stay closed."""
    default_profile: str
    """Where the list of what the engine allows by default comes from, with its version."""
    default_calls: int
    """How many calls of this architecture that list allows a container with the run profile's capabilities."""
    closed: tuple[str, ...]
    """Those of them that this profile refuses."""
    proofs: tuple[SeccompProof, ...]
    profile_file: str | None = None
    """The seccomp profile's file in the run's folder."""
    run_profile_file: str | None = None
    """A run profile that uses it, in the run's folder; None where it is not proved."""
    cost: Ratio | NotMeasured
    """Request time under this profile over that under the engine's default, all other flags alike."""
    cpu_cost: Ratio | NotMeasured
    """The same of CPU time a request."""
    comparison: str | None = None
    """The id of the sliced comparison that the costs come from."""

    @property
    def proved(self) -> bool:
        """Whether all that was to be done under it was done, and held."""
        return bool(self.proofs) and all(one.outcome == "held" for one in self.proofs)

    @property
    def broken(self) -> tuple[SeccompProof, ...]:
        """The proofs that broke, or could not be tried."""
        return tuple(one for one in self.proofs if one.outcome != "held")
