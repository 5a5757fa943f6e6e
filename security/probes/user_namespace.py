"""Whether the process's user is root outside of the container too."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="user-namespace",
    title="The process's user is not the machine's root",
    severity=Severity.HIGH,
    group=Group.IDENTITY,
    rationale="Where uid 0 inside is uid 0 outside, whoever breaks out is root on the machine.",
    remediation="Run as a numeric user, or map the container's users (userns-remap, rootless engine).",
)


def attack(kit: Kit) -> None:
    """Follow the user through /proc/self/uid_map."""
    uid = os.geteuid()
    with open("/proc/self/uid_map") as file:
        rows = [[int(word) for word in line.split()] for line in file]
    outside = next((host + uid - inside for inside, host, count in rows if inside <= uid < inside + count), None)
    evidence = "uid " + str(uid) + " is " + str(outside) + " in the namespace above; uid_map: " + str(rows)
    what = "be the machine's root"
    if outside is None:
        kit.absent(what, "the user is not in uid_map")
    elif outside == 0:
        kit.succeeded(what, evidence)
    elif uid == 0:
        kit.stopped(what, "user namespace", None, evidence)
    else:
        kit.stopped(what, "a user that is not root", None, evidence)
