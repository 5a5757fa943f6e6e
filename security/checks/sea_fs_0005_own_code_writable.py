"""Code must belong to root, so that the app cannot change what it runs."""

from __future__ import annotations

import posixpath
from collections import Counter

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CODE = (".py", ".pyc", ".so", ".pth", ".sh")

CHECK = Check(
    id="SEA-FS-0005",
    title="Code that others than root may change",
    severity=Severity.LOW,
    rationale="Who can make the app write a file can then make it run what was written, after the next restart too.",
    remediation="Leave the code to root (COPY without --chown), and give the app's user only the folders it writes to.",
    good=[
        FileSystem.of(Entry("app/app.py"), Entry("app/data.db", uid=10001), Entry("home/app", "directory", uid=10001)),
        FileSystem.of(Entry("app/app.py", uid=10001, mode=0o444)),
        FileSystem.of(Entry("app/app.py", gid=10001, mode=0o644)),
    ],
    bad=[
        FileSystem.of(Entry("app/app.py", uid=10001)),
        FileSystem.of(Entry("app/lib/x.so", gid=10001, mode=0o664)),
    ],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each folder with code that another owner or group than root may write."""
    folders = Counter(posixpath.dirname(entry.path) for entry in files if _writable_code(entry))
    return failed_or_passed([f"/{folder}: {count} files" for folder, count in folders.items()])


def _writable_code(entry: Entry) -> bool:
    if entry.kind != "file" or not entry.path.endswith(CODE):
        return False
    by_owner = entry.uid != 0 and entry.mode & 0o200
    by_group = entry.gid != 0 and entry.mode & 0o020
    return bool(by_owner or by_group)
