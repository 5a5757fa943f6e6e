"""The capabilities that the process holds, or could get back by running a program."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import CAPABILITIES, Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="capabilities",
    title="The process holds no capabilities, and none are in its bounding set",
    severity=Severity.HIGH,
    group=Group.IDENTITY,
    rationale="Each capability is a piece of root.",
    remediation="Start with --cap-drop ALL; add back only what the app can be shown to need.",
)


def attack(kit: Kit) -> None:
    """Read the five sets from /proc/self/status."""
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
        bits = int(kit.status(name), 16)
        held = [word for number, word in enumerate(CAPABILITIES) if bits >> number & 1]
        if held:
            kit.succeeded("hold a capability in " + name, str(len(held)) + ": " + ", ".join(held))
        else:
            kit.stopped("hold a capability in " + name, "capabilities dropped", None, name + " is 0")
