"""Handling page faults in user space."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="userfaultfd",
    title="userfaultfd cannot be opened",
    severity=Severity.MEDIUM,
    group=Group.KERNEL,
    rationale="It holds the kernel still at a chosen point, which many exploits need.",
    remediation="Leave seccomp on: the default profile denies userfaultfd.",
)


def attack(kit: Kit) -> None:
    """Open a descriptor that handles faults of user mode only, and let it go."""
    user_mode_only = 1
    # Unknown flags are answered with EINVAL where the call is reached at all.
    control = ((user_mode_only | 0x40000000,), (errno.EINVAL,))
    attempt_call(kit, "userfaultfd", "userfaultfd", (user_mode_only,), control=control)
