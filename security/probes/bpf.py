"""Loading a program into the kernel."""

from __future__ import annotations

import errno

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="bpf",
    title="No BPF program can be loaded",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="The BPF verifier has been a way into the kernel more than once.",
    remediation="Leave seccomp on, drop CAP_BPF and CAP_SYS_ADMIN; set kernel.unprivileged_bpf_disabled on the "
    "machine.",
)


def attack(kit: Kit) -> None:
    """Load a program of no instructions: E2BIG comes after the permission check, and nothing is loaded."""
    load = 5
    attributes = b"\1\0\0\0" + bytes(124)
    # Attributes longer than a page are answered with E2BIG before any permission is looked at.
    control = ((load, attributes, 1 << 20), (errno.E2BIG,))
    attempt_call(kit, "bpf(BPF_PROG_LOAD)", "bpf", (load, attributes, 128), (errno.E2BIG,), "BPF", control)
