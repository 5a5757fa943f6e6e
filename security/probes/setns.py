"""Joining a namespace."""

from __future__ import annotations

import errno
import os

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="setns",
    title="No namespace can be joined",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="Joining the machine's namespaces is how one leaves a container.",
    remediation="Drop CAP_SYS_ADMIN (--cap-drop ALL) and leave seccomp on.",
)


def attack(kit: Kit) -> None:
    """Join the namespaces that the process is in already: the permission is the same, and nothing changes."""
    for kind in ("net", "uts", "ipc"):
        what = "setns to the " + kind + " namespace"
        try:
            file = os.open("/proc/self/ns/" + kind, os.O_RDONLY)
            os.set_inheritable(file, True)
        except OSError as error:
            kit.refused(what, error.errno)
            continue
        # A descriptor that is not open is answered with EBADF before any permission is looked at.
        control = ((1 << 20, 0), (errno.EBADF,))
        attempt_call(kit, what, "setns", (file, 0), capability="SYS_ADMIN", control=control)
