"""Images must hold no programs that run with another user's rights."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CHECK = Check(
    id="CIS-4.8",
    title="setuid or setgid programs",
    severity=Severity.MEDIUM,
    rationale="A setuid program is the usual way from an ordinary user to root, and a web app calls none of them.",
    remediation="Remove the bits in the layer that brings the files, or use a base without them.",
    good=[
        FileSystem.of(Entry("usr/bin/python3", mode=0o755)),
        FileSystem.of(
            Entry("var/mail", "directory", mode=0o2775), Entry("usr/bin/su", "symlink", mode=0o4777, target="x")
        ),
    ],
    bad=[
        FileSystem.of(Entry("usr/bin/su", mode=0o4755)),
        FileSystem.of(Entry("usr/bin/chage", mode=0o2755)),
        FileSystem.of(Entry("usr/bin/link", "hardlink", mode=0o4755, target="usr/bin/su")),
    ],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each file of the merged file system with either bit; directories and links have no such meaning."""
    return failed_or_passed([f"/{entry.path}: {_bits(entry)}" for entry in files if entry.setuid_or_setgid])


def _bits(entry: Entry) -> str:
    bits = [f"setuid to uid {entry.uid}"] if entry.mode & 0o4000 else []
    bits += [f"setgid to gid {entry.gid}"] if entry.mode & 0o2000 else []
    return ", ".join(bits)
