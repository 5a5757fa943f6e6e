"""One vulnerability from all that sources say of it: matches that share a name are one; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.model import Advisory, Component, Severity, Vulnerability
from security.advisories.interface import Match, Package
from security.advisories.versions import InvalidVersion, scheme_of

CVE = re.compile(r"CVE-(\d{4})-(\d{4,})")
PREFERRED = ("CVE-", "GHSA-", "PYSEC-")


def merge(
    matches: Sequence[Match], packages: Sequence[Package], components: Sequence[Component]
) -> list[Vulnerability]:
    """Return the vulnerabilities of all packages, those of one package by name.

    Args:
        matches: what all sources said, each about one of the packages.
        packages: every package that was looked up.
        components: the image's components, the lowest layer first where several hold the same package.

    """
    by_purl: dict[str, list[Match]] = {}
    for match in matches:
        by_purl.setdefault(match.purl, []).append(match)
    first: dict[str, Component] = {}
    for component in components:
        first.setdefault(component.purl, component)
    found = []
    for package in sorted(packages, key=lambda one: (one.ecosystem, one.name, one.purl)):
        groups = connect(by_purl.get(package.purl, ()))
        found += sorted((_one(group, package, first[package.purl]) for group in groups), key=lambda v: sort_key(v.id))
    return found


def connect(matches: Iterable[Match]) -> list[list[Match]]:
    """Return the connected components: matches that share a name directly, or through others."""
    group_of: dict[str, list[Match]] = {}
    names_of: dict[int, set[str]] = {}
    for match in matches:
        known = {id(group): group for name in match.names if (group := group_of.get(name)) is not None}
        # The largest takes the others in, so that no match is moved often.
        groups = sorted(known.values(), key=len, reverse=True)
        home = groups[0] if groups else []
        names = names_of.setdefault(id(home), set())
        for other in groups[1:]:
            home += other
            names |= names_of.pop(id(other))
        home.append(match)
        names |= match.names
        group_of |= dict.fromkeys(names if len(groups) > 1 else match.names, home)
    return list({id(group): group for group in group_of.values()}.values())


def sort_key(name: str) -> tuple[int, int, int, str]:
    """Order names: CVE ids first and by number, then GHSA's, then PYSEC's, then the rest."""
    rank = next((place for place, prefix in enumerate(PREFERRED) if name.startswith(prefix)), len(PREFERRED))
    cve = CVE.fullmatch(name)
    return (rank, int(cve[1]), int(cve[2]), name) if cve else (rank, 0, 0, name)


def _one(group: list[Match], package: Package, component: Component) -> Vulnerability:
    names = sorted(set().union(*(match.names for match in group)), key=sort_key)
    advisories = _distinct(match.advisory for match in group)
    worst = max(advisories, key=lambda one: (one.severity.rank, one.cvss_score or 0.0))
    return Vulnerability(
        variant=component.variant,
        id=names[0],
        aliases=tuple(names[1:]),
        component=component.name,
        purl=package.purl,
        installed_version=package.version,
        fixed_version=latest([one.fixed_version for one in advisories if one.fixed_version], package.ecosystem),
        severity=worst.severity,
        cvss_vector=worst.cvss_vector if worst.severity is not Severity.UNKNOWN else None,
        cvss_score=worst.cvss_score if worst.severity is not Severity.UNKNOWN else None,
        summary=next((match.summary for match in group if match.summary), ""),
        sources=tuple(sorted({one.source for one in advisories})),
        advisories=advisories,
        layer_diff_id=component.layer_diff_id,
    )


def latest(versions: Sequence[str], ecosystem: str) -> str | None:
    """Return the highest of the fixed versions, since only that one is without it by every source."""
    scheme = scheme_of(ecosystem)
    best: str | None = None
    for version in versions:
        try:
            if best is None or (scheme is not None and scheme(version) > scheme(best)):
                best = version
        except InvalidVersion:
            continue
    return best


def _distinct(advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    found = {(one.source, one.id): one for one in advisories}
    return tuple(found[key] for key in sorted(found))
