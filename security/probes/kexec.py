"""Loading another kernel."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="kexec",
    title="No other kernel can be loaded",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="Who may load a kernel owns the machine at its next restart.",
    remediation="Drop CAP_SYS_BOOT (--cap-drop ALL) and leave seccomp on.",
)


def attack(kit: Kit) -> None:
    """Call kexec_load with flags and a count that no kernel takes: EINVAL comes after the permission check."""
    args = (0, 0xFFFF, 0, 0xFFFF0000FFFF)
    attempt_call(kit, "kexec_load", "kexec_load", args, (errno.EINVAL,), "SYS_BOOT")
