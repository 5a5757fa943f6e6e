"""Mounting a file system."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="mount",
    title="Nothing can be mounted",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="A mount hides or replaces any file, and opens the machine's disks.",
    remediation="Drop CAP_SYS_ADMIN (--cap-drop ALL) and leave seccomp on.",
)


def attack(kit: Kit) -> None:
    """Mount a type of file system that no kernel has: ENODEV comes after the permission check; nothing is mounted."""
    args = (b"none\0", b"/\0", b"seatrial-no-such-type\0", 0, 0)
    # A bad pointer for the type is answered before any permission is looked at.
    control = ((b"none\0", b"/\0", 1, 0, 0), (errno.EFAULT,))
    attempt_call(kit, "mount a file system on /", "mount", args, (errno.ENODEV,), "SYS_ADMIN", control)
