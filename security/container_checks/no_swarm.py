"""Swarm mode is off."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import EngineFacts, RunningContainer

CHECK = Check(
    id="CIS-5.1",
    title="Swarm mode is off",
    severity=Severity.LOW,
    rationale="A swarm opens ports and hands the engine's keys to other machines.",
    remediation="Leave the swarm (docker swarm leave) unless something needs it.",
    good=[RunningContainer()],
    bad=[RunningContainer(engine=EngineFacts(swarm="active")), RunningContainer(engine=EngineFacts(swarm="locked"))],
)


def test(container: RunningContainer) -> Outcome:
    """Read the engine's own state of its swarm."""
    state = container.engine.swarm
    return failed_or_passed([] if state in ("", "inactive") else [f"engine: swarm is {state}"])
