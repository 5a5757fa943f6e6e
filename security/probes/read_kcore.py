"""Reading the machine's memory through /proc/kcore."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="read-kcore",
    title="/proc/kcore cannot be read",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="It is the whole memory of the machine.",
    remediation="Leave the engine's masked paths on: no --privileged, no systempaths=unconfined.",
)
PATH = "/proc/kcore"


def attack(kit: Kit) -> None:
    """Read the first bytes: the header of an ELF file, where it is the real one."""
    what = "read " + PATH
    try:
        with open(PATH, "rb", buffering=0) as file:
            masked = os.path.samestat(os.fstat(file.fileno()), os.stat("/dev/null"))
            data = file.read(64)
    except OSError as error:
        kit.refused(what, error.errno)
        return
    if data.startswith(b"\x7fELF"):
        kit.succeeded(what, str(len(data)) + " bytes: an ELF core")
    elif masked:
        kit.stopped(what, "masked path", None, "it is /dev/null here; 0 bytes")
    else:
        kit.absent(what, str(len(data)) + " bytes that are no core")
