"""Writes findings.sarif: SARIF 2.1.0, one rule a check or vulnerability, one result a finding; pure.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0. Every text out of an image is made plain first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from harness.model import Finding, Results, Scan, Severity, Skipped, Suppression, Vulnerability
from report import fingerprints, rules
from report.rules import LEVELS
from report.text import clean, shortened

FILE = "findings.sarif"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
ROOT_ID = "SRCROOT"
DOCKERFILE_LINE = re.compile(r"Dockerfile:(\d{1,6})\b")
PLACES = re.compile(r" and \d+ more$")

Json = dict[str, Any]


def render(results: Results) -> str:
    """Return a run's findings and vulnerabilities as SARIF.

    Results that differ only in their order, tags, digests or folder give the same rules, results and fingerprints.
    Suppressed results are there with their suppression. What was not looked at is among the invocation's notifications.
    """
    scans = sorted(results.scans, key=lambda scan: scan.variant)
    findings = sorted(
        {(one.variant, one.id, one.where, one.evidence): one for scan in scans for one in scan.findings}.values(),
        key=lambda one: (one.variant, -one.severity.rank, one.id, one.where, one.evidence),
    )
    vulnerabilities = sorted(
        (one for scan in scans for one in scan.vulnerabilities),
        key=lambda one: (one.variant, -one.severity.rank, one.id, one.component, one.purl),
    )
    known = rules.of(findings, vulnerabilities)
    index = {rule["id"]: place for place, rule in enumerate(known)}
    dockerfiles = {variant.name: _uri(variant.dockerfile) for variant in results.variants}
    marks = fingerprints.of_findings(findings, single=rules.is_single)
    vulnerable = fingerprints.of_vulnerabilities(vulnerabilities)
    found = [_of_finding(one, marks[n], index, dockerfiles) for n, one in enumerate(findings)]
    found += [_of_vulnerability(one, vulnerable[n], index, dockerfiles) for n, one in enumerate(vulnerabilities)]
    run = {
        "tool": {
            "driver": {
                "name": "Seatrial",
                "semanticVersion": clean(results.environment.seatrial_version),
                "rules": known,
            }
        },
        "automationDetails": {"id": f"seatrial/{clean(results.run_id)}"},
        "originalUriBaseIds": {ROOT_ID: {"description": {"text": "The project's folder."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [note for scan in scans for note in _unseen(scan)],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": found,
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}) + "\n"


def plain(text: str, length: int = 1000) -> str:
    """Return text as a SARIF message: on one line, without links (3.11.6) or placeholders (3.11.5) of its own.

    Braces are only doubled where they hold a number: viewers show them as they are elsewhere.
    """
    safe = re.sub(r"([\\\[\]])", r"\\\1", shortened(text, length))
    return re.sub(r"\{(\d+)\}", r"{{\1}}", safe)


def _of_finding(one: Finding, mark: str, index: Mapping[str, int], dockerfiles: Mapping[str, str]) -> Json:
    lines = sorted({int(line) for line in DOCKERFILE_LINE.findall(one.where)} | _lines(one.evidence)) or [0]
    places = [_dockerfile(one.variant, dockerfiles, line) for line in lines]
    if lines == [0]:
        places[0]["logicalLocations"] = [_logical(PLACES.sub("", one.where), "resource")]
    properties = {"variant": one.variant, "severity": one.severity.value, "sources": list(one.sources)}
    message = f"{one.variant}: {one.title}. {one.evidence}"
    return _result(one.id, one.severity, message, places, mark, one.suppressed, properties, index)


def _of_vulnerability(one: Vulnerability, mark: str, index: Mapping[str, int], dockerfiles: Mapping[str, str]) -> Json:
    fix = f"fixed in {one.fixed_version}" if one.fixed_version else "no fixed version is known"
    place = _dockerfile(one.variant, dockerfiles, 0)
    place["logicalLocations"] = [_logical(one.component, "module", one.purl)]
    properties: Json = {
        "variant": one.variant,
        "severity": one.severity.value,
        "sources": list(one.sources),
        "purl": shortened(one.purl),
        "installedVersion": shortened(one.installed_version),
        "fixable": one.fixable,
    }
    if one.fixed_version:
        properties["fixedVersion"] = shortened(one.fixed_version)
    message = f"{one.variant}: {one.component} {one.installed_version} has {one.id}; {fix}"
    return _result(one.id, one.severity, message, [place], mark, one.suppressed, properties, index)


def _result(
    rule: str,
    severity: Severity,
    message: str,
    places: list[Json],
    mark: str,
    suppressed: Suppression | None,
    properties: Json,
    index: Mapping[str, int],
) -> Json:
    rule_id = rules.identifier(rule)
    return {
        "ruleId": rule_id,
        "ruleIndex": index[rule_id],
        "kind": "fail",
        "level": LEVELS[severity],
        "message": {"text": plain(message)},
        "locations": places,
        "partialFingerprints": {fingerprints.NAME: mark},
        # Present in every result or in none (3.27.23).
        "suppressions": [] if suppressed is None else [_suppression(suppressed)],
        "properties": properties,
    }


def _suppression(one: Suppression) -> Json:
    until = f" (until {one.expires.isoformat()})" if one.expires else ""
    why = f" [{one.justification}]" if one.justification else ""
    return {
        "kind": "external",
        "status": "accepted",
        "justification": plain(f"{one.kind}: {one.reason}{why}{until}, by {one.source}"),
    }


def _dockerfile(variant: str, dockerfiles: Mapping[str, str], line: int) -> Json:
    place: Json = {
        "physicalLocation": {
            "artifactLocation": {"uri": dockerfiles.get(variant, f"{quote(variant)}.Dockerfile"), "uriBaseId": ROOT_ID}
        }
    }
    if line > 0:
        place["physicalLocation"]["region"] = {"startLine": line}
    return place


def _logical(name: str, kind: str, full: str = "") -> Json:
    return {"name": shortened(name), "fullyQualifiedName": shortened(full or name), "kind": kind}


def _lines(evidence: str) -> set[int]:
    """Return the Dockerfile's lines that evidence begins an entry with; another part of it is an image's own words."""
    return {int(match[1]) for part in evidence.split("; ") if (match := DOCKERFILE_LINE.match(part))}


def _uri(path: str) -> str:
    """Return a Dockerfile's address within the project; one outside of it goes by its name, wherever it lies."""
    pure = PurePath(path)
    inside = not pure.is_absolute() and ".." not in pure.parts
    return quote(pure.as_posix() if inside else pure.name)


def _unseen(scan: Scan) -> list[Json]:
    skipped = [
        f"{scan.variant}: {step.name} could not look: {step.outcome.reason}"
        for step in scan.steps
        if isinstance(step.outcome, Skipped)
    ]
    blind = [
        f"{scan.variant}: known vulnerabilities of {one.ecosystem} were not assessed: {one.reason}"
        for one in scan.assessments
        if one.assessed_by is None
    ]
    return [{"level": "warning", "message": {"text": plain(text)}} for text in (*skipped, *blind)]
