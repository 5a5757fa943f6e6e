"""Taking hold of another process."""

from __future__ import annotations

import errno
import os
import signal
import time

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import attempt_call
from security.probe import Group, Probe

PROBE = Probe(
    id="ptrace",
    title="Another process cannot be traced",
    severity=Severity.HIGH,
    group=Group.KERNEL,
    rationale="A tracer reads and writes all that the traced process holds: keys, sessions, answers.",
    remediation="Deny ptrace by seccomp (the hardened run profile does), or set kernel.yama.ptrace_scope on the "
    "machine.",
)


def attack(kit: Kit) -> None:
    """Seize process 1 and a child, which stops neither; the tracer ends at once, and with it the hold."""
    seize = 0x4206
    child = os.fork()
    if child == 0:
        time.sleep(3)
        os._exit(0)
    # A process that does not exist is answered with ESRCH before any permission is looked at.
    control = ((seize, 0x3FFFFFFF, 0, 0), (errno.ESRCH,))
    attempt_call(kit, "ptrace process 1", "ptrace", (seize, 1, 0, 0), capability="SYS_PTRACE", control=control)
    attempt_call(kit, "ptrace a child", "ptrace", (seize, child, 0, 0), control=control)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        os.close(os.open("/proc/1/mem", os.O_RDONLY))
        kit.note(
            "/proc/1/mem opens for a process of the same user: seccomp does not concern files; Yama would stop it."
        )
    except OSError:
        pass
