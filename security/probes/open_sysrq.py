"""Reaching the machine's emergency commands; the file is opened and never written to."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="open-sysrq",
    title="/proc/sysrq-trigger cannot be opened for writing",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="One byte written to it restarts or halts the machine.",
    remediation="Leave the engine's read-only paths on: no --privileged, no systempaths=unconfined.",
)
PATH = "/proc/sysrq-trigger"


def attack(kit: Kit) -> None:
    """Open it for writing, and close it."""
    try:
        os.close(os.open(PATH, os.O_WRONLY))
    except OSError as error:
        kit.refused("open " + PATH + " for writing", error.errno)
    else:
        kit.succeeded("open " + PATH + " for writing", "opened; nothing was written")
