"""Reading the environment of processes that belong to another user."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="other-environ",
    title="The environment of another user's process cannot be read",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="Passwords and keys are often handed to programs in their environment.",
    remediation="Give the container a pid namespace of its own, drop CAP_SYS_PTRACE, and do not run as root.",
)


def attack(kit: Kit) -> None:
    """Read /proc/PID/environ of every process of another user; those of one's own user are no boundary."""
    me, own, others = os.geteuid(), 0, 0
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        path = "/proc/" + name + "/environ"
        try:
            if os.stat("/proc/" + name).st_uid == me:
                own += 1
                continue
            others += 1
            with open(path, "rb") as file:
                count = len([part for part in file.read(1 << 20).split(b"\0") if part])
        except OSError as error:
            kit.refused("read " + path, error.errno, capability="SYS_PTRACE")
        else:
            kit.succeeded("read " + path, str(count) + " variables of another user's process")
    kit.note(str(own) + " other processes of the same user: between those there is no boundary to test.")
    if not others:
        kit.stopped("find a process of another user", "pid namespace", None, "0 of " + str(own) + " processes")
