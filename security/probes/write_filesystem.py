"""Writing where programs and settings lie: /, the app's own folder, /usr, /etc."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="write-filesystem",
    title="Nothing can be written to /, the app's folder, /usr or /etc",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="Who can write there changes the app, or leaves a program that a later start runs.",
    remediation="Start the container with a read-only root (--read-only), and let no file there belong to the "
    "app's user.",
)


def attack(kit: Kit) -> None:
    """Create a file that is not there yet, and remove it."""
    for place in dict.fromkeys(("/", "/app", os.getcwd(), "/usr", "/etc")):
        name = os.path.join(place, ".seatrial-" + kit.facts["nonce"])
        what = "create a file in " + place
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            kit.refused(what, error.errno)
        else:
            os.unlink(name)
            kit.succeeded(what, "created and removed")
