"""The label that AppArmor or SELinux gives the process."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="security-label",
    title="AppArmor or SELinux confines the process",
    severity=Severity.LOW,
    group=Group.IDENTITY,
    rationale="A security module stands where a wrong capability or a wrong file mode would let an attacker through.",
    remediation="Where the machine has AppArmor or SELinux, leave the engine's profile or label on.",
)
PLACES = ("/proc/self/attr/apparmor/current", "/proc/self/attr/current")


def attack(kit: Kit) -> None:
    """Read the label from /proc/self/attr."""
    what = "run unconfined"
    for place in PLACES:
        try:
            with open(place) as file:
                label = file.read().strip("\0\n ")
        except OSError as error:
            number = error.errno
            continue
        if label in ("", "unconfined", "kernel"):
            kit.succeeded(what, place + ": " + (label or "(empty)"))
        else:
            kit.stopped(what, "security module", None, place + ": " + label)
        return
    kit.absent(what, "the kernel has no security module that labels processes", number)
