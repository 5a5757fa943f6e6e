"""An AppArmor profile confines the container."""

from __future__ import annotations

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.running_container import EngineFacts, RunningContainer

ARMOUR = EngineFacts(security_options=("name=apparmor",))
CHECK = Check(
    id="CIS-5.2",
    title="An AppArmor profile confines the container",
    severity=Severity.MEDIUM,
    rationale="It stops what a wrong capability or file mode would let through.",
    remediation="Leave the engine's docker-default profile on, or name one of your own.",
    good=[RunningContainer(engine=ARMOUR, apparmor_profile="docker-default")],
    bad=[
        RunningContainer(engine=ARMOUR, apparmor_profile="unconfined"),
        RunningContainer(engine=ARMOUR),
        RunningContainer(engine=ARMOUR, apparmor_profile="docker-default", privileged=True),
    ],
    unclear=[RunningContainer()],
)


def test(container: RunningContainer) -> Outcome:
    """Read the profile in force; a privileged container has none, whatever it says."""
    if not any(option.split(",")[0] == "name=apparmor" for option in container.engine.security_options):
        return Skipped(reason="The engine offers no AppArmor: its machine's kernel has none.")
    profile = "unconfined" if container.privileged else container.apparmor_profile
    return failed_or_passed([] if profile not in ("", "unconfined") else [f"AppArmorProfile: {profile or 'none'}"])
