"""CycloneDX with vulnerabilities: valid by the schema, every vulnerability on its component, nothing lost."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from harness.errors import UnreadableOutput
from harness.model import Advisory, Component, Scan, Severity
from harness.paths import ROOT
from report import cyclonedx
from tests.made_scans import IGNORED, NOT_AFFECTED, assessed, scan, vulnerability
from tests.results_factory import HOSTILE

SBOM = (ROOT / "tests" / "assets" / "scanners" / "syft-1.18.1-alpine.cdx.json").read_text("utf-8")
"""All of a real one; where its size is not the point, `FEW` is validated in a tenth of the time."""
MUSL = next(one["purl"] for one in json.loads(SBOM)["components"] if one["name"] == "musl")


def _few() -> str:
    whole = json.loads(SBOM)
    kept = [one for one in whole["components"] if one["name"] in ("musl", "zlib", "werkzeug", "alpine")]
    refs = {one["bom-ref"] for one in kept}
    edges = [
        {"ref": edge["ref"], "dependsOn": [ref for ref in edge.get("dependsOn", ()) if ref in refs]}
        for edge in whole["dependencies"]
        if edge["ref"] in refs
    ]
    return json.dumps({**whole, "components": kept, "dependencies": edges})


FEW = _few()


@cache
def validator() -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.V1_6)


def known(**changes: Any) -> Any:
    return vulnerability(**({"component": "musl", "purl": MUSL} | changes))


def rendered(found: Scan, sbom: str = FEW) -> dict[str, Any]:
    text = cyclonedx.render(sbom, found, version="0.1.0")
    error = validator().validate_str(text)
    assert error is None, str(error)
    document: dict[str, Any] = json.loads(text)
    return document


def test_a_vulnerability_stands_on_its_component() -> None:
    advisory = Advisory(
        source="osv",
        id="GHSA-x",
        severity=Severity.CRITICAL,
        cvss_vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        cvss_score=9.8,
        url="https://osv.dev/GHSA-x",
    )
    document = rendered(scan(known(aliases=("GHSA-x",), advisories=(advisory,), sources=("osv",))))
    (one,) = document["vulnerabilities"]
    refs = {entry["bom-ref"] for entry in document["components"]}
    assert {place["ref"] for place in one["affects"]} <= refs
    assert one["ratings"] == [
        {
            "source": {"name": "osv"},
            "severity": "critical",
            "score": 9.8,
            "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "method": "CVSSv31",
        }
    ]
    assert one["recommendation"] == "Take musl 3.5.0-2 or later."
    assert one["advisories"] == [{"url": "https://osv.dev/GHSA-x"}]
    assert one["references"] == [{"id": "GHSA-x", "source": {"name": "GitHub"}}]


def test_syfts_components_all_stay() -> None:
    before, after = json.loads(SBOM), rendered(scan(known()), SBOM)
    assert after["components"] == before["components"]
    assert after["metadata"]["component"] == before["metadata"]["component"]


def test_a_component_that_syft_does_not_know_is_added() -> None:
    purl = "pkg:generic/cpython@3.13.2"
    python = Component(variant="slim-dev", name="CPython", version="3.13.2", purl=purl, type="application")
    document = rendered(scan(known(component="CPython", purl=purl), components=(python,)))
    assert document["components"][-1]["purl"] == purl
    assert document["vulnerabilities"][0]["affects"][0]["ref"] == purl


def test_suppressed_ones_stay_with_an_analysis() -> None:
    found = scan(known(suppressed=IGNORED), known(identifier="CVE-2026-2", suppressed=NOT_AFFECTED))
    first, second = rendered(found)["vulnerabilities"]
    assert first["analysis"]["response"] == ["will_not_fix"]
    assert "2027-03-31" in first["analysis"]["detail"]
    assert "state" not in first["analysis"], "an accepted risk may well be exploitable"
    assert second["analysis"]["state"] == "not_affected"
    assert second["analysis"]["justification"] == "code_not_present"
    assert second["affects"][0]["versions"][0]["status"] == "unaffected"


def test_what_was_not_assessed_is_said() -> None:
    document = rendered(scan(assessments=(assessed(), assessed("PyPI", None, "no data"))))
    said = {one["name"]: one["value"] for one in document["metadata"]["properties"]}
    assert said["seatrial:assessment:PyPI"] == "not assessed: no data"
    assert said["seatrial:assessment:Debian:13"] == "assessed by debian as of 2026-11-20"


def test_the_same_scan_gives_the_same_document() -> None:
    one, two = known(), known(identifier="CVE-2026-2")
    texts = {cyclonedx.render(SBOM, scan(*order), version="1") for order in ((one, two), (two, one))}
    assert len(texts) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_leaves_it_valid(text: str) -> None:
    advisory = Advisory(source="osv", id=text, url=text, evidence=text, cvss_vector=text, severity=Severity.LOW)
    document = rendered(scan(known(identifier=text, summary=text, fixed_version=text, advisories=(advisory,))))
    assert "advisories" not in document["vulnerabilities"][0], "what is no address is none"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"bomFormat": "SPDX"}', '{"bomFormat": "CycloneDX", "specVersion": "1.2"}', "[" * 100_000]
)
def test_what_is_no_bill_of_materials_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableOutput, match="not CycloneDX"):
        cyclonedx.render(text, scan(), version="1")
