"""OSV records as this program keeps them: read from JSON that nobody vouches for; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from security.advisories.ranges import EVENT_KINDS, Affected, Event

NAME = re.compile(r"[!-~]{1,200}")
MAX_SUMMARY = 300
GROUPING = ("DSA-", "DLA-", "DTSA-", "USN-", "RHSA-", "SUSE-", "ALSA-", "RLSA-", "OESA-")
"""Ids of announcements: what they name are vulnerabilities of their own, not other names of one."""


class BadRecord(ValueError):
    """A file is not an OSV record, or not one that can be relied on."""


@dataclass(frozen=True, kw_only=True)
class AffectedPackage:
    """What a record says of one package, and the ratings that hold for it alone."""

    ecosystem: str
    name: str
    affected: Affected
    vectors: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record:
    """One OSV record, cut down to what matching and reporting need."""

    id: str
    aliases: tuple[str, ...]
    upstream: tuple[str, ...]
    modified: str
    withdrawn: bool
    summary: str
    vectors: tuple[str, ...]
    words: tuple[str, ...]
    packages: tuple[AffectedPackage, ...]


def parse(data: bytes) -> Record:
    """Read a record.

    Raises:
        BadRecord: it is not JSON, or a part that matching depends on has the wrong shape.

    """
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"not JSON: {str(error)[:200]}") from error
    record = _dict(raw, "the record")
    identifier = _name(record.get("id"), "id")
    specific = record.get("database_specific")
    return Record(
        id=identifier,
        aliases=tuple(_name(item, "aliases") for item in _list(record.get("aliases"), "aliases")),
        upstream=tuple(_name(item, "upstream") for item in _list(record.get("upstream"), "upstream")),
        modified=_text(record.get("modified") or "", "modified"),
        withdrawn=bool(record.get("withdrawn")),
        summary=_summary(record),
        vectors=tuple(_vectors(record.get("severity"))),
        words=tuple([*_words(specific), *_severity_words(record.get("severity"))]),
        packages=tuple(_packages(record.get("affected"))),
    )


def names_of(identifier: str, aliases: tuple[str, ...], upstream: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """Return the vulnerabilities that a record is about, each as the set of its names.

    A record is about one vulnerability, with its aliases and, for a distribution's own record of it, its upstream
    name. An announcement (DSA-5678-1) is about each of the vulnerabilities that it names.
    """
    if identifier.startswith(GROUPING) and (named := sorted({*aliases, *upstream} - {identifier})):
        return tuple(frozenset({one}) for one in named)
    if len(upstream) > 1:
        return tuple(frozenset({one}) for one in sorted(set(upstream)))
    return (frozenset({identifier, *aliases, *upstream}),)


def normal_name(ecosystem: str, name: str) -> str:
    """Return a package's name in the form that an ecosystem treats as equal: PEP 503 for PyPI."""
    return str(canonicalize_name(name)) if ecosystem == "PyPI" else name


def _packages(raw: object) -> Iterator[AffectedPackage]:
    for item in _list(raw, "affected"):
        one = _dict(item, "affected[]")
        package = one.get("package")
        if package is None:
            continue  # Source repositories only: GIT ranges without a package.
        package = _dict(package, "affected[].package")
        ecosystem = _text(package.get("ecosystem"), "ecosystem")
        ranges = tuple(_ranges(one.get("ranges")))
        versions = tuple(_texts(one.get("versions"), "versions"))
        yield AffectedPackage(
            ecosystem=ecosystem,
            name=normal_name(ecosystem, _text(package.get("name"), "name")),
            affected=Affected(versions=versions, ranges=ranges),
            vectors=tuple(_vectors(one.get("severity"))),
            words=tuple([*_words(one.get("database_specific")), *_words(one.get("ecosystem_specific"))]),
        )


def _ranges(raw: object) -> Iterator[tuple[Event, ...]]:
    for item in _list(raw, "ranges"):
        one = _dict(item, "ranges[]")
        if one.get("type") not in ("ECOSYSTEM", "SEMVER"):
            continue
        events = []
        for event in _list(one.get("events"), "events"):
            for kind in EVENT_KINDS:
                if kind in _dict(event, "events[]"):
                    events.append(Event(kind, _text(event[kind], kind)))
        yield tuple(events)


def _vectors(raw: object) -> Iterator[str]:
    for item in raw if isinstance(raw, list) else ():
        if isinstance(item, dict) and str(item.get("type")).startswith("CVSS_") and isinstance(item.get("score"), str):
            yield item["score"]


def _severity_words(raw: object) -> Iterator[str]:
    for item in raw if isinstance(raw, list) else ():
        if isinstance(item, dict) and item.get("type") == "Ubuntu" and isinstance(item.get("score"), str):
            yield item["score"]


def _words(specific: object) -> Iterator[str]:
    for key in ("severity", "urgency"):
        if isinstance(specific, dict) and isinstance(specific.get(key), str):
            yield specific[key]


def _summary(record: dict[str, Any]) -> str:
    for key in ("summary", "details"):
        text = record.get(key)
        if isinstance(text, str) and text.strip():
            line = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text[:10_000].split()))
            return line if len(line) <= MAX_SUMMARY else line[: MAX_SUMMARY - 1] + "…"
    return ""


def _dict(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRecord(f"{what} is no object")
    return value


def _list(value: object, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRecord(f"{what} is no list")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise BadRecord(f"{what} is no text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadRecord(f"{what} holds half a character") from error
    return value


def _name(value: object, what: str) -> str:
    text = _text(value, what)
    if not NAME.fullmatch(text):
        raise BadRecord(f"{what} holds no name of an advisory")
    return text


def _texts(value: object, what: str) -> Iterator[str]:
    return (_text(item, what) for item in _list(value, what))
