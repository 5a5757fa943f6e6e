"""Reaching the kernel's key rings."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="keyctl",
    title="The kernel's key rings cannot be reached",
    severity=Severity.MEDIUM,
    group=Group.KERNEL,
    rationale="Key rings are not namespaced in full: a container may find another's keys.",
    remediation="Leave seccomp on: the default profile denies keyctl.",
)


def attack(kit: Kit) -> None:
    """Ask for the session's key ring without making one."""
    session = -3
    # An unknown operation is answered with EOPNOTSUPP before any permission is looked at.
    control = ((0x7FFF, 0, 0, 0, 0), (errno.EOPNOTSUPP,))
    permitted = (errno.ENOKEY,)
    attempt_call(kit, "keyctl(KEYCTL_GET_KEYRING_ID)", "keyctl", (0, session, 0, 0, 0), permitted, control=control)
