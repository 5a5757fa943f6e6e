"""Layers must hold no entries that an honest build does not make."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import FileSystem

CHECK = Check(
    id="SEA-FS-0004",
    title="Layer entries that lead out of the root",
    severity=Severity.HIGH,
    rationale="A name with `..` is meant for a tool that unpacks carelessly, on the machine that looks at the image.",
    remediation="Do not unpack or run this image; find out who made it.",
    good=[FileSystem.of()],
    bad=[FileSystem(oddities=("layer 0: entry '../../etc/passwd' leads out of the root",))],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each entry that was left out while the layers were read."""
    return failed_or_passed(files.oddities)
