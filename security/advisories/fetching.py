"""Fetches OSV's dumps into a folder, each whole or not at all, and remembers as of when they are."""

from __future__ import annotations

import http.client
import json
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import UnreadableOutput
from harness.locks import waiting_lock
from harness.paths import cache_dir
from security.advisories.addresses import addresses
from security.advisories.dumps import MAX_ARCHIVE_BYTES
from security.advisories.index import open_index

CONNECT_TIMEOUT_S = 20.0
TIMEOUT_S = 900.0
CHUNK = 1 << 16
NOTES = "as-of.json"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One ecosystem's data as it is here now."""

    ecosystem: str
    as_of: str
    records: int
    changed: bool
    """Whether it is other data than before."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """One ecosystem whose data could not be fetched, and why."""

    ecosystem: str
    reason: str
    kept_as_of: str | None
    """Date of older data that stays in use; None where there is none."""


def default_folder() -> Path:
    """Return where fetched data is kept."""
    return cache_dir() / "advisories" / "osv"


def update(
    ecosystems: Sequence[str] = (),
    *,
    folder: Path | None = None,
    address: str | None = None,
    index_folder: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Fetched | Missing, ...]:
    """Fetch the dumps of some ecosystems, those of `sources.toml` by default; one that fails stops no other.

    A dump takes the old one's place only after all of it was read. It is indexed then, so that the next scan need not.

    Args:
        ecosystems: OSV's names of them.
        folder: where they are put.
        address: where they are fetched from, with `{ecosystem}` in it; `sources.toml`'s by default.
        index_folder: where the indexes are put.
        say: told in one line what is being fetched.

    """
    where = folder or default_folder()
    found: list[Fetched | Missing] = []
    for ecosystem in ecosystems or addresses().ecosystems:
        say(f"Fetching OSV's data for {ecosystem}")
        with waiting_lock(where / "lock"):
            notes = _read_notes(where)
            known = notes.get(ecosystem, {}) if (where / ecosystem / "all.zip").is_file() else {}
            try:
                done, note = _fetch(ecosystem, known, where, address or addresses().dump, index_folder)
            except (OSError, http.client.HTTPException, UnreadableOutput, ValueError) as error:
                found.append(Missing(ecosystem=ecosystem, reason=_reason(error), kept_as_of=known.get("as_of")))
                continue
            _write_notes(where, {**notes, ecosystem: note})
            found.append(done)
    return tuple(found)


def as_of(folder: Path, ecosystem: str, sha256: str) -> date | None:
    """Return the day on which this very dump was OSV's current one; None where it was not fetched by `update`."""
    note = _read_notes(folder).get(ecosystem, {})
    try:
        return date.fromisoformat(note["as_of"]) if note.get("sha256") == sha256 else None
    except (KeyError, TypeError, ValueError):
        return None


def _fetch(
    ecosystem: str, known: dict[str, Any], folder: Path, address: str, index_folder: Path | None
) -> tuple[Fetched, dict[str, Any]]:
    url = address.format(ecosystem=ecosystem)
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "127.0.0.1"):
        raise ValueError(f"{url} is no https address")
    headers = {"If-None-Match": known["etag"]} if isinstance(known.get("etag"), str) else {}
    today = datetime.now(UTC).date().isoformat()
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=CONNECT_TIMEOUT_S)  # noqa: S310 - https, checked above
    except urllib.error.HTTPError as error:
        if error.code != 304:
            raise
        done = Fetched(ecosystem=ecosystem, as_of=today, records=int(known.get("records", 0)), changed=False)
        return done, {**known, "as_of": today}
    target = folder / ecosystem / "all.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    part = Path(name)
    try:
        with response, os.fdopen(handle, "wb") as file:
            _copy(response, file, response.headers.get("Content-Length"))
            etag = response.headers.get("ETag")
        with closing(open_index(part, folder=index_folder)) as index:
            records, sha256 = index.records, index.sha256
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    changed = sha256 != known.get("sha256")
    note = {"as_of": today, "sha256": sha256, "etag": etag, "records": records}
    return Fetched(ecosystem=ecosystem, as_of=today, records=records, changed=changed), note


def _copy(response: Any, file: Any, length: str | None) -> None:
    done, deadline = 0, time.monotonic() + TIMEOUT_S
    while chunk := response.read(CHUNK):
        done += len(chunk)
        if done > MAX_ARCHIVE_BYTES:
            raise UnreadableOutput(f"it has more than {MAX_ARCHIVE_BYTES >> 20} MiB, more than any real dump")
        if time.monotonic() > deadline:
            raise UnreadableOutput(f"it took longer than {TIMEOUT_S:g} seconds")
        file.write(chunk)
    if length is not None and length.isdigit() and done != int(length):
        raise UnreadableOutput(f"only {done} of {length} bytes came")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"it could not be reached: {error.reason}"
    if isinstance(error, UnreadableOutput):
        return error.message
    return str(error) or type(error).__name__


def _read_notes(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        notes = json.loads((folder / NOTES).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: note for key, note in notes.items() if isinstance(note, dict)} if isinstance(notes, dict) else {}


def _write_notes(folder: Path, notes: dict[str, dict[str, Any]]) -> None:
    part = folder / f"{NOTES}.part"
    part.write_text(json.dumps(notes, indent=2, sort_keys=True), "utf-8")
    part.replace(folder / NOTES)
