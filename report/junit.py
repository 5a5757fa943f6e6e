"""Writes junit.xml: one test case for each verdict, in the form that CI systems read."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # it only writes here; nothing is parsed
from collections.abc import Sequence

from harness import verdicts
from harness.model import Results, Verdict, VerdictKind
from report.text import clean

NONCHARACTERS = {0xFFFE: "⟨U+FFFE⟩", 0xFFFF: "⟨U+FFFF⟩"}
"""What XML 1.0 (section 2.2) leaves out besides the controls and surrogates, which `clean` spells out."""


def render(results: Results) -> str:
    """Return a run's verdicts as JUnit XML: exceeded ones fail, and those not measured are skipped with their reason.

    The form is the one that Jenkins, GitLab and GitHub's reporters share: `testsuites` > `testsuite` > `testcase`, the
    variant as the class's name. The suite's time is the run's, in seconds; a verdict by itself takes none.
    """
    judged = results.verdicts
    counts = {
        "tests": str(len(judged)),
        "failures": str(_number(judged, VerdictKind.EXCEEDED)),
        "errors": "0",
        "skipped": str(_number(judged, VerdictKind.NOT_MEASURED)),
    }
    began, ended = results.started_at, results.finished_at
    seconds = 0.0 if ended is None else (ended - began).total_seconds()
    root = ET.Element("testsuites", {"name": "seatrial", **counts, "time": f"{seconds:.3f}"})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _text(f"budgets of {results.run_id}"),
            **counts,
            "time": f"{seconds:.3f}",
            "timestamp": began.replace(microsecond=0, tzinfo=None).isoformat(),
        },
    )
    for verdict in judged:
        _case(suite, verdict)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, verdict: Verdict) -> None:
    name = {"classname": _text(f"seatrial.{verdict.variant}"), "name": _text(verdicts.sentence(verdict))}
    case = ET.SubElement(suite, "testcase", {**name, "time": "0"})
    message = _text(verdict.message)
    if verdict.kind is VerdictKind.EXCEEDED:
        ET.SubElement(case, "failure", {"message": message, "type": "exceeded"}).text = message
    elif verdict.kind is VerdictKind.NOT_MEASURED:
        ET.SubElement(case, "skipped", {"message": message})


def _number(judged: Sequence[Verdict], kind: VerdictKind) -> int:
    return sum(one.kind is kind for one in judged)


def _text(words: str) -> str:
    return clean(words).translate(NONCHARACTERS)
