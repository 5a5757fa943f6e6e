"""Nothing but temporary folders may be writable for everyone."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CHECK = Check(
    id="SEA-FS-0001",
    title="Files that everyone may write",
    severity=Severity.MEDIUM,
    rationale="Whoever gets a foothold as any user can change what other users run or read.",
    remediation="chmod o-w in the layer that brings the file; a shared folder needs the sticky bit (1777).",
    good=[
        FileSystem.of(
            Entry("tmp", "directory", mode=0o1777),
            Entry("app/app.py"),
            Entry("bin", "symlink", mode=0o777, target="usr/bin"),
        ),
        FileSystem.of(Entry("dev/null", "device", mode=0o666), Entry("dev/shm", "directory", mode=0o777)),
    ],
    bad=[FileSystem.of(Entry("app/app.py", mode=0o666)), FileSystem.of(Entry("data", "directory", mode=0o777))],
)


def test(files: FileSystem) -> Outcome:
    """Fail for world-writable files, and folders without the sticky bit; /dev, /proc and /sys are the runtime's."""
    return failed_or_passed(
        [
            f"/{entry.path}: {entry.kind}, mode {entry.mode:04o}"
            for entry in files
            if _open(entry) and not _masked(entry.path)
        ]
    )


def _open(entry: Entry) -> bool:
    if entry.kind == "directory":
        return bool(entry.mode & 0o002) and not entry.mode & 0o1000
    return entry.kind in ("file", "hardlink") and bool(entry.mode & 0o002)


def _masked(path: str) -> bool:
    return path.split("/")[0] in ("dev", "proc", "sys")
