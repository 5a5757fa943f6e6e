"""What a Debian release's suites hold now: their indexes, read once into a small database."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from security.advisories.apt_root import IndexFile

VERSION = 1
TABLES = """
    CREATE TABLE meta (stamp TEXT NOT NULL);
    CREATE TABLE binary (name TEXT, suite TEXT, version TEXT, source TEXT, source_version TEXT,
                         address TEXT, size INTEGER, sha256 TEXT);
"""
FIELD = re.compile(rb"^(Package|Version|Source|Filename|Size|SHA256):[ \t]*(.*)$", re.MULTILINE)
SOURCE = re.compile(r"(\S+)(?: \((\S+)\))?")


@dataclass(frozen=True, slots=True)
class Binary:
    """One version of a binary package in a suite, and where its file is."""

    name: str
    suite: str
    version: str
    source: str
    source_version: str
    address: str
    size: int
    sha256: str


class Suites:
    """The packages of a release's suites."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def binaries(self, name: str) -> tuple[Binary, ...]:
        """Return every version of a binary package."""
        rows = self._connection.execute("SELECT * FROM binary WHERE name = ?", (name,))
        return tuple(Binary(*row) for row in rows)

    def built_from(self, source: str, source_version: str) -> tuple[Binary, ...]:
        """Return the binary packages that were built from one version of a source package, the smallest first."""
        rows = self._connection.execute(
            "SELECT * FROM binary WHERE source = ? AND source_version = ? ORDER BY size, name", (source, source_version)
        )
        return tuple(Binary(*row) for row in rows)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def open_suites(indexes: Sequence[IndexFile], folder: Path) -> Suites:
    """Return the packages that the indexes list; read them first where one has changed since."""
    path = folder / f"packages-v{VERSION}.sqlite"
    stamp = repr(sorted((str(one.path), one.path.stat().st_size, one.path.stat().st_mtime_ns) for one in indexes))
    for attempt in (1, 2):
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            try:
                row = connection.execute("SELECT stamp FROM meta").fetchone()
            except sqlite3.Error:
                row = None
            if row == (stamp,):
                return Suites(connection)
            connection.close()
        if attempt == 1:
            _build(indexes, path, stamp)
    raise RuntimeError(f"{path} cannot be read right after it was made")


def parse_packages(data: bytes, suite: str, address: str) -> Iterator[Binary]:
    """Read a Packages index; what has no name, version or file is left out."""
    for stanza in data.split(b"\n\n"):
        fields = _fields(stanza)
        if not fields.keys() >= {"Package", "Version", "Filename", "SHA256"}:
            continue
        match = SOURCE.fullmatch(fields.get("Source", ""))
        size = fields.get("Size", "")
        yield Binary(
            name=fields["Package"],
            suite=suite,
            version=fields["Version"],
            source=match[1] if match else fields["Package"],
            source_version=(match[2] if match else None) or fields["Version"],
            address=f"{address.rstrip('/')}/{fields['Filename']}",
            size=int(size) if size.isdigit() else 0,
            sha256=fields["SHA256"],
        )


def _fields(stanza: bytes) -> dict[str, str]:
    return {key.decode(): value.decode("utf-8", "replace").strip() for key, value in FIELD.findall(stanza)}


def _build(indexes: Sequence[IndexFile], path: Path, stamp: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
            connection.execute("BEGIN")
            for one in indexes:
                rows = parse_packages(one.path.read_bytes(), one.suite, one.address)
                connection.executemany("INSERT INTO binary VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(astuple, rows))
            connection.execute("CREATE INDEX by_name ON binary (name)")
            connection.execute("CREATE INDEX by_source ON binary (source, source_version)")
            connection.execute("INSERT INTO meta VALUES (?)", (stamp,))
            connection.execute("COMMIT")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
