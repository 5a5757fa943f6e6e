"""A comparison as text and as Markdown: complete, and no place for what an image's author writes."""

from __future__ import annotations

import json
import re

import pytest

from harness import regressions
from harness.comparison import compare_runs, compare_sides
from harness.listings import ListedFile, encode
from harness.model import Component, RegressionThreshold, RunComparison
from harness.sides import Run, side_of
from report import side_by_side
from security import version_order
from tests.results_factory import HOSTILE, make

BEFORE, AFTER = make(seed=3), make(seed=103, run_id="second")


def listing(name: str) -> bytes:
    path = "usr/bin/su" if "article" in name else "usr/bin/new"
    return encode([ListedFile(path, "file", 0o4755, 0, 0, 1200)])


def compared(name: str = "slim-gunicorn", purl: str = "pkg:pypi/flask@3.0.0") -> RunComparison:
    """Compare two variants of a run of which one has another package."""
    scans = tuple(
        one.model_copy(
            update={
                "components": (Component(variant=one.variant, name=name, version="3.0.0", purl=purl, type="library"),)
            }
        )
        if one.variant == "alpine-gunicorn"
        else one
        for one in BEFORE.results.scans
    )
    run = Run(results=BEFORE.results.model_copy(update={"scans": scans}), histogram=BEFORE.histogram, listing=listing)
    after = side_of(run, "alpine-gunicorn")
    found = compare_sides(side_of(run, "article"), after, order=version_order.order)
    limits = [
        RegressionThreshold(metric="throughput_rps", worse_by=0.1),
        RegressionThreshold(metric="layers", more_by=0),
    ]
    return RunComparison(
        before="article",
        after="alpine-gunicorn",
        comparisons=(found,),
        verdicts=regressions.judge_comparison(found, after, limits),
    )


@pytest.mark.parametrize("form", [side_by_side.text, side_by_side.markdown], ids=["text", "Markdown"])
def test_every_subject_is_told(form: object) -> None:
    said = form(compared())  # type: ignore[operator]
    titles = "Verdicts/Figures/Packages/Vulnerabilities/Programs with setuid/Files/Configuration/Size by layer"
    for title in titles.split("/"):
        assert title in said
    assert "throughput" in said
    assert "paired by round" in said
    assert "/usr/bin/new" in said
    assert "Known vulnerabilities of Debian were not assessed" in said.replace("\\", "")


def test_every_ratio_has_its_interval_and_its_method() -> None:
    lines = side_by_side.text(compared()).splitlines()
    (line,) = [one for one in lines if one.strip().startswith("throughput ")]
    assert "×" in line  # noqa: RUF001
    assert " to " in line
    number = line.split()[-1]
    assert any(one.strip().startswith(f"{number} paired by round") for one in lines)


def test_what_was_not_compared_is_told_with_its_reason() -> None:
    said = side_by_side.text(compared())
    assert "not compared: capacity: article: the load profile does not search for capacity" in said


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text: str) -> None:
    found = compared(name=text, purl="")
    said = side_by_side.text(found)
    assert all(line.isprintable() for line in said.splitlines())
    marked = side_by_side.markdown(found)
    assert "<script" not in marked
    assert "<img" not in marked
    assert not re.search(r"(?<!\\)\]\(", marked)
    (row,) = [one for one in marked.splitlines() if "| added |" in one and "3.0.0" in one]
    assert row.replace("\\|", "").count("|") == 6


def test_json_holds_all_of_it() -> None:
    found = compared()
    again = RunComparison.model_validate(json.loads(found.model_dump_json()))
    assert again == found


def test_two_runs_are_told_variant_by_variant() -> None:
    first, second = (Run(results=made.results, histogram=made.histogram) for made in (BEFORE, AFTER))
    found = compare_runs(first, second)
    said = side_by_side.text(found)
    assert said.count("Figures\n") == 7
    assert "slim-dev in 20261124-120000-synthetic → slim-dev in second" in said
    fewer = AFTER.results.model_copy(update={"variants": AFTER.results.variants[:2]})
    assert "Only in the first: slim-gunicorn, " in side_by_side.text(
        compare_runs(first, Run(results=fewer, histogram=AFTER.histogram))
    )
