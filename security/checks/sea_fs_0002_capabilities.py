"""Files must not carry capabilities of their own."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CHECK = Check(
    id="SEA-FS-0002",
    title="Files with capabilities",
    severity=Severity.MEDIUM,
    rationale="A file capability gives rights to whoever runs the file, as setuid does, and `ls` does not show it.",
    remediation="setcap -r FILE, and give the container the capability where it is really needed.",
    good=[FileSystem.of(Entry("usr/bin/ping", mode=0o755))],
    bad=[FileSystem.of(Entry("usr/bin/ping", mode=0o755, capabilities=True))],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each file with the extended attribute security.capability."""
    return failed_or_passed([f"/{entry.path}: security.capability is set" for entry in files if entry.capabilities])
