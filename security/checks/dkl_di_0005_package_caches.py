"""Package managers' caches and lists must not be in the image."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CACHES = {
    "var/lib/apt/lists": "var/lib/apt/lists/*",
    "var/cache/apt/archives": "var/cache/apt/archives/*.deb",
    "var/cache/apt": "var/cache/apt/*pkgcache.bin",
    "var/cache/apk": "var/cache/apk/*",
    "var/cache/dnf": "var/cache/dnf/*",
    "var/cache/yum": "var/cache/yum/*",
    "root/.cache/pip": "root/.cache/pip/*",
    "root/.npm/_cacache": "root/.npm/_cacache/*",
}

CHECK = Check(
    id="DKL-DI-0005",
    title="Package manager's caches left in the image",
    severity=Severity.LOW,
    rationale="They make the image larger, and tell an intruder what may be installed.",
    remediation="Remove them in the RUN that fills them: rm -rf /var/lib/apt/lists/*; pip install --no-cache-dir.",
    good=[
        FileSystem.of(
            Entry("var/lib/apt/lists", "directory"),
            Entry("var/lib/apt/lists/lock"),
            Entry("var/cache/apt/archives/lock"),
        ),
        FileSystem.of(Entry("var/lib/apt/lists/partial", "directory")),
    ],
    bad=[
        FileSystem.of(Entry("var/lib/apt/lists/deb_Packages", size_bytes=9)),
        FileSystem.of(Entry("var/cache/apt/archives/x_1_all.deb", size_bytes=9)),
        FileSystem.of(Entry("var/cache/apt/srcpkgcache.bin", size_bytes=9)),
        FileSystem.of(Entry("root/.cache/pip/http/a", size_bytes=9)),
        FileSystem.of(Entry("var/cache/apk/APKINDEX.1.tar.gz", size_bytes=9)),
    ],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each cache folder with files in the merged file system; empty files such as locks do not count."""
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for entry in files:
        if entry.kind != "file" or not entry.size_bytes:
            continue
        for folder, pattern in CACHES.items():
            if fnmatchcase(entry.path, pattern):
                count[folder] += 1
                size[folder] += entry.size_bytes
    return failed_or_passed([f"/{folder}: {count[folder]} files, {size[folder]:,} bytes" for folder in count])
