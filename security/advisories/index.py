"""An OSV dump as a database on disk, made once for each content, so that looking up an image's packages is quick."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.errors import UnreadableOutput
from harness.locks import waiting_lock
from harness.paths import cache_dir
from security.advisories import dumps
from security.advisories.ranges import Affected, Event
from security.advisories.records import Record

VERSION = 1
"""Of the tables below: an index of another version is made anew."""
TABLES = """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE record (number INTEGER PRIMARY KEY, id TEXT NOT NULL, data TEXT NOT NULL);
    CREATE TABLE affected (ecosystem TEXT NOT NULL, name TEXT NOT NULL, record INTEGER NOT NULL, data TEXT NOT NULL);
"""
KEPT_DAYS = 30
UNREADABLE_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one record says of the package that was asked for."""

    id: str
    aliases: tuple[str, ...]
    upstream: tuple[str, ...]
    summary: str
    vectors: tuple[str, ...]
    words: tuple[str, ...]
    affected: Affected


class Index:
    """One dump's records, by ecosystem and package."""

    def __init__(self, connection: sqlite3.Connection, sha256: str) -> None:
        self._connection = connection
        self.sha256 = sha256
        """The dump's hash, in hex."""
        meta: dict[str, str] = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        self.newest = meta["newest"]
        """The date and time of the newest record, in UTC; empty where none has a usable one."""
        self.records = int(meta["records"])
        self.unreadable = int(meta["unreadable"])
        self.unreadable_examples: tuple[str, ...] = tuple(json.loads(meta["unreadable_examples"]))

    def knows(self, ecosystem: str) -> bool:
        """Say whether any record is about the ecosystem."""
        asked = self._connection.execute("SELECT 1 FROM affected WHERE ecosystem = ? LIMIT 1", (ecosystem,))
        return asked.fetchone() is not None

    def entries(self, ecosystem: str, name: str) -> Iterator[Entry]:
        """Yield what the records say of a package, withdrawn records left out."""
        rows = self._connection.execute(
            "SELECT record.id, record.data, affected.data FROM affected JOIN record ON record.number = affected.record"
            " WHERE affected.ecosystem = ? AND affected.name = ? ORDER BY record.id",
            (ecosystem, name),
        )
        for identifier, record, affected in rows:
            yield _entry(identifier, json.loads(record), json.loads(affected))

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def open_index(dump: Path, *, folder: Path | None = None) -> Index:
    """Return the index of a dump; make it first where this content has none yet.

    Args:
        dump: the ZIP archive.
        folder: where indexes are kept; the cache folder by default.

    Raises:
        UnreadableOutput: the dump cannot be read, or holds no usable record.

    """
    where = folder or cache_dir() / "advisories" / "index"
    path = where / f"{dumps.sha256(dump)}-v{VERSION}.sqlite"
    with suppress(sqlite3.Error, KeyError, ValueError):
        return _open(path)
    with waiting_lock(where / "lock"):
        with suppress(sqlite3.Error, KeyError, ValueError):
            return _open(path)  # Another process made it meanwhile.
        _build(dump, path)
        _forget_old(where)
    return _open(path)


def _open(path: Path) -> Index:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        index = Index(connection, path.name.partition("-")[0])
    except BaseException:
        connection.close()
        raise
    with suppress(OSError):
        os.utime(path)
    return index


def _build(dump: Path, path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            # A crash leaves only a file that nobody opens, so nothing needs to reach the disk in order.
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES + "BEGIN;")
            _fill(connection, dump)
            connection.execute("CREATE INDEX by_package ON affected (ecosystem, name, record)")
            connection.execute("COMMIT")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, dump: Path) -> None:
    count, unreadable = 0, []
    newest: datetime | None = None
    latest = datetime.now(UTC) + timedelta(days=1)
    for record in dumps.records(dump):
        if isinstance(record, dumps.Unreadable):
            unreadable.append(record)
            continue
        count += 1
        moment = _moment(record.modified, latest)
        if moment is not None and (newest is None or moment > newest):
            newest = moment
        if not record.withdrawn:
            _insert(connection, count, record)
    if count == 0:
        why = f"; the first of {len(unreadable)}: {unreadable[0].file}, {unreadable[0].reason}" if unreadable else ""
        raise UnreadableOutput(f"The advisory data {dump} holds no usable record{why}.", dumps.HINT)
    examples = [f"{one.file}: {one.reason}" for one in unreadable[:UNREADABLE_NAMED]]
    meta = {"newest": newest.isoformat() if newest else "", "records": str(count), "unreadable": str(len(unreadable))}
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)", [*meta.items(), ("unreadable_examples", json.dumps(examples))]
    )


def _insert(connection: sqlite3.Connection, number: int, record: Record) -> None:
    data = [record.aliases, record.upstream, record.summary, record.vectors, record.words]
    connection.execute("INSERT INTO record VALUES (?, ?, ?)", (number, record.id, _json(data)))
    rows = []
    for one in record.packages:
        ranges = [[[event.kind, event.version] for event in events] for events in one.affected.ranges]
        said = _json([one.affected.versions, ranges, one.vectors, one.words])
        rows.append((one.ecosystem, one.name, number, said))
    connection.executemany("INSERT INTO affected VALUES (?, ?, ?, ?)", rows)


def _entry(identifier: str, record: list[Any], affected: list[Any]) -> Entry:
    aliases, upstream, summary, vectors, words = record
    versions, ranges, own_vectors, own_words = affected
    return Entry(
        id=identifier,
        aliases=tuple(aliases),
        upstream=tuple(upstream),
        summary=summary,
        # What a record says of the package alone counts before what it says of the vulnerability.
        vectors=tuple(own_vectors or vectors),
        words=tuple(own_words or words),
        affected=Affected(
            versions=tuple(versions),
            ranges=tuple(tuple(Event(kind, version) for kind, version in events) for events in ranges),
        ),
    )


def _moment(text: str, latest: datetime) -> datetime | None:
    """Read a record's date in UTC; None for what is no date, has no zone, or lies in the future."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo and moment <= latest else None
    except (ValueError, OverflowError):
        return None


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _forget_old(folder: Path) -> None:
    """Remove indexes that nobody opened for long, and parts that a killed process left."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in (*folder.glob("*.sqlite"), *folder.glob("*.part")):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
