"""Source: a folder in the layout of OSV's dumps, `<ecosystem>/all.zip`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from harness.errors import UnreadableOutput
from harness.model import Advisory
from security.advisories.addresses import addresses
from security.advisories.dumps import HINT
from security.advisories.fetching import as_of
from security.advisories.index import Entry, Index, open_index
from security.advisories.interface import Answer, Covered, Inventory, Match, NotCovered, Package
from security.advisories.ranges import evaluate
from security.advisories.records import names_of
from security.advisories.severity import rate
from security.advisories.versions import InvalidVersion, Scheme, scheme_of

HOW_TO_GET = "(`seatrial advisories update` fetches it where the network allows; --advisories names a folder)"
OLD_AFTER_DAYS = 7
NAMED = 5
MAX_SECONDS = 120.0
"""For all packages of an ecosystem; real data takes a fraction of a second."""


class OsvSource:
    """Looks packages up in OSV data.

    Args:
        folder: holds one folder an ecosystem, each with its `all.zip`.
        index_folder: where the indexes of the dumps are kept; the cache folder by default.
        today: the day that the data's age is counted from.

    """

    name = "osv"

    def __init__(self, folder: Path, *, index_folder: Path | None = None, today: date | None = None) -> None:
        self._folder = folder
        self._index_folder = index_folder
        self._today = today or datetime.now(UTC).date()

    def lookup(self, inventory: Inventory) -> Answer:
        """Look up every package of an ecosystem that has a dump here.

        Raises:
            UnreadableOutput: a dump is there and cannot be read.

        """
        matches: list[Match] = []
        coverage: dict[str, Covered | NotCovered] = {}
        for ecosystem in inventory.ecosystems:
            scheme = scheme_of(ecosystem)
            if scheme is None:
                continue
            dump = self._folder / ecosystem.partition(":")[0] / "all.zip"
            if not dump.is_file():
                coverage[ecosystem] = NotCovered(reason=f"no OSV data for it is here {HOW_TO_GET}")
                continue
            with closing(open_index(dump, folder=self._index_folder)) as index:
                found, coverage[ecosystem] = self._look_up(index, ecosystem, inventory.of(ecosystem), scheme)
            matches += found
        return Answer(matches=tuple(matches), coverage=coverage)

    def _look_up(
        self, index: Index, ecosystem: str, packages: tuple[Package, ...], scheme: Scheme
    ) -> tuple[list[Match], Covered | NotCovered]:
        # A release that the data has never heard of would otherwise look free of vulnerabilities.
        if not index.knows(ecosystem):
            return [], NotCovered(reason=f"the OSV data holds no record for {ecosystem}")
        matches: list[Match] = []
        open_questions: dict[str, list[str]] = {}
        deadline = time.monotonic() + MAX_SECONDS
        for package in packages:
            found, doubts = _matches(index, package, scheme, deadline)
            matches += found
            for doubt in doubts:
                open_questions.setdefault(doubt, []).append(f"{package.name} {package.version}")
        remarks = [f"{doubt}: {_named(who)}" for doubt, who in sorted(open_questions.items())]
        day = self._as_of(index, ecosystem.partition(":")[0])
        said = day.isoformat() if day else "unknown"
        return matches, Covered(as_of=said, remarks=(*remarks, *self._limits(index, day)))

    def _as_of(self, index: Index, kind: str) -> date | None:
        """Return the day that the data was fetched, else that of its newest record."""
        newest = date.fromisoformat(index.newest[:10]) if index.newest else None
        return as_of(self._folder, kind, index.sha256) or newest

    def _limits(self, index: Index, day: date | None) -> Iterator[str]:
        if index.unreadable:
            total, examples = index.unreadable + index.records, "; ".join(index.unreadable_examples)
            yield f"{index.unreadable} of the data's {total} records are unreadable: {examples}"
        if day is None:
            yield "no record says when it was last changed, so the data's age is unknown"
        elif (days := (self._today - day).days) > OLD_AFTER_DAYS:
            yield f"the data is {days} days old"


def _matches(index: Index, package: Package, scheme: Scheme, deadline: float) -> tuple[list[Match], list[str]]:
    """Return what applies to a package, and what could not be decided about it."""
    found: dict[str, Match] = {}
    doubts: list[str] = []
    # A record for a distribution without a release is about all of its releases.
    kinds = dict.fromkeys((package.ecosystem, package.ecosystem.partition(":")[0]))
    for entry in (entry for ecosystem in kinds for entry in index.entries(ecosystem, package.source)):
        if time.monotonic() > deadline:
            raise UnreadableOutput(f"looking up {package.name} took longer than with any real data.", HINT)
        if not entry.affected.versions and not entry.affected.ranges:
            doubts.append(f"{entry.id} names no versions, only commits, so it was not compared")
            continue
        try:
            answer = evaluate(package.source_version, entry.affected, scheme)
        except InvalidVersion:
            doubts.append("not compared, since the version is none by the ecosystem's rules")
            continue
        if answer.unreadable and not answer.affected:
            doubts.append(f"{entry.id} has a range that is not in the ecosystem's versions, so it was not compared")
        if answer.affected:
            for names in names_of(entry.id, entry.aliases, entry.upstream):
                key = f"{entry.id} {min(names)}"
                found.setdefault(key, _match(package, entry, names, answer.fixed_version, answer.why))
    return list(found.values()), list(dict.fromkeys(doubts))


def _match(package: Package, entry: Entry, names: frozenset[str], fixed: str | None, why: str) -> Match:
    rating = rate(entry.vectors, entry.words)
    return Match(
        purl=package.purl,
        names=names,
        summary=entry.summary,
        advisory=Advisory(
            source=OsvSource.name,
            id=entry.id,
            severity=rating.severity,
            cvss_vector=rating.vector,
            cvss_score=rating.score,
            fixed_version=fixed,
            evidence=f"affected: {why}",
            url=addresses().page.format(id=entry.id),
        ),
    )


def _named(who: list[str]) -> str:
    rest = f" and {len(who) - NAMED} more" if len(who) > NAMED else ""
    return ", ".join(who[:NAMED]) + rest
