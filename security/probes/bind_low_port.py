"""Listening on a port that clients trust."""

from __future__ import annotations

import errno
import socket

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="bind-low-port",
    title="No port under 1024 can be bound",
    severity=Severity.LOW,
    group=Group.NETWORK,
    rationale="Ports under 1024 are taken for services that an administrator started.",
    remediation="Drop CAP_NET_BIND_SERVICE and set the sysctl net.ipv4.ip_unprivileged_port_start=1024: Docker "
    "sets it to 0.",
)
PORTS = (80, 443, 1023)


def attack(kit: Kit) -> None:
    """Bind on the loopback, listen to nobody, and close."""
    for port in PORTS:
        what = "bind 127.0.0.1:" + str(port)
        if kit.facts.get("host_network"):
            kit.absent(what, "the machine's own network namespace: nothing was bound")
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    kit.absent(what, "something listens there already", error.errno)
                elif kit.has("NET_BIND_SERVICE"):
                    kit.refused(what, error.errno)
                else:
                    by = "CAP_NET_BIND_SERVICE is not held, and unprivileged ports begin higher"
                    kit.stopped(what, by, error.errno)
            else:
                kit.succeeded(what, "bound and released")
