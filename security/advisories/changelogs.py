"""Debian changelogs: which entries lie between two versions, and which vulnerabilities they name; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from security.advisories.versions import InvalidVersion, dpkg

HEADER = re.compile(r"^(\w[-+0-9a-z.]*) \(([^() \t]+)\)((?:\s+[-+0-9a-zA-Z.]+)+);")
"""The first line of an entry (deb-changelog(5))."""
CVE = re.compile(r"\bCVE[- ](\d{4})-(\d{4,19})\b", re.IGNORECASE)
MAX_LINE = 300


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version's entry."""

    version: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mention:
    """One vulnerability named in one entry, with the line that names it."""

    cve: str
    version: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Between:
    """The entries that came after a version, the newest first."""

    entries: tuple[Entry, ...]
    complete: bool
    """Whether the changelog goes back to that version; if not, entries may be missing."""


def parse(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of a changelog, the newest first, reading no further than is asked for."""
    version: str | None = None
    body: list[str] = []
    for raw in lines:
        line = raw.rstrip()
        if header := HEADER.match(line):
            if version is not None:
                yield Entry(version=version, lines=tuple(body))
            version, body = header[2], []
        elif version is not None and line.strip():
            body.append(line.strip())
    if version is not None:
        yield Entry(version=version, lines=tuple(body))


def between(lines: Iterable[str], *, installed: str, available: str) -> Between:
    """Return the entries after the installed version, up to the available one.

    A changelog is the history of the package that it is in: what stands above the installed version's entry came after
    it. Where that entry is missing (a binary built anew, a history cut short), versions are compared instead.

    Raises:
        InvalidVersion: one of the two is no Debian version.

    """
    oldest, newest = dpkg(installed), dpkg(available)
    found: list[Entry] = []
    for entry in parse(lines):
        if entry.version == installed:
            return Between(entries=tuple(found), complete=True)
        try:
            version = dpkg(entry.version)
        except InvalidVersion:
            version = None
        if version is not None and version <= oldest:
            return Between(entries=tuple(found), complete=True)
        if version is None or version <= newest:
            found.append(entry)
    return Between(entries=tuple(found), complete=False)


def mentions(entries: Iterable[Entry]) -> tuple[Mention, ...]:
    """Return each vulnerability that the entries name, with the oldest entry that does: the one that fixed it first."""
    found: dict[str, Mention] = {}
    for entry in reversed(tuple(entries)):
        for line in entry.lines:
            for match in CVE.finditer(line):
                name = f"CVE-{match[1]}-{match[2]}"
                found.setdefault(name, Mention(cve=name, version=entry.version, line=_clean(line)))
    return tuple(found[name] for name in sorted(found))


def _clean(line: str) -> str:
    text = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…"
