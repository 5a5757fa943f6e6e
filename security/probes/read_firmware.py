"""Reading the machine's firmware tables."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="read-firmware",
    title="/sys/firmware shows nothing",
    severity=Severity.LOW,
    group=Group.FILES,
    rationale="It tells the machine's make, serial numbers and variables.",
    remediation="Leave the engine's masked paths on: no --privileged, no systempaths=unconfined.",
)
PATH = "/sys/firmware"


def attack(kit: Kit) -> None:
    """List it, and read the first bytes of one file."""
    try:
        names = sorted(os.listdir(PATH))
    except OSError as error:
        kit.refused("list " + PATH, error.errno)
        return
    if not names:
        kit.stopped("list " + PATH, "masked path", None, "0 entries")
        return
    kit.succeeded("list " + PATH, str(len(names)) + " entries: " + ", ".join(names[:5]))
    for folder, _, files in os.walk(PATH):
        for name in sorted(files)[:1]:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb", buffering=0) as file:
                    kit.succeeded("read " + path, str(len(file.read(64))) + " bytes")
            except OSError as error:
                kit.refused("read " + path, error.errno)
            return
