"""Making new namespaces."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="unshare",
    title="No new namespace can be made",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="In a user namespace of its own a process holds every capability, and reaches parts of the "
    "kernel that it could not reach before.",
    remediation="Leave seccomp on and drop CAP_SYS_ADMIN (--cap-drop ALL).",
)


def attack(kit: Kit) -> None:
    """Make a user namespace, then a mount and a network namespace, each in a process that ends at once."""
    # An unknown flag is answered with EINVAL before any permission is looked at.
    control = ((0x1,), (errno.EINVAL,))
    attempt_call(kit, "unshare(CLONE_NEWUSER)", "unshare", (0x10000000,), control=control)
    attempt_call(kit, "unshare(CLONE_NEWNS)", "unshare", (0x00020000,), capability="SYS_ADMIN", control=control)
    attempt_call(kit, "unshare(CLONE_NEWNET)", "unshare", (0x40000000,), capability="SYS_ADMIN", control=control)
