"""Device nodes belong to the runtime, not to an image."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CHECK = Check(
    id="SEA-FS-0003",
    title="Device nodes in the image",
    severity=Severity.HIGH,
    rationale="A node for a disk or for memory is a way past every file permission.",
    remediation="Remove it; give a container a device by --device where it needs one.",
    good=[FileSystem.of(Entry("dev/null", "device", mode=0o666)), FileSystem.of(Entry("app/disk"))],
    bad=[FileSystem.of(Entry("app/disk", "device", mode=0o660))],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each device node outside /dev, which the runtime mounts over."""
    return failed_or_passed(
        [
            f"/{entry.path}: device node"
            for entry in files
            if entry.kind == "device" and not entry.path.startswith("dev/")
        ]
    )
