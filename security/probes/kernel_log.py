"""Reading the kernel's log."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="kernel-log",
    title="The kernel's log cannot be read",
    severity=Severity.MEDIUM,
    group=Group.KERNEL,
    rationale="It tells addresses, devices and what other containers did.",
    remediation="Leave seccomp on, drop CAP_SYSLOG, mount no /dev/kmsg; set kernel.dmesg_restrict on the machine.",
)


def attack(kit: Kit) -> None:
    """Read the last bytes of the log without clearing it, and open /dev/kmsg."""
    read_all = 3
    attempt_call(kit, "syslog(SYSLOG_ACTION_READ_ALL)", "syslog", (read_all, bytes(256), 256), capability="SYSLOG")
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
        kit.succeeded("open /dev/kmsg", "opened for reading")
    except OSError as error:
        kit.refused("open /dev/kmsg", error.errno)
