"""Exchanging the root."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="pivot-root",
    title="The root cannot be exchanged",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="Who exchanges the root decides what every program sees.",
    remediation="Drop CAP_SYS_ADMIN (--cap-drop ALL) and leave seccomp on.",
)


def attack(kit: Kit) -> None:
    """Exchange / with itself: EBUSY or EINVAL come after the permission check, and nothing changes."""
    permitted = (errno.EBUSY, errno.EINVAL)
    attempt_call(kit, "pivot_root / to itself", "pivot_root", (b"/\0", b"/\0"), permitted, "SYS_ADMIN")
