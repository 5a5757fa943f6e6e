"""Writes a bill of materials with its vulnerabilities: syft's CycloneDX document, and what sources say of it; pure.

Source: CycloneDX 1.6, `vulnerabilities`. Suppressed ones are there too, with an `analysis`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from harness.errors import UnreadableOutput
from harness.model import Advisory, Scan, Severity, Suppression, Vulnerability
from report.text import clean, link, shortened

SPEC_VERSIONS = ("1.5", "1.6")
STATES = {"not affected": "not_affected", "fixed": "resolved"}
JUSTIFICATIONS = {
    "component_not_present": "code_not_present",
    "vulnerable_code_not_present": "code_not_present",
    "vulnerable_code_not_in_execute_path": "code_not_reachable",
    "inline_mitigations_already_exist": "protected_by_mitigating_control",
}
"""OpenVEX's word -> CycloneDX's, which has none for code that an adversary cannot control."""
METHODS = {"CVSS:3.0": "CVSSv3", "CVSS:3.1": "CVSSv31", "CVSS:4.0": "CVSSv4"}
NAMESPACE = uuid.UUID("5b7d6f0e-51c1-4d0c-9d0f-8b7f3a3c1a52")
"""This project's own, for serial numbers that follow from the content."""

Json = dict[str, Any]


def render(sbom: str, scan: Scan, *, version: str) -> str:
    """Return syft's document with the scan's vulnerabilities, and with what was assessed and what was not.

    Args:
        sbom: the CycloneDX document, as JSON.
        scan: of the same image.
        version: Seatrial's own.

    Raises:
        UnreadableOutput: the document is not CycloneDX of a version that has what is added here.

    """
    document = _parsed(sbom, scan.variant)
    refs = _refs(document)
    # The interpreter that no package database names is in the inventory, and not in syft's document.
    missing = {one.purl: one for one in scan.vulnerabilities if one.purl not in refs}
    document["components"] = [*document.get("components", []), *map(_component, missing.values())]
    refs |= {purl: [purl] for purl in missing}
    document["vulnerabilities"] = [
        _vulnerability(one, refs[one.purl]) for one in sorted(scan.vulnerabilities, key=lambda one: (one.id, one.purl))
    ]
    metadata = document.setdefault("metadata", {})
    metadata["properties"] = [*metadata.get("properties", []), *_assessments(scan)]
    tools = metadata.get("tools")
    if isinstance(tools, dict):
        ours = {"type": "application", "name": "seatrial", "version": version}
        metadata["tools"] = {**tools, "components": [*tools.get("components", []), ours]}
    content = json.dumps([sbom, document["vulnerabilities"], metadata["properties"], version])
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}"
    return json.dumps(document) + "\n"


def _parsed(sbom: str, variant: str) -> Json:
    try:
        document = json.loads(sbom)
        version = document["specVersion"]
        known = document["bomFormat"] == "CycloneDX" and version in SPEC_VERSIONS
        entries = document.get("components", [])
        known = known and isinstance(entries, list) and all(isinstance(one, dict) for one in entries)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableOutput(f"The bill of materials of {variant} is not CycloneDX.") from error
    if not known:
        raise UnreadableOutput(f"The bill of materials of {variant} is not CycloneDX {' or '.join(SPEC_VERSIONS)}.")
    whole: Json = document
    return whole


def _refs(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return purl -> the references of the entries that have it: a package in two layers is there twice."""
    found: dict[str, list[str]] = {}
    for entry in document.get("components", []):
        purl, ref = entry.get("purl"), entry.get("bom-ref")
        if isinstance(purl, str) and purl and isinstance(ref, str) and ref:
            found.setdefault(purl, []).append(ref)
    return {purl: sorted(set(refs)) for purl, refs in found.items()}


def _component(one: Vulnerability) -> Json:
    entry = {"type": "library", "name": one.component, "version": one.installed_version}
    return {"bom-ref": one.purl, "purl": one.purl, **entry}


def _vulnerability(one: Vulnerability, refs: list[str]) -> Json:
    pages = list(dict.fromkeys(page for said in one.advisories if said.url and (page := link(said.url))))
    first = one.advisories[0] if one.advisories else None
    entry: Json = {
        "bom-ref": f"{one.id}:{one.purl}",
        "id": one.id,
        "source": {"name": first.source if first else one.sources[0] if one.sources else "unknown"},
        "references": [{"id": name, "source": {"name": _whose(name)}} for name in one.aliases],
        "ratings": _ratings(one),
        "description": shortened(one.summary, 2000),
        "recommendation": f"Take {one.component} {one.fixed_version} or later." if one.fixed_version else "",
        "advisories": [{"url": page} for page in pages],
        "affects": [
            {"ref": ref, "versions": [{"version": one.installed_version, "status": _status(one)}]} for ref in refs
        ],
        "properties": _properties(one),
    }
    if one.suppressed is not None:
        entry["analysis"] = _analysis(one.suppressed)
    return {name: value for name, value in entry.items() if value not in ("", [])}


def _ratings(one: Vulnerability) -> list[Json]:
    """Return each source's rating, the worst first; at least the one that the results give."""
    said = sorted(one.advisories, key=lambda a: (-a.severity.rank, -(a.cvss_score or 0.0), a.source, a.id))
    found = [_rating(a) for a in said if a.severity is not Severity.UNKNOWN]
    return found or [{"severity": one.severity.value.lower()}]


def _rating(said: Advisory) -> Json:
    rating: Json = {"source": {"name": said.source}, "severity": said.severity.value.lower()}
    if said.cvss_score is not None:
        rating["score"] = said.cvss_score
    if said.cvss_vector:
        method = METHODS.get(said.cvss_vector.partition("/")[0])
        rating |= {"vector": clean(said.cvss_vector), "method": method or "other"}
    return rating


def _status(one: Vulnerability) -> str:
    return "unaffected" if one.suppressed is not None and one.suppressed.kind != "ignored" else "affected"


def _analysis(decision: Suppression) -> Json:
    until = f" It holds until {decision.expires.isoformat()}." if decision.expires else ""
    analysis: Json = {"detail": shortened(f"{decision.kind}, by {decision.source}: {decision.reason}", 2000) + until}
    if decision.kind == "ignored":
        # An accepted risk is none of CycloneDX's states: it may well be exploitable.
        return {"response": ["will_not_fix"], **analysis}
    analysis["state"] = STATES[decision.kind]
    word = JUSTIFICATIONS.get(decision.justification)
    return {**analysis, "justification": word} if word else analysis


def _properties(one: Vulnerability) -> list[Json]:
    rows = [("sources", " ".join(one.sources)), ("fixed-version", one.fixed_version), ("layer", one.layer_diff_id)]
    found = [_property(name, value) for name, value in rows if value]
    return found + [
        _property(f"evidence:{said.source}", shortened(said.evidence, 500)) for said in one.advisories if said.evidence
    ]


def _assessments(scan: Scan) -> list[Json]:
    found = []
    for one in scan.assessments:
        said = f"assessed by {one.assessed_by} as of {one.as_of}" if one.assessed_by else f"not assessed: {one.reason}"
        found.append(_property(f"assessment:{one.ecosystem}", "; ".join((said, *one.remarks))))
    return found


def _property(name: str, value: str) -> Json:
    return {"name": f"seatrial:{name}", "value": clean(value)}


def _whose(name: str) -> str:
    prefix = name.partition("-")[0]
    return {"CVE": "NVD", "GHSA": "GitHub", "PYSEC": "PyPA", "DSA": "Debian", "DLA": "Debian"}.get(prefix, "OSV")
