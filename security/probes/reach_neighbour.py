"""Reaching the port of a neighbour container, on a network that the run made for this."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="reach-neighbour",
    title="A neighbour container's port cannot be reached",
    severity=Severity.MEDIUM,
    group=Group.NETWORK,
    rationale="From one broken app an attacker goes to the next; databases and caches often ask for no "
    "password inside.",
    remediation="Give the container a network of its own, without a route to others: --network none, or an "
    "internal one.",
)


def attack(kit: Kit) -> None:
    """Make one connection to the neighbour's listener, where it can be made without leaving the run's own network."""
    address, port = kit.facts.get("neighbour") or ("", 0)
    if not address:
        kit.absent("connect to a neighbour", "no neighbour was started")
        return
    what = "connect to " + address + ":" + str(port)
    number = kit.route(address)
    if number:
        kit.stopped(what, "network namespace without a route there", number, "nothing was sent")
    elif not kit.facts.get("on_neighbours_network"):
        kit.absent(what, "the only way there leads out of the run's own networks; nothing was sent")
    else:
        kit.knock(what, address, port, kit.facts["word"], "the network keeps its containers apart")
