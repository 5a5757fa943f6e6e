"""What is suppressed stays, marked; an entry that expired or does nothing is a problem; bad files are one line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness import verdicts
from harness.errors import UsageError
from harness.model import Budget, Failed, NotMeasured, Scan, ScanStep, Skipped, VerdictKind
from harness.paths import ROOT
from security import decisions
from security.decisions import Decisions, Ignore
from tests.made_scans import assessed, finding, scan, vulnerability
from tests.results_factory import make

TODAY = date(2026, 11, 24)
NAMES = ("slim-dev", "slim-gunicorn")


def ignore(identifier: str = "CVE-2026-1000", **changes: object) -> Ignore:
    fields = {"component": "libssl3", "variant": "*", "reason": "not used", "expiry": date(2027, 1, 1)}
    return Ignore.model_validate({"id": identifier} | fields | changes)


def apply(
    found: Scan, *entries: Ignore, today: date = TODAY, names: tuple[str, ...] = ("slim-dev",)
) -> decisions.Decided:
    return decisions.apply([found], Decisions(ignores=entries), today=today, variants=names)


def test_what_is_ignored_stays_and_is_marked() -> None:
    done = apply(scan(vulnerability(), vulnerability("CVE-2026-2")), ignore())
    first, second = done.scans[0].vulnerabilities
    assert first.suppressed is not None
    assert (first.suppressed.kind, first.suppressed.reason) == ("ignored", "not used")
    assert first.suppressed.expires == date(2027, 1, 1)
    assert second.suppressed is None
    assert done.review.stale == ()


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(ignore("GHSA-AAAA-bbbb-cccc"), id="by another of its names"),
        pytest.param(ignore("cve-2026-1000"), id="in small letters"),
        pytest.param(ignore(component="libssl*"), id="by a pattern of the package"),
        pytest.param(ignore(variant="slim-*"), id="by a pattern of the variant"),
    ],
)
def test_an_entry_covers(entry: Ignore) -> None:
    done = apply(scan(vulnerability(aliases=("GHSA-aaaa-bbbb-cccc",))), entry)
    assert done.scans[0].vulnerabilities[0].suppressed is not None


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(ignore("CVE-2026-100"), id="the beginning of its name"),
        pytest.param(ignore(component="libssl"), id="the beginning of the package"),
        pytest.param(ignore(variant="alpine-dev"), id="another variant"),
        pytest.param(ignore(expiry=date(2026, 11, 23)), id="expired yesterday"),
    ],
)
def test_an_entry_does_not_cover(entry: Ignore) -> None:
    done = apply(scan(vulnerability()), entry, names=("slim-dev", "alpine-dev"))
    assert done.scans[0].vulnerabilities[0].suppressed is None


def test_a_finding_is_ignored_by_its_place() -> None:
    found = scan(finding("CIS-4.10", where="/app/key"), finding("CIS-4.10", where="/app/other"))
    done = apply(found, ignore("CIS-4.10", component="/app/key"))
    assert [one.suppressed is not None for one in done.scans[0].findings] == [True, False]


def test_an_entry_for_some_places_does_not_hide_one_more() -> None:
    entry = ignore("CIS-4.8", component="/bin/su and 1 more")
    assert apply(scan(finding("CIS-4.8", where="/bin/su and 1 more")), entry).scans[0].findings[0].suppressed
    grown = apply(scan(finding("CIS-4.8", where="/bin/su and 2 more")), entry)
    assert grown.scans[0].findings[0].suppressed is None
    assert grown.review.stale[0].kind == "unused"


def test_an_entry_holds_on_its_last_day_and_not_after() -> None:
    entry = ignore(expiry=TODAY)
    on_time = apply(scan(vulnerability()), entry)
    assert on_time.review.stale == ()
    assert on_time.scans[0].vulnerabilities[0].suppressed is not None
    late = apply(scan(vulnerability()), entry, today=date(2026, 11, 25))
    assert late.review.stale[0].kind == "expired"
    assert "counts again" in late.review.stale[0].message


def test_a_decision_that_was_withdrawn_has_no_effect() -> None:
    marked = apply(scan(vulnerability()), ignore()).scans[0]
    assert apply(marked).scans[0].vulnerabilities[0].suppressed is None


def test_an_entry_that_covers_nothing_is_unused() -> None:
    done = apply(scan(vulnerability()), ignore("CVE-2020-1"))
    assert [(one.kind, one.id) for one in done.review.stale] == [("unused", "CVE-2020-1")]


def test_a_variant_that_does_not_exist_is_told() -> None:
    done = apply(scan(vulnerability()), ignore(variant="slm-*"))
    assert done.review.stale[0].message == "no variant matches 'slm-*'"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"assessments": (assessed("Debian:13", None, "no mirror"),)}, id="its ecosystem was not assessed"),
        pytest.param({"components": NotMeasured(not_measured="no syft")}, id="no inventory"),
        pytest.param({"variant": "slim-gunicorn"}, id="its variant was not scanned"),
    ],
)
def test_what_was_not_looked_at_makes_no_entry_unused(change: dict[str, object]) -> None:
    seen = scan(vulnerability()).model_copy(update=change | {"vulnerabilities": ()})
    assert apply(seen, ignore(variant="slim-dev")).review.stale == ()


def test_an_ecosystem_that_the_package_is_not_in_does_not_matter() -> None:
    seen = scan(vulnerability(), assessments=(assessed(), assessed("generic", None, "nobody knows it")))
    assert apply(seen, ignore("CVE-2020-1")).review.stale[0].kind == "unused"


def test_without_hadolint_no_entry_about_its_rules_is_unused() -> None:
    step = ScanStep(name="hadolint", version="", outcome=Skipped(reason="not here"), seconds=0)
    assert apply(scan(steps=(step,)), ignore("DL3042")).review.stale == ()
    failed = step.model_copy(update={"outcome": Failed(evidence=("x",))})
    assert apply(scan(steps=(failed,)), ignore("DL3042")).review.stale[0].kind == "unused"


def test_stale_entries_fail_the_gate_and_suppressed_ones_do_not_count() -> None:
    results = make().results
    variant = results.variants[0].name
    mine = scan(vulnerability(), variant=variant, image_digest=results.images[0].digest)
    budget = Budget(metric="vulnerabilities_fixable_high", variants=variant, max=0)

    def kinds(*entries: Ignore) -> list[VerdictKind]:
        done = apply(mine, *entries, names=(variant,))
        judged = results.model_copy(update={"scans": done.scans, "decisions": done.review})
        return [one.kind for one in verdicts.judge(judged, [budget], None)]

    assert kinds() == [VerdictKind.EXCEEDED]
    assert kinds(ignore()) == [VerdictKind.KEPT]
    assert kinds(ignore(expiry=date(2020, 1, 1))) == [VerdictKind.EXCEEDED, VerdictKind.EXCEEDED]
    assert kinds(ignore(), ignore("CVE-2020-1")) == [VerdictKind.KEPT, VerdictKind.EXCEEDED]


def test_the_verdict_on_a_stale_entry_reads_as_a_sentence() -> None:
    done = apply(scan(vulnerability()), ignore("CVE-2020-1", variant="slim-*"))
    judged = make().results.model_copy(update={"decisions": done.review})
    (verdict,) = verdicts.judge(judged, [], None)
    assert verdicts.sentence(verdict) == "slim-*: ignores CVE-2020-1 of libssl3 until 2027-01-01"
    assert verdict.measured == "unused"
    assert "fails the gate: it matches nothing" in verdict.message


def test_the_shipped_ignore_file_is_empty() -> None:
    assert decisions.load(ROOT / "security" / "ignore.toml") == ()


ENTRY = '[[ignore]]\nid = "CVE-1"\ncomponent = "x"\nvariant = "*"\nreason = "r"\nexpiry = 2027-01-01\n'


def test_an_entry_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ignore.toml"
    path.write_text(ENTRY + ENTRY.replace("CVE-1", "CVE-2"), "utf-8")
    assert [(one.id, one.expiry) for one in decisions.load(path)] == [
        ("CVE-1", date(2027, 1, 1)),
        ("CVE-2", date(2027, 1, 1)),
    ]


@pytest.mark.parametrize("name", ["id", "component", "variant", "reason", "expiry"])
def test_every_part_of_an_entry_is_required(tmp_path: Path, name: str) -> None:
    path = tmp_path / "ignore.toml"
    path.write_text("".join(line for line in ENTRY.splitlines(True) if not line.startswith(name)), "utf-8")
    with pytest.raises(UsageError, match=f"entry 1: {name}: Field required"):
        decisions.load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[[ignore]", "not TOML", id="broken TOML"),
        pytest.param("ignore = 3", "not a list", id="no list"),
        pytest.param("ignore = [3]", "entry 1", id="no table"),
        pytest.param(ENTRY + 'until = "x"', "until", id="unknown key"),
        pytest.param("[[ignored]]", "unknown entry 'ignored'", id="unknown table"),
        pytest.param(ENTRY.replace('"r"', '"  "'), "reason", id="an empty reason"),
        pytest.param(ENTRY.replace("2027-01-01", '"soon"'), "expiry", id="no date"),
        pytest.param(ENTRY.replace("2027-01-01", "2027-02-30"), "not TOML", id="a day that there is not"),
        pytest.param("\udcff", "not TOML", id="not UTF-8"),
        pytest.param("x = " + "[" * 5000, "not TOML", id="nested without end"),
    ],
)
def test_bad_files_are_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "ignore.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=said) as caught:
        decisions.load(path)
    assert "\n" not in caught.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        decisions.load(tmp_path / "none.toml")
