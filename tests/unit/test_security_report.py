"""The Markdown report of one variant, the terminal's table, and the counts that both and the budgets share."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from harness import verdicts
from harness import vulnerability_counts as counts
from harness.model import (
    Budget,
    DecisionReview,
    Failed,
    NotMeasured,
    Results,
    Scan,
    ScanStep,
    Severity,
    StaleDecision,
    Verdict,
    VerdictKind,
)
from report import security_markdown, security_table, view
from tests.made_scans import IGNORED, NOT_AFFECTED, assessed, finding, scan, vulnerability
from tests.results_factory import HOSTILE, make, without

DAY = date(2026, 11, 24)


def results(found: Scan) -> Results:
    whole = make().results
    digest = next(one.digest for one in whole.images if one.variant == found.variant)
    others = tuple(one for one in whole.scans if one.variant != found.variant)
    return whole.model_copy(update={"scans": (found.model_copy(update={"image_digest": digest}), *others)})


def written(*found: Any, **changes: Any) -> str:
    one = scan(*found, **changes)
    return security_markdown.render(results(one), one)


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def judged(found: Scan, metric: str, limit: float = 0) -> Verdict:
    (verdict,) = verdicts.judge(results(found), [Budget(metric=metric, variants=found.variant, max=limit)], None)
    return verdict


# --- counts and budgets ---


def test_a_vulnerability_of_two_packages_counts_once_as_its_worst() -> None:
    found = scan(
        vulnerability(component="libc6", severity=Severity.LOW, fixed_version=None),
        vulnerability(component="libc-bin", severity=Severity.HIGH),
        vulnerability("CVE-2026-2", severity=Severity.HIGH, fixed_version=None),
    )
    every = counts.counted(found)
    assert counts.number(every) == 2
    assert counts.number(every, Severity.HIGH) == 2
    assert counts.number(every, Severity.HIGH, fixable=True) == 1
    assert counts.number(every, Severity.LOW) == 0


def test_suppressed_ones_do_not_count() -> None:
    found = scan(vulnerability(suppressed=IGNORED), finding(suppressed=IGNORED, severity=Severity.HIGH))
    assert judged(found, "vulnerabilities").kind is VerdictKind.KEPT
    assert judged(found, "findings_high").kind is VerdictKind.KEPT
    assert judged(found, "findings").kind is VerdictKind.KEPT


def test_what_was_not_assessed_is_no_pass() -> None:
    found = scan(assessments=(assessed(), assessed("PyPI", None, "no data is here")))
    verdict = judged(found, "vulnerabilities_critical")
    assert verdict.kind is VerdictKind.NOT_MEASURED
    assert "PyPI were not assessed: no data is here" in verdict.message


def test_too_many_break_a_budget_whatever_was_not_assessed() -> None:
    found = scan(vulnerability(), assessments=(assessed(), assessed("PyPI", None, "no data")))
    assert judged(found, "vulnerabilities_fixable_high").kind is VerdictKind.EXCEEDED


def test_without_any_assessment_there_is_no_figure() -> None:
    found = scan(assessments=(assessed("all", None, "no inventory"),))
    verdict = judged(found, "vulnerabilities", 1e9)
    assert (verdict.kind, verdict.measured) == (VerdictKind.NOT_MEASURED, "not measured")
    assert "no inventory" in verdict.message
    gone = verdicts.judge(without(make().results, "article"), [Budget(metric="vulnerabilities", max=9)], None)
    assert gone[0].message == "it was not scanned"


def test_an_unknown_severity_may_be_critical() -> None:
    found = scan(vulnerability(severity=Severity.UNKNOWN))
    verdict = judged(found, "vulnerabilities_fixable_critical")
    assert verdict.kind is VerdictKind.NOT_MEASURED
    assert "of the fixable vulnerabilities one has no known severity" in verdict.message
    assert judged(found, "vulnerabilities_fixable_unknown", 1).kind is VerdictKind.KEPT
    assert judged(found, "vulnerabilities_fixable", 1).kind is VerdictKind.KEPT
    unfixable = scan(vulnerability(severity=Severity.UNKNOWN, fixed_version=None))
    assert judged(unfixable, "vulnerabilities_fixable_critical").kind is VerdictKind.KEPT
    assert judged(unfixable, "vulnerabilities_critical").kind is VerdictKind.NOT_MEASURED


# --- Markdown ---


def test_fixable_ones_come_first_and_the_worst_before_the_others() -> None:
    text = written(
        vulnerability("CVE-2026-1", severity=Severity.CRITICAL, fixed_version=None),
        vulnerability("CVE-2026-2", severity=Severity.LOW),
        vulnerability("CVE-2026-3", severity=Severity.HIGH),
    )
    part = section(text, "Known vulnerabilities")
    places = [part.index(name) for name in ("CVE-2026-3", "CVE-2026-2", "CVE-2026-1")]
    assert places == sorted(places)
    assert "3.5.0-1 → 3.5.0-2" in part
    assert "3.5.0-1 → none known" in part


def test_packages_that_share_a_vulnerability_share_a_row() -> None:
    text = written(vulnerability(component="libc6"), vulnerability(component="libc-bin"))
    assert section(text, "Known vulnerabilities").count("CVE-2026-1000 |") == 1
    assert "| libc-bin, libc6 |" in text


def test_the_first_layer_is_named_by_its_instruction() -> None:
    layer = make().results.images[0].layers[0].diff_id
    assert "| 1: base files |" in written(vulnerability(layer_diff_id=layer))
    assert "| not known |" in written(vulnerability(layer_diff_id="sha256:elsewhere"))


def test_silence_is_no_all_clear() -> None:
    assert "Not assessed: this is not an all-clear." in written(assessments=(assessed("all", None, "no inventory"),))
    part = written(assessments=(assessed(), assessed("PyPI", None, "no data")))
    assert "of the ecosystems that were assessed" in part
    assert "**not assessed** | no data" in section(part, "What was looked at")
    assert "CIS-4.12: a person has to" in section(part, "What was looked at")


def test_suppressed_ones_stand_apart_with_reason_and_end() -> None:
    text = written(finding("CIS-4.8", suppressed=IGNORED), vulnerability(suppressed=NOT_AFFECTED))
    part = section(text, "Suppressed")
    assert "| CIS-4.8 | image configuration | ignored | it is not used | 2027-03-31 | ignore.toml |" in part
    assert "not affected | the code is not built in | no end |" in part
    assert "CIS-4.8" not in section(text, "Findings")
    assert "CVE-2026-1000" not in section(text, "Known vulnerabilities")
    assert "**0 findings; 0 known vulnerabilities (0 fixable).**" in text


def test_findings_come_with_what_to_do() -> None:
    part = section(written(finding("CIS-4.1", severity=Severity.HIGH)), "Findings")
    assert "### HIGH: Rule CIS-4.1 (CIS-4.1)" in part
    assert "- **What to do:** Mend it." in part


def test_licences_layers_and_waste_are_listed() -> None:
    waste = ScanStep(name="SEA-IMG-0001", version="", outcome=Failed(evidence=("/big: 9 bytes wasted",)), seconds=0)
    text = written(vulnerability(), steps=(waste,))
    assert "| MIT | 1 | libssl3 |" in section(text, "Licences")
    assert "- /big: 9 bytes wasted" in section(text, "Largest layers")
    assert "COPY app" in section(text, "Largest layers")
    unknown = written(components=NotMeasured(not_measured="syft is not here"))
    assert "Not known: syft is not here" in section(unknown, "Licences")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(hostile: str) -> None:
    decided = IGNORED.model_copy(update={"reason": hostile})
    text = written(
        finding(hostile, title=hostile, where=hostile, evidence=hostile, remediation=hostile),
        finding("X", title=hostile, suppressed=decided),
        vulnerability(summary=hostile, fixed_version=hostile, sources=(hostile,)),
        assessments=(assessed(hostile, None, hostile), assessed()),
    )
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    for forbidden in ("<script", "<img", "<svg", "<b>", "<a ", "<code>tick", "\u202e", "\x1b"):
        assert forbidden not in shown
    rows = [line for line in shown.splitlines() if line.strip() == "<tr>"]
    plain = written(
        finding("A"),
        finding("X", suppressed=IGNORED),
        vulnerability(),
        assessments=(assessed("E", None, "r"), assessed()),
    )
    harmless = MarkdownIt("commonmark").enable("table").render(plain)
    assert len(rows) == harmless.count("<tr>"), "a cell did not end its row"


# --- the terminal ---


def printed(*scans: Scan, review: DecisionReview | None = None) -> str:
    console = Console(width=100, no_color=True)
    with console.capture() as captured:
        console.print(security_table.render(scans, review))
    return captured.get()


def test_the_table_shows_all_and_fixable_and_what_was_not_assessed() -> None:
    found = scan(
        vulnerability(),
        vulnerability("CVE-2026-2", fixed_version=None),
        vulnerability("CVE-2026-3", suppressed=IGNORED),
        finding(severity=Severity.LOW),
        assessments=(assessed(), assessed("PyPI", None, "no data is here")),
    )
    text = printed(found)
    assert "≥2/1" in text
    assert "Not assessed: PyPI in slim-dev: no data is here" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_without_an_assessment_there_are_no_zeros() -> None:
    text = printed(scan(assessments=(assessed("all", None, "no inventory"),)))
    known = next(line for line in text.splitlines()[::-1] if line.startswith("slim-dev"))
    assert known.split()[1:6] == ["n/a"] * 5


def test_entries_that_no_longer_hold_are_told() -> None:
    stale = StaleDecision(
        kind="expired",
        id="CVE-1",
        component="x",
        variant="*",
        expires=DAY,
        message="it expired",
    )
    text = printed(scan(), review=DecisionReview(reviewed_on=DAY, stale=(stale,)))
    assert "Ignore file, CVE-1 of x on *: it expired" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_markup_in_the_terminal_stays_text(hostile: str) -> None:
    text = printed(scan(assessments=(assessed(hostile, None, hostile), assessed())))
    assert "\x1b" not in text
    assert "\x07" not in text


# --- the page's view ---


def test_the_view_shows_vulnerabilities_among_the_findings_and_suppressed_ones_last() -> None:
    found = scan(finding(severity=Severity.LOW), vulnerability(suppressed=IGNORED), vulnerability("CVE-2026-2"))
    shown = view.of(results(found), make().histogram)
    ids = [row.id for row in shown.findings.rows if "slim-dev" in row.variants]
    assert ids.index("CVE-2026-2") < ids.index("CIS-4.1") < ids.index("CVE-2026-1000")
    assert shown.findings.rows[-1].suppressed.startswith("ignored until 2027-03-31 by ignore.toml")
    row = next(row for row in shown.rows if row.variant == "slim-dev")
    assert row.vulnerabilities_text == "1 fixable vulnerability"
    assert row.findings == (("LOW", 1),)
