"""Opening raw and packet sockets."""

from __future__ import annotations

import socket

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="raw-socket",
    title="No raw or packet socket can be opened",
    severity=Severity.MEDIUM,
    group=Group.NETWORK,
    rationale="With one a container forges packets and listens to its neighbours' on the same bridge.",
    remediation="Drop CAP_NET_RAW, best by --cap-drop ALL.",
)


def attack(kit: Kit) -> None:
    """Open both kinds, send nothing, and close them."""
    kinds = (
        ("a raw ICMP socket", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        ("a raw TCP socket", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
        ("a packet socket", socket.AF_PACKET, socket.SOCK_RAW, 0),
    )
    for what, family, kind, protocol in kinds:
        try:
            socket.socket(family, kind, protocol).close()
        except OSError as error:
            kit.refused("open " + what, error.errno, capability="NET_RAW")
        else:
            kit.succeeded("open " + what, "opened; nothing was sent")
