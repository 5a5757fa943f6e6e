"""Volumes must not lie over the kernel's own file systems."""

from __future__ import annotations

import posixpath

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import ImageConfig

CHECK = Check(
    id="DKL-DI-0002",
    title="VOLUME over a system path",
    severity=Severity.HIGH,
    rationale="A volume there hides what the runtime masks, or hands the kernel's files to whoever mounts it.",
    remediation="Keep data in a folder of its own, such as /data.",
    good=[ImageConfig(volumes=("/data", "/processed", "/devices"))],
    bad=[ImageConfig(volumes=(path,)) for path in ("/proc", "/dev", "/sys/", "/sys/kernel", "/data/../proc", "//dev")],
)


def test(image: ImageConfig) -> Outcome:
    """Fail for each VOLUME at or under /dev, /proc or /sys."""
    return failed_or_passed([f"VOLUME: {path}" for path in image.volumes if _top(path) in ("dev", "proc", "sys")])


def _top(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/")).split("/")[1]
