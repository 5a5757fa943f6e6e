"""Reaching what listens on another namespace's loopback, as the machine's own services do."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="reach-host-loopback",
    title="The loopback of the machine cannot be reached",
    severity=Severity.HIGH,
    group=Group.NETWORK,
    rationale="What listens on the machine's 127.0.0.1 counts on that only the machine's own programs reach it.",
    remediation="Do not share the machine's network namespace: no --network host.",
)


def attack(kit: Kit) -> None:
    """Connect once to a listener that the run put on the loopback of a namespace standing for the machine's.

    The machine's own loopback is never tried: a container that shares it is told by the engine, and nothing is sent.
    """
    port = kit.facts.get("loopback_port")
    if kit.facts.get("host_network"):
        kit.succeeded("be in the machine's network namespace", "the engine says network mode host; nothing was sent")
    elif not port:
        kit.absent("connect to another namespace's loopback", "no listener was started")
    else:
        what = "connect to 127.0.0.1:" + str(port) + ", where another namespace's listener is"
        kit.knock(what, "127.0.0.1", port, kit.facts["word"], "network namespace of its own")
