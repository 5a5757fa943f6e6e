"""The process cannot gain privileges."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.26",
    title="The process cannot gain privileges",
    severity=Severity.HIGH,
    rationale="Without it a setuid program raises its caller's rights.",
    remediation="Start with --security-opt no-new-privileges:true.",
    good=[
        RunningContainer(security_opt=("no-new-privileges:true",)),
        RunningContainer(security_opt=("no-new-privileges",)),
        RunningContainer(security_opt=("no-new-privileges=true",)),
    ],
    bad=[
        RunningContainer(),
        RunningContainer(security_opt=("no-new-privileges:false",)),
        RunningContainer(security_opt=("no-new-privileges:true", "no-new-privileges=false")),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Read the option's value: its name alone says nothing."""
    value = container.security_option("no-new-privileges")
    said = "not set" if value is None else f"no-new-privileges:{value}"
    return failed_or_passed([] if value in ("", "true") else [f"SecurityOpt: {said}"])
