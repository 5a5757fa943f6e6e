"""junit.xml: valid, complete, and no place for what an image's author writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness import verdicts
from harness.model import Budget, Results, Verdict, VerdictKind
from report import junit
from tests.results_factory import HOSTILE, Made, make


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


def judged(made: Made, *limits: Budget) -> Results:
    return made.results.model_copy(update={"verdicts": verdicts.judge(made.results, limits, made.histogram)})


def suite_of(text: str) -> ET.Element:
    root = ET.fromstring(text)  # noqa: S314 - written by the code under test
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.tag == "testsuite"
    return suite


def test_each_verdict_is_a_case_and_the_numbers_add_up(made: Made) -> None:
    suite = suite_of(junit.render(judged(made, Budget(metric="throughput_rps", variants="*-dev", min=1200))))
    cases = {case.get("classname"): [child.tag for child in case] for case in suite}
    assert cases == {
        "seatrial.slim-dev": ["skipped"],
        "seatrial.alpine-dev": ["failure"],
        "seatrial.distroless-dev": [],
    }
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
        "errors": "0",
    }
    assert suite.get("timestamp") == "2026-11-24T12:00:00"


def test_what_was_not_measured_is_skipped_with_its_reason(made: Made) -> None:
    (case,) = suite_of(junit.render(judged(made, Budget(metric="throughput_rps", variants="slim-dev", min=1))))
    assert case.get("name") == "slim-dev: throughput at least 1 req/s"
    assert "no valid trial of 4" in (case[0].get("message") or "")


def test_an_exceeded_one_says_by_how_much(made: Made) -> None:
    (case,) = suite_of(junit.render(judged(made, Budget(metric="layers", variants="article", max=1, reason="why not"))))
    assert "over by 2 layers" in (case[0].get("message") or "")
    assert "why not" in (case[0].text or "")


@pytest.mark.parametrize("text", [*HOSTILE, "\x00\x0b\ud800\ufffe\uffff]]>"], ids=repr)
def test_hostile_text_leaves_it_valid(made: Made, text: str) -> None:
    verdict = Verdict(variant=text, metric="layers", kind=VerdictKind.EXCEEDED, limit=text, measured=text, message=text)
    written = junit.render(made.results.model_copy(update={"verdicts": (verdict,)}))
    written.encode("utf-8")
    (case,) = suite_of(written)
    assert [child.tag for child in case] == ["failure"]


def test_a_run_without_budgets_is_an_empty_suite(made: Made) -> None:
    assert len(suite_of(junit.render(made.results))) == 0
