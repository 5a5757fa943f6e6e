"""Changelogs of Debian source packages, fetched once for each version and kept: a published version never changes."""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from security.advisories.apt_root import AptRoot, Download, without_secrets
from security.advisories.deb_files import NoChangelog, read_changelog
from security.advisories.suites import Binary

MAX_PACKAGE_BYTES = 200 << 20
TRIES = 4
"""How many binary packages of one source are looked into: some have only a link in place of their changelog."""
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~-]*")

Key = tuple[str, str]
"""A source package's name and version."""


class ChangelogStore:
    """A folder of changelogs, by source package and version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, name: str, version: str) -> bool:
        """Say whether a changelog is here already."""
        return self._path(name, version).exists()

    def lines(self, name: str, version: str) -> Iterator[str]:
        """Yield a changelog's lines; none where it is not here, or its file is damaged."""
        with suppress(OSError, EOFError, zlib.error), gzip.open(self._path(name, version), "rt", errors="replace") as f:
            yield from f

    def fetch(self, wanted: Mapping[Key, Sequence[Binary]], root: AptRoot) -> dict[Key, str]:
        """Fetch the changelogs that are not here yet.

        Args:
            wanted: for each source package its binary packages, those to be tried first in front.
            root: what downloads and verifies them.

        Returns:
            Why there is none, for each source that has none afterwards.

        Raises:
            ToolMissing: this machine has no apt.

        """
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = {key: list(binaries) for key, binaries in wanted.items() if not self.has(*key)}
        failed = {key: "no suite has a package of this version" for key in missing}
        for _ in range(TRIES):
            tried = {key: left.pop(0) for key, left in missing.items() if left}
            if not tried:
                break
            for key, reason in self._try(tried, root).items():
                failed[key] = reason
            done = [key for key in tried if self.has(*key)]
            for key in done:
                del missing[key], failed[key]
        return failed

    def _try(self, tried: Mapping[Key, Binary], root: AptRoot) -> dict[Key, str]:
        failed: dict[Key, str] = {}
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".part-") as name:
            files: dict[Key, Path] = {}
            for number, (key, binary) in enumerate(tried.items()):
                if binary.size > MAX_PACKAGE_BYTES or not all(SAFE.fullmatch(word) for word in key):
                    failed[key] = "its package is larger than any real one, or has a name that is none of Debian's"
                else:
                    files[key] = Path(name) / f"{number}.deb"
            said = root.download(
                [
                    Download(address=tried[key].address, target=file, sha256=tried[key].sha256)
                    for key, file in files.items()
                ]
            )
            for key, file in files.items():
                if not file.exists():
                    failed[key] = f"its package could not be fetched ({without_secrets(said or 'no reason given')})"
                    continue
                try:
                    self._keep(key, _read(file, tried[key]))
                except NoChangelog as error:
                    failed[key] = str(error)
        return failed

    def _keep(self, key: Key, changelog: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(gzip.compress(changelog, mtime=0))
            Path(name).replace(self._path(*key))
        finally:
            Path(name).unlink(missing_ok=True)

    def _path(self, name: str, version: str) -> Path:
        return self._folder / f"{name}_{version}.changelog.gz"


def _read(file: Path, binary: Binary) -> bytes:
    return read_changelog(
        file.read_bytes(), package=binary.name, source=binary.source, source_version=binary.source_version
    )
