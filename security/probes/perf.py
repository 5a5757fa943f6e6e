"""Watching the kernel's events."""

from __future__ import annotations

import errno
import struct

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="perf",
    title="No performance event can be opened",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="Performance events show what other processes do, and their code has been a way into the kernel.",
    remediation="Leave seccomp on, drop CAP_PERFMON and CAP_SYS_ADMIN; set kernel.perf_event_paranoid on the machine.",
)


def attack(kit: Kit) -> None:
    """Open a clock of one's own process, and let it go."""
    # type=software, size=64, config=cpu-clock; the flag keeps the kernel and the hypervisor out of it.
    attributes = struct.pack("<IIQQQQQ", 1, 64, 0, 0, 0, 0, 1 << 5 | 1 << 6) + bytes(16)
    # An unknown flag is answered with EINVAL before any permission is looked at.
    control = ((attributes, 0, -1, -1, 1 << 30), (errno.EINVAL,))
    args = (attributes, 0, -1, -1, 0)
    attempt_call(kit, "perf_event_open", "perf_event_open", args, capability="PERFMON", control=control)
