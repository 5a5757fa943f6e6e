"""Source: grype, where it is on PATH: run on the bill of materials, its answer read by a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from harness.errors import UnreadableOutput
from harness.model import Advisory
from harness.process import call
from harness.tools import find
from security.advisories.interface import Answer, Covered, Inventory, Match, NotCovered, Package
from security.advisories.programs import Finder, bill_of_materials, dicts, first_fix, mapping, read_json, text, texts
from security.advisories.severity import Rating, rate

TIMEOUT_S = 300.0
NOT_HERE = "grype is not installed (github.com/anchore/grype)"
SETTINGS = {
    "GRYPE_CHECK_FOR_APP_UPDATE": "false",
    # An old database still says something, and its date is reported.
    "GRYPE_DB_VALIDATE_AGE": "false",
}
DISTRIBUTIONS = {"Debian": "debian", "Ubuntu": "ubuntu", "Alpine": "alpine"}
SILENT = "grype does not list what it looked at, so a package it does not know shows nothing"


class GrypeSource:
    """Asks grype about the bill of materials; its own database is its business."""

    name = "grype"

    def lookup(self, inventory: Inventory) -> Answer:
        """Run grype.

        Raises:
            UnreadableOutput: it failed, or printed what is not its format.

        """
        program = find("grype")
        if program is None:
            return Answer(coverage={ecosystem: NotCovered(reason=NOT_HERE) for ecosystem in inventory.ecosystems})
        # What syft wrote says more than a bill made of the packages, and grype reads all of it.
        with nullcontext(inventory.sbom) if inventory.sbom else bill_of_materials(inventory) as bill:
            report = call([program, f"sbom:{bill}", "-o", "json", "-q"], timeout_s=TIMEOUT_S, env=SETTINGS).stdout
        return parse(report, inventory)


def parse(report: str, inventory: Inventory) -> Answer:
    """Read `grype -o json` (as of grype 0.119; the database's date is where 0.7 to 0.119 put it).

    Raises:
        UnreadableOutput: it is not that format.

    """
    raw = read_json(report, "grype")
    if not isinstance(raw.get("matches"), list) or mapping(raw.get("descriptor")).get("name") != "grype":
        raise UnreadableOutput("What grype printed has no matches and no descriptor of grype's.")
    finder = Finder(inventory.packages)
    matches: list[Match] = []
    strangers: list[str] = []
    for found in dicts(raw["matches"]):
        artifact, vulnerability = mapping(found.get("artifact")), mapping(found.get("vulnerability"))
        name, version = text(artifact.get("name")), text(artifact.get("version"))
        package = finder.find(text(artifact.get("purl")), name, version)
        if package is None:
            strangers.append(f"{name} {version}")
        elif identifier := text(vulnerability.get("id")):
            matches.append(_match(identifier, found, vulnerability, package))
    remarks = [f"grype speaks of packages that are not in the inventory: {', '.join(strangers[:5])}"] * bool(strangers)
    coverage = {ecosystem: _coverage(ecosystem, raw, remarks) for ecosystem in inventory.ecosystems}
    return Answer(matches=tuple(matches), coverage={key: said for key, said in coverage.items() if said is not None})


def database_date(raw: Mapping[str, Any]) -> str:
    """Return the day that grype's database was built, or `unknown`."""
    database = mapping(mapping(raw.get("descriptor")).get("db"))
    return (text(mapping(database.get("status")).get("built")) or text(database.get("built")))[:10] or "unknown"


def _coverage(ecosystem: str, raw: Mapping[str, Any], remarks: list[str]) -> Covered | NotCovered | None:
    kind, _, release = ecosystem.partition(":")
    if kind != "PyPI" and kind not in DISTRIBUTIONS:
        return None
    if kind in DISTRIBUTIONS:
        said = mapping(raw.get("distro"))
        version = text(said.get("version"))
        if text(said.get("name")) != DISTRIBUTIONS[kind] or not version.startswith(release.lstrip("v").split(":")[0]):
            return NotCovered(reason=f"it took the image for {text(said.get('name')) or 'no distribution'} {version}")
    return Covered(as_of=database_date(raw), remarks=(SILENT, *remarks))


def _match(identifier: str, found: Mapping[str, Any], vulnerability: Mapping[str, Any], package: Package) -> Match:
    related = dicts(found.get("relatedVulnerabilities"))
    fix = mapping(vulnerability.get("fix"))
    rating = _rating(vulnerability, related)
    described = [text(one.get("description")) for one in (vulnerability, *related)]
    return Match(
        purl=package.purl,
        names=frozenset({identifier, *(name for one in related if (name := text(one.get("id"))))}),
        summary=" ".join(next((words for words in described if words), "").split())[:300],
        advisory=Advisory(
            source=GrypeSource.name,
            id=identifier,
            severity=rating.severity,
            cvss_vector=rating.vector,
            cvss_score=rating.score,
            fixed_version=first_fix(texts(fix.get("versions")), package),
            evidence=f"status {text(fix.get('state')) or 'unknown'}, from {text(vulnerability.get('namespace'))}",
            url=text(vulnerability.get("dataSource")) or None,
        ),
    )


def _rating(vulnerability: Mapping[str, Any], related: list[dict[str, Any]]) -> Rating:
    """Rate by the record's own vectors, else by those of the records it is related to; else by its word."""
    for one in (vulnerability, *related):
        scores = sorted(dicts(one.get("cvss")), key=lambda score: text(score.get("type")) != "Primary")
        for kind in ("Primary", ""):
            rating = rate(text(s.get("vector")) for s in scores if not kind or text(s.get("type")) == kind)
            if rating.vector is not None:
                return rating
    return rate((), [text(vulnerability.get("severity"))])
