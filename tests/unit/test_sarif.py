"""findings.sarif: valid by the schema, one result a finding, fingerprints that stay, suppressions, hostile text."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from harness.model import Finding, Image, Results, Scan, Severity, Vulnerability
from harness.paths import ROOT
from report import fingerprints, rules, sarif
from tests.made_scans import IGNORED, NOT_AFFECTED, assessed, finding, scan, vulnerability
from tests.results_factory import HOSTILE, make

SCHEMA = ROOT / "tests" / "assets" / "sarif" / "sarif-2.1.0-rtm.5.json"
EVERYTHING = scan(
    finding("CIS-4.1"),
    finding("CIS-4.6", where="Dockerfile:3", evidence="Dockerfile:3: none", sources=("hadolint", "seatrial")),
    finding("DL3042", where="Dockerfile:5 and 1 more", evidence="Dockerfile:5: a (info); Dockerfile:9: a (info)"),
    finding("CIS-4.8", where="/bin/su and 2 more", suppressed=IGNORED),
    finding("CIS-4.10", where="/app/one", severity=Severity.CRITICAL),
    finding("CIS-4.10", where="/app/two", severity=Severity.CRITICAL),
    vulnerability(sources=("debian", "trivy")),
    vulnerability(component="openssl"),
    vulnerability("GHSA-aaaa-bbbb-cccc", severity=Severity.UNKNOWN, fixed_version=None, suppressed=NOT_AFFECTED),
    assessments=(assessed(), assessed("PyPI", None, "no data")),
)


@cache
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text("utf-8")))


def results(*scans: Scan) -> Results:
    return make().results.model_copy(update={"scans": scans})


def rendered(whole: Results) -> dict[str, Any]:
    document = json.loads(sarif.render(whole))
    assert [error.message for error in validator().iter_errors(document)] == []
    run: dict[str, Any] = document["runs"][0]
    return run


def marks(run: dict[str, Any]) -> list[str]:
    return [one["partialFingerprints"][fingerprints.NAME] for one in run["results"]]


def by_rule(run: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in run["results"] if one["ruleId"] == name]


def test_every_finding_and_vulnerability_is_one_valid_result() -> None:
    run = rendered(results(EVERYTHING))
    assert len(run["results"]) == len(EVERYTHING.findings) + len(EVERYTHING.vulnerabilities)
    assert len(set(marks(run))) == len(run["results"])


def test_the_synthetic_run_is_valid_too() -> None:
    assert rendered(make(hostile=True, findings=50).results)["results"]


def test_the_same_from_two_sources_is_one_line_that_names_both() -> None:
    run = rendered(results(EVERYTHING))
    (one,) = by_rule(run, "CIS-4.6")
    assert one["properties"]["sources"] == ["hadolint", "seatrial"]
    assert by_rule(run, "CVE-2026-1000")[0]["properties"]["sources"] == ["debian", "trivy"]
    twice = scan(finding(), finding())
    assert len(rendered(results(twice))["results"]) == 1


def test_every_rule_has_help_a_level_and_a_score() -> None:
    run = rendered(results(EVERYTHING))
    known = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in known] == sorted({one["ruleId"] for one in run["results"]})
    for rule in known:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert "What to do" in rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        severity = rule["properties"]["severity"]
        assert ("security-severity" in rule["properties"]) == (severity != "UNKNOWN")
    assert all(known[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


def test_the_help_of_an_own_check_gives_its_reasons() -> None:
    (rule,) = rules.of([finding("CIS-4.1")], [])
    assert rules.checks()["CIS-4.1"].rationale in rule["help"]["text"]


@pytest.mark.parametrize(
    ("severity", "score", "said"),
    [
        (Severity.CRITICAL, 9.8, "9.8"),
        (Severity.CRITICAL, 5.0, "9.5"),
        (Severity.HIGH, None, "8.0"),
        (Severity.LOW, 3.3, "3.3"),
    ],
)
def test_a_score_is_given_where_it_agrees_with_the_severity(severity: Severity, score: float, said: str) -> None:
    (rule,) = rules.of([], [vulnerability(severity=severity, cvss_score=score)])
    assert rule["properties"]["security-severity"] == said


def test_lint_points_to_its_lines_and_files_are_logical_places() -> None:
    run = rendered(results(EVERYTHING))
    (lint,) = by_rule(run, "DL3042")
    places = [place["physicalLocation"] for place in lint["locations"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {"images/slim-dev.Dockerfile"}
    assert [place["region"]["startLine"] for place in places] == [5, 9]
    (setuid,) = by_rule(run, "CIS-4.8")
    assert setuid["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "/bin/su"
    assert "region" not in setuid["locations"][0]["physicalLocation"]
    package = by_rule(run, "CVE-2026-1000")[0]["locations"][0]["logicalLocations"][0]
    assert package["fullyQualifiedName"].startswith("pkg:deb/debian/libssl3@")


def test_what_is_suppressed_is_there_with_the_reason_and_nothing_else_is_suppressed() -> None:
    run = rendered(results(EVERYTHING))
    marked = {one["ruleId"]: one["suppressions"] for one in run["results"] if one["suppressions"]}
    assert set(marked) == {"CIS-4.8", "GHSA-aaaa-bbbb-cccc"}
    assert marked["CIS-4.8"][0]["justification"] == "ignored: it is not used (until 2027-03-31), by ignore.toml"
    assert all("suppressions" in one for one in run["results"]), "all results have them, or none"


def test_what_was_not_looked_at_is_named() -> None:
    notes = rendered(results(EVERYTHING))["invocations"][0]["toolExecutionNotifications"]
    said = [note["message"]["text"] for note in notes]
    assert "slim-dev: CIS-4.12 could not look: a person has to" in said
    assert "slim-dev: known vulnerabilities of PyPI were not assessed: no data" in said


def _other_tag(whole: Results) -> Results:
    def renamed(image: Image) -> Image:
        return image.model_copy(update={"reference": f"{image.reference}-other", "digest": "sha256:" + "2" * 64})

    scans = tuple(one.model_copy(update={"image_digest": "sha256:" + "2" * 64}) for one in whole.scans)
    return whole.model_copy(update={"images": tuple(map(renamed, whole.images)), "scans": scans})


def _other_folder(whole: Results) -> Results:
    def moved(path: str) -> str:
        return f"/home/somebody/else/{path}"

    variants = tuple(one.model_copy(update={"dockerfile": moved(one.dockerfile)}) for one in whole.variants)
    return whole.model_copy(update={"variants": variants})


def _other_run(whole: Results) -> Results:
    environment = whole.environment.model_copy(update={"seatrial_version": "9.9.9", "engine": "podman"})
    return whole.model_copy(update={"run_id": "another", "seed": 7, "environment": environment})


@pytest.mark.parametrize("change", [_other_tag, _other_folder, _other_run])
def test_fingerprints_do_not_change_with(change: Any) -> None:
    whole = results(EVERYTHING)
    assert marks(rendered(change(whole))) == marks(rendered(whole))


def test_no_path_of_the_machine_is_in_it() -> None:
    assert "/home/" not in sarif.render(_other_folder(results(EVERYTHING)))


def test_fingerprints_stay_where_lines_move_or_places_are_added() -> None:
    before = rendered(results(scan(finding("DL3042", where="Dockerfile:5", evidence="Dockerfile:5: a"))))
    after = finding("DL3042", where="Dockerfile:7 and 1 more", evidence="Dockerfile:7: a; Dockerfile:9: a")
    assert marks(rendered(results(scan(after)))) == marks(before)
    assert marks(rendered(results(scan(finding("DL3042", variant="alpine-dev"))))) != marks(before)


def test_each_place_with_its_own_remedy_keeps_its_fingerprint_where_lines_move() -> None:
    def secrets(shift: int) -> Scan:
        places = [(f"Dockerfile:{line + shift}", name) for line, name in ((4, "TOKEN"), (9, "KEY"))]
        return scan(*(finding("CIS-4.10", where=where, evidence=f"{where}: {name} is set") for where, name in places))

    before, after = rendered(results(secrets(0))), rendered(results(secrets(3)))
    assert sorted(marks(before)) == sorted(marks(after))
    assert len(set(marks(before))) == 2


def test_an_upgrade_to_another_vulnerable_version_is_the_same_finding() -> None:
    before, after = (rendered(results(scan(vulnerability(installed_version=v)))) for v in ("3.4.0-1", "3.5.0-1"))
    assert marks(before) == marks(after)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
findings = st.builds(
    finding,
    st.sampled_from(["CIS-4.1", "CIS-4.10", "DL3042", "OTHER-1"]),
    where=words | st.just("Dockerfile:4"),
    evidence=words | st.just("Dockerfile:4: x"),
    severity=st.sampled_from(Severity),
    variant=st.sampled_from(["slim-dev", "article"]),
)
vulnerabilities = st.builds(
    vulnerability,
    st.sampled_from(["CVE-2026-1", "CVE-2026-2", "GHSA-x"]),
    st.sampled_from(["libssl3", "zlib1g"]),
    installed_version=st.sampled_from(["1.0", "2.0"]),
    summary=words,
)


@settings(max_examples=60)
@given(st.lists(findings, max_size=8), st.lists(vulnerabilities, max_size=8), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_no_two_results_share_a_fingerprint(
    found: list[Finding], known: list[Vulnerability], dice: random.Random
) -> None:
    unique: list[Finding | Vulnerability] = [*{(f.id, f.variant, f.where, f.evidence): f for f in found}.values()]
    unique += [*{(v.id, v.purl): v for v in known}.values()]
    text = sarif.render(results(scan(*unique)))
    assert len(set(marks(json.loads(text)["runs"][0]))) == len(unique)
    dice.shuffle(unique)
    assert sarif.render(results(scan(*unique))) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    run = rendered(results(scan(finding(text, title=text, where=text, evidence=text), vulnerability(summary=text))))
    whole = json.dumps(run, ensure_ascii=False)
    for forbidden in ("\u202e", "\x1b", "\x07"):
        assert forbidden not in whole
    message = run["results"][0]["message"]["text"]
    assert "](" not in message.replace("\\](", ""), "a viewer would make a link of it"
    for rule in run["tool"]["driver"]["rules"]:
        assert "<script" not in rule["help"]["markdown"]
        assert "<img" not in rule["help"]["markdown"]


@pytest.mark.parametrize(
    ("text", "said"), [("[a](b)", r"\[a\](b)"), ("${BASE}", "${BASE}"), ("{0}", "{{0}}"), ("a\nb", "a b")]
)
def test_messages_hold_no_link_and_no_placeholder(text: str, said: str) -> None:
    assert sarif.plain(text) == said
