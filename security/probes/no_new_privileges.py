"""Whether running a setuid program could give the process more rights than it has."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="no-new-privileges",
    title="no_new_privs is set",
    severity=Severity.MEDIUM,
    group=Group.IDENTITY,
    rationale="Without it a setuid program or one with file capabilities raises its caller's rights.",
    remediation="Start with --security-opt no-new-privileges:true.",
)


def attack(kit: Kit) -> None:
    """Read the bit from /proc/self/status."""
    bit = kit.status("NoNewPrivs")
    if bit == "1":
        kit.stopped("gain rights by running a program", "no-new-privileges", None, "NoNewPrivs: 1")
    elif bit == "0":
        kit.succeeded("gain rights by running a program", "NoNewPrivs: 0")
    else:
        kit.absent("gain rights by running a program", "the kernel does not show the bit")
