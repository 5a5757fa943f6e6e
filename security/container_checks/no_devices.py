"""No device of the machine is passed in."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.18",
    title="No device of the machine is passed in",
    severity=Severity.HIGH,
    rationale="A device file of a disk is the disk, past all permissions of its files.",
    remediation="Start without --device, --gpus and device cgroup rules.",
    good=[RunningContainer()],
    bad=[RunningContainer(devices=("Devices: /dev/sda (rwm)",)), RunningContainer(privileged=True)],
)


def test(container: RunningContainer) -> Outcome:
    """Look at devices, device requests and device cgroup rules; a privileged container has them all."""
    return failed_or_passed([*container.devices, *(["Privileged: every device"] if container.privileged else [])])
