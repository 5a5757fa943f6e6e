"""Reaching the address where clouds hand out credentials; nothing is sent beyond the run's own namespaces."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="reach-cloud-metadata",
    title="The cloud's metadata address cannot be reached",
    severity=Severity.HIGH,
    group=Group.NETWORK,
    rationale="Its answer holds the machine's credentials, for whoever asks from there.",
    remediation="Give the container no outside route: --network none, or an internal network.",
)
ADDRESS = "169.254.169.254"


def attack(kit: Kit) -> None:
    """Connect where the address is on an interface of this very namespace; else look for a route, and send nothing."""
    what = "connect to " + ADDRESS + ":80"
    if kit.facts.get("host_network"):
        kit.absent(what, "the machine's own network namespace: nothing was sent")
        return
    if kit.is_local(ADDRESS):
        kit.knock(what, ADDRESS, 80, kit.facts["word"], "nothing listens")
        return
    number = kit.route(ADDRESS)
    if number:
        kit.stopped(what, "network namespace without a route there", number, "nothing was sent")
    else:
        kit.absent(what, "a route leads out of the run's own namespaces, so nothing was sent")
