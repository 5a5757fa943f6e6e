"""Source: trivy, where it is on PATH: run on the bill of materials, its answer read by a pure function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import UnreadableOutput
from harness.model import Advisory
from harness.process import call
from harness.tools import find
from security.advisories.interface import Answer, Covered, Inventory, Match, NotCovered, Package
from security.advisories.programs import Finder, bill_of_materials, dicts, first_fix, mapping, read_json, text, texts
from security.advisories.severity import Rating, rate

TIMEOUT_S = 300.0
NOT_HERE = "trivy is not installed (trivy.dev)"
SILENT = "trivy found nothing, and does not say whether its database knows this ecosystem and release"
UNSUPPORTED = "trivy says that the distribution's release is no longer supported"
VECTORS = ("V40Vector", "V3Vector", "V2Vector")
TYPES = {
    "debian": "Debian",
    "ubuntu": "Ubuntu",
    "alpine": "Alpine",
    "python-pkg": "PyPI",
    "pip": "PyPI",
    "poetry": "PyPI",
    "pipenv": "PyPI",
    "uv": "PyPI",
}
"""What trivy calls a result -> the start of the ecosystem's name here."""


class TrivySource:
    """Asks trivy about the bill of materials; its own database is its business."""

    name = "trivy"

    def lookup(self, inventory: Inventory) -> Answer:
        """Run trivy.

        Raises:
            UnreadableOutput: it failed, or printed what is not its format.

        """
        program = find("trivy")
        if program is None:
            return Answer(coverage={ecosystem: NotCovered(reason=NOT_HERE) for ecosystem in inventory.ecosystems})
        words: list[str | Path] = [program, "sbom", "--quiet", "--format", "json", "--scanners", "vuln"]
        words += ["--list-all-pkgs", "--offline-scan"]
        if (as_of := _database_date(program)) is not None:
            # trivy spoils the database that is there when it tries to fetch a newer one and fails (seen with 0.59).
            words.append("--skip-db-update")
        with bill_of_materials(inventory) as bill:
            report = call([*words, bill], timeout_s=TIMEOUT_S).stdout
        return parse(report, inventory, as_of=as_of or _database_date(program) or "unknown")


def _database_date(program: Path) -> str | None:
    return database_date(call([program, "version", "--format", "json"], timeout_s=60).stdout)


def database_date(version: str) -> str | None:
    """Read `trivy version --format json`: the day its database was made, `unknown`; None where there is none."""
    database = mapping(read_json(version, "trivy").get("VulnerabilityDB"))
    return (text(database.get("UpdatedAt"))[:10] or "unknown") if database else None


def parse(report: str, inventory: Inventory, *, as_of: str) -> Answer:
    """Read `trivy sbom --format json --list-all-pkgs` (schema version 2; seen from trivy 0.59).

    Raises:
        UnreadableOutput: it is not that format.

    """
    raw = read_json(report, "trivy")
    if raw.get("SchemaVersion") != 2:
        raise UnreadableOutput(f"trivy wrote schema version {raw.get('SchemaVersion')!r}, not 2.")
    finder = Finder(inventory.packages)
    matches: list[Match] = []
    seen: set[str] = set()
    strangers: list[str] = []
    answered: set[str] = set()
    for result in dicts(raw.get("Results")):
        answered.add(TYPES.get(text(result.get("Type")), ""))
        seen |= {one.purl for one in _packages(result, finder)}
        for found in dicts(result.get("Vulnerabilities")):
            name, version = text(found.get("PkgName")), text(found.get("InstalledVersion"))
            package = finder.find(text(mapping(found.get("PkgIdentifier")).get("PURL")), name, version)
            if package is None:
                strangers.append(f"{name} {version}")
            elif identifier := text(found.get("VulnerabilityID")):
                seen.add(package.purl)
                matches.append(_match(identifier, found, package))
    remarks = [f"trivy speaks of packages that are not in the inventory: {', '.join(strangers[:5])}"] * bool(strangers)
    unsupported = mapping(mapping(raw.get("Metadata")).get("OS")).get("EOSL") is True
    matched = {one.purl for one in matches}
    coverage: dict[str, Covered | NotCovered] = {}
    for ecosystem in inventory.ecosystems:
        kind = ecosystem.partition(":")[0]
        if kind not in TYPES.values():
            continue
        packages = inventory.of(ecosystem)
        if kind not in answered or not any(one.purl in seen for one in packages):
            coverage[ecosystem] = NotCovered(reason="its answer lists none of these packages")
            continue
        said = [*_missed(packages, seen), *remarks]
        said += [UNSUPPORTED] * (unsupported and kind != "PyPI")
        said += [SILENT] * (not any(one.purl in matched for one in packages))
        coverage[ecosystem] = Covered(as_of=as_of, remarks=tuple(said))
    return Answer(matches=tuple(matches), coverage=coverage)


def _missed(packages: tuple[Package, ...], seen: set[str]) -> list[str]:
    names = [f"{one.name} {one.version}" for one in packages if one.purl not in seen]
    return [f"not looked at: {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"] * bool(names)


def _packages(result: Mapping[str, Any], finder: Finder) -> Iterator[Package]:
    for one in dicts(result.get("Packages")):
        purl = text(mapping(one.get("Identifier")).get("PURL"))
        package = finder.find(purl, text(one.get("Name")), text(one.get("Version")))
        if package is not None:
            yield package


def _match(identifier: str, found: Mapping[str, Any], package: Package) -> Match:
    rating = _rating(found)
    fixes = [word.strip() for word in text(found.get("FixedVersion")).split(",") if word.strip()]
    status = text(found.get("Status")) or ("fixed" if fixes else "affected")
    origin = text(mapping(found.get("DataSource")).get("Name")) or text(mapping(found.get("DataSource")).get("ID"))
    return Match(
        purl=package.purl,
        names=frozenset({identifier, *(one for one in texts(found.get("VendorIDs")) if one.startswith("GHSA-"))}),
        summary=" ".join(text(found.get("Title")).split())[:300],
        advisory=Advisory(
            source=TrivySource.name,
            id=identifier,
            severity=rating.severity,
            cvss_vector=rating.vector,
            cvss_score=rating.score,
            fixed_version=first_fix(fixes, package),
            evidence=f"status {status}" + (f", from {origin}" if origin else ""),
            url=text(found.get("PrimaryURL")) or None,
        ),
    )


def _rating(found: Mapping[str, Any]) -> Rating:
    """Rate by the vector of whoever trivy has its severity from, else the NVD's, else anybody's; else by its word."""
    scores = mapping(found.get("CVSS"))
    for source in dict.fromkeys((text(found.get("SeveritySource")), "nvd", *sorted(scores))):
        rating = rate(text(mapping(scores.get(source)).get(key)) for key in VECTORS)
        if rating.vector is not None:
            return rating
    return rate((), [text(found.get("Severity"))])
