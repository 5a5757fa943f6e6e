"""What trivy and grype answer, read and merged with the other sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ToolFailed, UnreadableOutput
from harness.model import Component, Severity
from security.advisories import assess, grype, trivy
from security.advisories.ecosystems import parse_os_release, sort_components
from security.advisories.interface import Answer, Covered, Inventory, Match, NotCovered
from security.advisories.programs import to_cyclonedx
from security.advisories.sources import default_sources

ASSETS = Path(__file__).parents[1] / "assets" / "advisories"
OS_RELEASE = (ASSETS / "debian-11-os-release").read_text("utf-8")
PURLS = (
    "pkg:deb/debian/libssl1.1@1.1.1w-0%2Bdeb11u1?arch=amd64&distro=debian-11&upstream=openssl",
    "pkg:deb/debian/login@1:4.8.1-1?arch=amd64&distro=debian-11&upstream=shadow",
    "pkg:pypi/flask@2.2.2",
    "pkg:generic/python@3.9.2",
    "pkg:pypi/jinja2@2.11.2",
    "pkg:deb/debian/zlib1g@1:1.2.11.dfsg-2%2Bdeb11u2?arch=amd64&distro=debian-11&upstream=zlib",
)
COMPONENTS = tuple(
    Component(
        variant="article",
        name=purl.split("/")[-1].split("@")[0],
        version=purl.split("@")[1].split("?")[0].replace("%2B", "+"),
        purl=purl,
        type="library",
    )
    for purl in PURLS
)


FILES = {"trivy": "trivy-0.59.1.json", "grype": "grype.json"}


class Recorded:
    """A source whose program has answered before."""

    def __init__(self, name: str, change: dict[str, Any] | None = None) -> None:
        self.name = name
        report = json.loads((ASSETS / FILES[name]).read_text("utf-8"))
        self.report = json.dumps(report | (change or {}))

    def lookup(self, inventory: Inventory) -> Answer:
        if self.name == "trivy":
            return trivy.parse(self.report, inventory, as_of="2026-11-20")
        return grype.parse(self.report, inventory)


class Broken:
    name = "broken"

    def lookup(self, inventory: Inventory) -> Answer:
        raise ToolFailed("broken fell over.")


def inventory(*extra: str) -> Inventory:
    distribution = parse_os_release(OS_RELEASE)
    more = tuple(Component(variant="article", name="x", version="1", purl=purl, type="library") for purl in extra)
    return Inventory(packages=sort_components(COMPONENTS + more, distribution).packages, distribution=distribution)


def by_id(answer: Answer) -> dict[str, Match]:
    return {match.advisory.id: match for match in answer.matches}


def test_trivys_answer_is_read() -> None:
    answer = Recorded("trivy").lookup(inventory())
    found = by_id(answer)
    assert {identifier: (one.purl, one.advisory.fixed_version) for identifier, one in found.items()} == {
        "CVE-2023-5678": (PURLS[0], "1.1.1w-0+deb11u2"),
        "CVE-2024-0727": (PURLS[0], "1.1.1w-0+deb11u2"),
        "CVE-2007-5686": (PURLS[1], None),
        "CVE-2023-45853": (PURLS[5], None),
        "CVE-2023-30861": (PURLS[2], "2.2.5"),  # the lowest fix above what is installed, of 2.3.2 and 2.2.5
        "CVE-2024-22195": (PURLS[4], "3.1.3"),
    }
    openssl = found["CVE-2024-0727"].advisory
    assert (openssl.severity, openssl.cvss_score) == (Severity.MEDIUM, 5.5)
    assert openssl.evidence == "status fixed, from Debian Security Tracker"
    assert found["CVE-2023-45853"].advisory.evidence.startswith("status will_not_fix")
    login = found["CVE-2007-5686"].advisory
    assert (login.severity, login.cvss_score) == (Severity.MEDIUM, 4.9), "a vector counts before a source's word"
    flask = found["CVE-2023-30861"]
    assert flask.advisory.cvss_vector is not None
    assert flask.advisory.cvss_vector.startswith("CVSS:4.0/"), "the newest version of CVSS counts"


def test_another_name_that_later_versions_of_trivy_give_is_kept() -> None:
    one = {"VulnerabilityID": "CVE-2023-30861", "VendorIDs": ["GHSA-m2qf-hxjv-5gpq", "x"], "PkgName": "flask"}
    results = [{"Type": "python-pkg", "Vulnerabilities": [one | {"InstalledVersion": "2.2.2"}]}]
    (found,) = Recorded("trivy", {"Results": results}).lookup(inventory()).matches
    assert found.names == {"CVE-2023-30861", "GHSA-m2qf-hxjv-5gpq"}


def test_trivy_covers_what_it_lists_and_names_what_it_does_not() -> None:
    coverage = Recorded("trivy").lookup(inventory("pkg:pypi/werkzeug@2.2.2")).coverage
    assert coverage.keys() == {"Debian:11", "PyPI"}
    python = coverage["PyPI"]
    assert isinstance(python, Covered)
    assert python.as_of == "2026-11-20"
    assert "not looked at: werkzeug 2.2.2" in python.remarks
    assert trivy.SILENT not in python.remarks
    debian = coverage["Debian:11"]
    assert isinstance(debian, Covered)
    assert debian.remarks == (trivy.UNSUPPORTED,)


def test_where_trivy_found_nothing_it_is_said_that_its_silence_proves_little() -> None:
    results = json.loads((ASSETS / FILES["trivy"]).read_text("utf-8"))["Results"]
    for result in results:
        del result["Vulnerabilities"]
    coverage = Recorded("trivy", {"Results": results}).lookup(inventory()).coverage
    assert [trivy.SILENT in said.remarks for said in coverage.values() if isinstance(said, Covered)] == [True, True]


def test_what_trivy_did_not_look_at_is_not_covered() -> None:
    coverage = Recorded("trivy", {"Results": []}).lookup(inventory()).coverage
    assert all(isinstance(said, NotCovered) for said in coverage.values())


def test_grypes_answer_is_read() -> None:
    answer = Recorded("grype").lookup(inventory())
    found = by_id(answer)
    flask = found["GHSA-m2qf-hxjv-5gpq"]
    assert flask.names == {"CVE-2023-30861", "GHSA-m2qf-hxjv-5gpq"}
    assert (flask.advisory.severity, flask.advisory.cvss_score) == (Severity.HIGH, 7.5)
    assert flask.advisory.fixed_version == "2.2.5"
    login = found["CVE-2007-5686"]
    assert (login.advisory.severity, login.advisory.fixed_version) == (Severity.LOW, None)
    assert {ecosystem: said.as_of for ecosystem, said in answer.coverage.items() if isinstance(said, Covered)} == {
        "Debian:11": "2026-11-20",
        "PyPI": "2026-11-20",
    }


def test_grype_covers_only_the_distribution_that_it_recognised() -> None:
    coverage = Recorded("grype", {"distro": {"name": "", "version": ""}}).lookup(inventory()).coverage
    assert isinstance(coverage["Debian:11"], NotCovered)
    assert isinstance(coverage["PyPI"], Covered)


def test_an_older_databases_date_is_found() -> None:
    assert grype.database_date({"descriptor": {"db": {"built": "2024-02-22T01:23:26Z"}}}) == "2024-02-22"
    assert grype.database_date({}) == "unknown"
    assert trivy.database_date('{"Version": "0.69.1", "VulnerabilityDB": {"UpdatedAt": "2026-11-20T06:07:07Z"}}') == (
        "2026-11-20"
    )
    assert trivy.database_date('{"Version": "0.69.1", "VulnerabilityDB": {"Version": 2}}') == "unknown"
    assert trivy.database_date('{"Version": "0.59.1"}') is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"SchemaVersion": 1}', '{"matches": {}}', "[" * 200_000])
@pytest.mark.parametrize(
    "parse", [lambda text: trivy.parse(text, inventory(), as_of=""), lambda text: grype.parse(text, inventory())]
)
def test_what_is_not_their_format_is_refused(parse: Callable[[str], Answer], text: str) -> None:
    with pytest.raises(UnreadableOutput):
        parse(text)


def test_odd_parts_of_an_answer_do_not_break_the_rest() -> None:
    odd = {"Results": [{"Type": 3, "Vulnerabilities": [{"VulnerabilityID": ["x"]}, 7]}, "x"], "Metadata": []}
    assert Recorded("trivy", odd).lookup(inventory()).matches == ()
    odd_match = {"vulnerability": {"id": "CVE-1", "cvss": "high", "fix": 3}, "artifact": {"purl": PURLS[2]}}
    answer = Recorded("grype", {"matches": [odd_match, 3, {"artifact": []}]}).lookup(inventory())
    assert [match.advisory.severity for match in answer.matches] == [Severity.UNKNOWN]


def test_findings_about_strangers_are_not_lost() -> None:
    stranger = {"vulnerability": {"id": "CVE-1"}, "artifact": {"name": "ghost", "version": "1", "purl": ""}}
    said = Recorded("grype", {"matches": [stranger]}).lookup(inventory()).coverage["PyPI"]
    assert isinstance(said, Covered)
    assert "ghost 1" in "\n".join(said.remarks)


def test_sources_that_agree_make_one_vulnerability() -> None:
    found, said = assess(COMPONENTS, os_release=OS_RELEASE, sources=[Recorded("trivy"), Recorded("grype"), Broken()])
    by_name = {one.id: one for one in found}
    assert {identifier: (one.component, one.sources) for identifier, one in by_name.items()} == {
        "CVE-2023-5678": ("libssl1.1", ("trivy",)),
        "CVE-2024-0727": ("libssl1.1", ("trivy",)),
        "CVE-2023-45853": ("zlib1g", ("trivy",)),
        "CVE-2007-5686": ("login", ("grype", "trivy")),
        "CVE-2023-30861": ("flask", ("grype", "trivy")),
        "CVE-2024-22195": ("jinja2", ("trivy",)),
    }
    flask = by_name["CVE-2023-30861"]
    assert flask.aliases == ("GHSA-m2qf-hxjv-5gpq",)
    assert (flask.severity, flask.fixed_version, flask.fixable) == (Severity.HIGH, "2.2.5", True)
    assert not by_name["CVE-2007-5686"].fixable
    assert {(one.ecosystem, one.assessed_by) for one in said} == {
        ("Debian:11", "trivy"),
        ("Debian:11", "grype"),
        ("PyPI", "trivy"),
        ("PyPI", "grype"),
        ("generic", None),
    }
    assert any("broken fell over" in remark for one in said for remark in one.remarks)


def test_a_source_that_fails_never_makes_anything_look_clean() -> None:
    found, said = assess(COMPONENTS, os_release=OS_RELEASE, sources=[Broken()])
    assert found == ()
    assert {one.ecosystem for one in said} == {"Debian:11", "PyPI", "generic"}
    assert all(one.assessed_by is None and one.reason == "broken: broken fell over." for one in said)


def test_without_sources_nothing_is_assessed() -> None:
    _, said = assess(COMPONENTS, os_release=OS_RELEASE, sources=[])
    assert all(one.assessed_by is None and one.reason for one in said)


def test_a_bill_of_materials_names_distribution_and_packages() -> None:
    bill = json.loads(to_cyclonedx(inventory()))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["components"][0]["type"] == "operating-system"
    assert [one["purl"] for one in bill["components"][1:]] == list(PURLS)


@pytest.mark.parametrize(
    ("purl", "told"),
    [
        (PURLS[0], {"SrcName": "openssl", "SrcVersion": "1.1.1w", "SrcRelease": "0+deb11u1"}),
        (PURLS[1], {"SrcName": "shadow", "SrcVersion": "4.8.1", "SrcRelease": "1", "SrcEpoch": "1"}),
        ("pkg:deb/debian/tzdata@2026a?distro=debian-13", {"SrcName": "tzdata", "SrcVersion": "2026a"}),
        (
            "pkg:apk/alpine/libssl3@3.5.8-r0?distro=alpine-3.23.6&upstream=openssl",
            {"SrcName": "openssl", "SrcVersion": "3.5.8-r0"},
        ),
        (PURLS[2], {}),
    ],
)
def test_a_bill_names_the_sources_that_trivy_looks_up(purl: str, told: dict[str, str]) -> None:
    bill = json.loads(to_cyclonedx(inventory(purl)))
    (one,) = (one for one in bill["components"] if one.get("purl") == purl)
    names = {item["name"].removeprefix("aquasecurity:trivy:"): item["value"] for item in one.get("properties", [])}
    assert names == told


def test_programs_that_are_not_installed_are_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [source.name for source in default_sources(refresh=False)] == ["osv", "debian"]
    answer = trivy.TrivySource().lookup(inventory())
    assert all(said == NotCovered(reason=trivy.NOT_HERE) for said in answer.coverage.values())
