"""Source: Debian's own suites. A newer version is there, and its changelog names the vulnerabilities that it fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from harness import debian
from harness.debian_sources import Mirrors, find_mirrors, read_machine
from harness.errors import ToolMissing
from harness.model import Advisory
from harness.paths import cache_dir
from security.advisories import changelogs, releases
from security.advisories.apt_root import AptRoot
from security.advisories.changelog_store import ChangelogStore
from security.advisories.interface import Answer, Covered, Inventory, Match, NotCovered, Package
from security.advisories.suites import Binary, Suites, open_suites
from security.advisories.versions import InvalidVersion, dpkg

FRESH_S = 6 * 3600.0
NAMED = 5

Changes = dict[tuple[str, str, str], tuple[changelogs.Mention, ...]]
"""Source package, installed and available version of it -> the vulnerabilities named in between."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """An installed package, and the newest version of it that a suite holds."""

    package: Package
    available: Binary


@dataclass(kw_only=True)
class Doubts:
    """What could not be looked at, by reason."""

    packages: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, who: str) -> None:
        """Note one package, or one source package."""
        self.packages.setdefault(reason, []).append(who)

    def remarks(self) -> tuple[str, ...]:
        """Return a line for each reason, with who it is about."""
        return tuple(f"{reason}: {_named(who)}" for reason, who in sorted(self.packages.items()))


class DebianSource:
    """Looks installed packages up in the security, updates and main suites of the image's own release.

    Args:
        folder: where indexes and changelogs are kept; the cache folder by default.
        refresh: fetch what is missing or older than six hours; without it, only what is here already is used.
        mirrors: the archives; those of this machine's apt by default.
        say: told in one line what is being fetched.
        today: the day that ends of support are compared with.

    """

    name = "debian"

    def __init__(
        self,
        *,
        folder: Path | None = None,
        refresh: bool = True,
        mirrors: Mirrors | None = None,
        say: Callable[[str], None] = lambda line: None,
        today: date | None = None,
    ) -> None:
        self._folder = folder or cache_dir() / "advisories" / "debian"
        self._refresh = refresh
        self._mirrors = mirrors or find_mirrors(read_machine())
        self._say = say
        self._today = today or datetime.now(UTC).date()

    def lookup(self, inventory: Inventory) -> Answer:
        """Look up the Debian packages of an image.

        Raises:
            SeatrialError: apt is missing, or its indexes cannot be read.

        """
        matches: list[Match] = []
        coverage: dict[str, Covered | NotCovered] = {}
        for ecosystem in inventory.ecosystems:
            kind, _, number = ecosystem.partition(":")
            if kind != "Debian":
                continue
            release = self._release(number, inventory)
            if isinstance(release, NotCovered):
                coverage[ecosystem] = release
                continue
            found, coverage[ecosystem] = self._look_up(release, inventory.of(ecosystem))
            matches += found
        return Answer(matches=tuple(matches), coverage=coverage)

    def _release(self, number: str, inventory: Inventory) -> releases.Release | NotCovered:
        if not number:
            return NotCovered(reason="the image does not say which release of Debian it is")
        for release in self._releases():
            if release.version == number:
                return release
        said = inventory.distribution
        if said is not None and said.id == "debian" and said.version == number and said.codename:
            return releases.Release(
                version=number, codename=said.codename, end_of_life=None, end_of_long_term_support=None
            )
        return NotCovered(
            reason=f"the codename of Debian {number} is not known here: install {releases.PACKAGE} on this machine"
        )

    def _releases(self) -> tuple[releases.Release, ...]:
        if not releases.FILE.exists() and self._refresh:
            # Without it an image may still say its codename, and what is not known is said.
            with suppress(ToolMissing):
                debian.ensure([releases.PACKAGE], say=self._say)
        return releases.read_releases()

    def _look_up(
        self, release: releases.Release, packages: tuple[Package, ...]
    ) -> tuple[list[Match], Covered | NotCovered]:
        if self._mirrors is None:
            return [], NotCovered(reason="this machine's apt has no Debian mirror with a security suite configured")
        root = AptRoot(
            self._folder / f"{release.codename}-{_architecture(packages)}",
            codename=release.codename,
            architecture=_architecture(packages),
            mirrors=self._mirrors,
            expired_ok=release.support(self._today) is not None,
        )
        problem = self._update(root)
        dates = root.dates()
        main, updates, security = root.suites
        here = {one.suite for one in root.indexes()} & dates.keys() if dates else set()
        lacking = [suite for suite in (main, security) if suite not in here]
        if lacking:
            never = "apt gave no reason" if self._refresh else "it was never fetched here, and may not be now"
            why = problem or never
            return [], NotCovered(reason=f"the suite {lacking[0]} could not be had from this machine's mirror: {why}")
        doubts = Doubts()
        newer = self._newer(root, packages, doubts)
        changes = self._changelogs(root, newer, doubts)
        found = [match for one in newer for match in _matches(one, changes)]
        remarks = [f"{len(newer)} of {len(packages)} packages have a newer version in Debian", *doubts.remarks()]
        if updates not in here:
            remarks.append(f"without the suite {updates}, which could not be had")
        elif problem:
            remarks.append(f"not everything could be refreshed: {problem}")
        remarks += [line for line in (release.support(self._today),) if line]
        if release.end_of_life is None:
            remarks.append(f"the end of the release's support is not known here (package {releases.PACKAGE})")
        return found, Covered(as_of=dates[security].date().isoformat(), remarks=tuple(remarks))

    def _update(self, root: AptRoot) -> str | None:
        if not self._refresh:
            return None
        return root.update(older_than_s=FRESH_S, say=self._say)

    def _newer(self, root: AptRoot, packages: tuple[Package, ...], doubts: Doubts) -> list[Update]:
        """Return the packages that have a newer version in any of the suites."""
        found = []
        with closing(self._suites(root)) as suites:
            for package in packages:
                candidates = suites.binaries(package.name)
                if not candidates:
                    doubts.add("not in this release of Debian, so not assessed", f"{package.name} {package.version}")
                    continue
                try:
                    installed = dpkg(package.version)
                except InvalidVersion:
                    doubts.add("not assessed, since the version is none of dpkg's", f"{package.name} {package.version}")
                    continue
                best = max(candidates, key=lambda one: dpkg(one.version))
                if dpkg(best.version) > installed:
                    found.append(Update(package=package, available=best))
        return found

    def _changelogs(self, root: AptRoot, newer: Sequence[Update], doubts: Doubts) -> Changes:
        """Read which vulnerabilities each source package's changelog names between two of its versions."""
        store = ChangelogStore(self._folder / "changelogs")
        keys = dict.fromkeys((one.available.source, one.available.source_version) for one in newer)
        self._fetch(root, store, [key for key in keys if not store.has(*key)], doubts)
        found: Changes = {}
        for update in newer:
            source, version = update.available.source, update.available.source_version
            key = (source, update.package.source_version, version)
            if key in found or not store.has(source, version):
                continue
            try:
                part = changelogs.between(store.lines(source, version), installed=key[1], available=version)
            except InvalidVersion:
                doubts.add("not assessed, since the source's version is none of dpkg's", f"{source} {key[1]}")
                continue
            if not part.complete:
                doubts.add("the changelog does not reach back to the installed version", f"{source} {key[1]}")
            found[key] = changelogs.mentions(part.entries)
        return found

    def _fetch(self, root: AptRoot, store: ChangelogStore, lacking: Sequence[tuple[str, str]], doubts: Doubts) -> None:
        if not lacking:
            return
        failed = dict.fromkeys(lacking, "its changelog was never fetched here, and fetching is switched off")
        if self._refresh:
            with closing(self._suites(root)) as suites:
                wanted = {key: suites.built_from(*key) for key in lacking}
            self._say(f"Fetching {len(wanted)} changelogs of packages in {root.codename}")
            failed = store.fetch(wanted, root)
        for (name, version), reason in failed.items():
            doubts.add(f"not assessed, {reason}", f"{name} {version}")

    def _suites(self, root: AptRoot) -> Suites:
        return open_suites(root.indexes(), root.folder)


def _matches(update: Update, changes: Changes) -> list[Match]:
    package, available = update.package, update.available
    key = (available.source, package.source_version, available.source_version)
    same = available.version == available.source_version
    found = []
    for mention in changes.get(key, ()):
        advisory = Advisory(
            source=DebianSource.name,
            id=mention.cve,
            # A binary package may be numbered otherwise than its source: then only the newest is known to be right.
            fixed_version=mention.version if same else available.version,
            evidence=f"{available.source} ({mention.version}), changelog: {mention.line}"
            f" [{available.suite} has {available.version}]",
        )
        found.append(Match(purl=package.purl, names=frozenset({mention.cve}), advisory=advisory))
    return found


def _architecture(packages: Sequence[Package]) -> str:
    counted = Counter(one.architecture for one in packages if one.architecture not in ("", "all"))
    return counted.most_common(1)[0][0] if counted else "amd64"


def _named(who: Sequence[str]) -> str:
    names = list(dict.fromkeys(who))
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
