"""Giving a file to another user."""

from __future__ import annotations

import os
import tempfile

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="chown",
    title="A file cannot be given to another user",
    severity=Severity.MEDIUM,
    group=Group.KERNEL,
    rationale="Who may change owners may make a setuid program of any file.",
    remediation="Drop CAP_CHOWN, best by --cap-drop ALL, and do not run as root.",
)
SOMEBODY_ELSE = 12345


def attack(kit: Kit) -> None:
    """Change the owner of an anonymous file, which needs no place to write and leaves nothing behind."""
    what = "chown a file of one's own to uid " + str(SOMEBODY_ELSE)
    try:
        file = os.memfd_create("probe") if hasattr(os, "memfd_create") else tempfile.mkstemp()[0]
    except OSError as error:
        kit.absent(what, "no file could be made to try it on", error.errno)
        return
    try:
        os.fchown(file, SOMEBODY_ELSE, -1)
    except OSError as error:
        kit.refused(what, error.errno, capability="CHOWN")
    else:
        kit.succeeded(what, "the owner is now uid " + str(os.fstat(file).st_uid))
