"""Changing the kernel's settings."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="write-proc-sys",
    title="The kernel's settings under /proc/sys cannot be changed",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="kernel.core_pattern alone makes the machine run a program of the attacker's choice.",
    remediation="Leave the engine's read-only paths on (no --privileged), and do not run as root.",
)
MACHINE_WIDE = ("/proc/sys/vm/swappiness", "/proc/sys/kernel/core_pattern")
NAMESPACED = "/proc/sys/kernel/domainname"


def attack(kit: Kit) -> None:
    """Open machine-wide settings for writing and write nothing; write back what was read where it is namespaced."""
    for path in MACHINE_WIDE:
        what = "open " + path + " for writing"
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError as error:
            kit.refused(what, error.errno)
        else:
            kit.succeeded(what, "opened; nothing was written")
    kit.write_back(NAMESPACED, "SYS_ADMIN")
