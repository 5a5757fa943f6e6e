"""Making a device file."""

from __future__ import annotations

import os
import stat

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="mknod",
    title="No device file can be made",
    severity=Severity.MEDIUM,
    group=Group.KERNEL,
    rationale="A device file of the machine's disk is the machine's disk, wherever the device cgroup lets it "
    "be opened.",
    remediation="Drop CAP_MKNOD, best by --cap-drop ALL.",
)


def attack(kit: Kit) -> None:
    """Make a second /dev/null, which harms nobody, in every place that can be written to, and remove it."""
    places = kit.writable_places()
    if not places:
        kit.stopped("mknod a character device", "no place can be written to")
    for place in places:
        name = os.path.join(place, ".seatrial-" + kit.facts["nonce"])
        what = "mknod a character device in " + place
        try:
            os.mknod(name, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except OSError as error:
            kit.refused(what, error.errno, capability="MKNOD")
        else:
            os.unlink(name)
            kit.succeeded(what, "a second /dev/null was made and removed")
