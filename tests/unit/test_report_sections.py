"""What a run may be asked beyond the usual: each part on the page when it is there, and its command when it is not."""

from __future__ import annotations

import csv
import html
import io
import re
from itertools import pairwise
from urllib.parse import unquote

import pytest

from harness.metrics import Measurements
from harness.model import Failed, Hardening, NotMeasured, Outcome, Passed, Ratio, Results, Skipped
from report import attacks, exposure, sections, shipping, tables, view
from report import html as page
from tests.hostile_models import PARTS, Filler, hostile_parts
from tests.made_hardening import hardening
from tests.results_factory import SHAPES, Made, make

ANCHORS = (
    "capacity",
    "stops",
    "exposure",
    "attacks",
    "seccomp",
    "neighbours",
    "costs",
    "duels",
    "tunings",
    "soaks",
    "questions",
)


@pytest.fixture(scope="module")
def made() -> Made:
    return make(hostile=True)


@pytest.fixture(scope="module")
def results(made: Made) -> Results:
    return hostile_parts(made.results)


@pytest.fixture(scope="module")
def written(made: Made, results: Results) -> str:
    return page.render(view.of(results, made.histogram))


def test_every_part_has_its_place_and_hostile_words_make_no_element(written: str) -> None:
    for anchor in ANCHORS:
        assert f'id="{anchor}"' in written or anchor == "exposure", anchor
    assert "<img" not in written
    assert written.count("<script") == 1
    assert "<b>bold" not in written
    assert "\u202e" not in written
    assert "\x1b" not in written
    assert "{{ 7 * 7 }}" in written


def test_a_run_that_was_asked_nothing_more_names_the_commands_in_a_line_each(made: Made) -> None:
    shown = view.of(made.results, made.histogram)
    written = page.render(shown)
    assert {how.split()[1] for _, how in shown.sections.not_asked} >= {
        "capacity", "probe", "seccomp", "neighbours", "cost", "duel", "tune", "soak", "run",
    }  # fmt: skip
    assert all(how in html.unescape(written) for _, how in shown.sections.not_asked)
    # No heading stands over nothing.
    assert [one for one in ANCHORS if f'id="{one}"' in written] in ([], ["exposure"])


def test_a_run_that_was_asked_everything_names_no_command(made: Made, results: Results) -> None:
    found = sections.of(Measurements(results, made.histogram), made.histogram, list(SHAPES))
    assert [how for _, how in found.not_asked] == ["seatrial run --load-profile full"], "but for the open load"


@pytest.mark.parametrize("part", sorted(PARTS))
def test_each_part_alone_can_be_read(made: Made, part: str) -> None:
    for measured in (True, False):
        one = Filler("slim-dev", measured=measured).make(PARTS[part])
        results = made.results.model_copy(update={part: (one,)})
        found = sections.of(Measurements(results, None), None, list(SHAPES))
        assert len(found.not_asked) <= len(sections.COMMANDS)


def test_every_data_link_holds_rows_and_runs_nothing_in_a_spreadsheet(written: str) -> None:
    links = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', written)
    assert len(links) > 15
    for link in links:
        rows = list(csv.reader(io.StringIO(unquote(html.unescape(link)))))
        assert len({len(row) for row in rows}) == 1
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "@", "\t")), cell


def test_an_attack_counts_as_stopped_only_where_it_was_tried_and_stopped(results: Results) -> None:
    found = attacks.matrix(results, list(SHAPES))
    assert found is not None
    kinds = {cell.kind for attack in found.attacks for cell in attack.cells}
    assert kinds <= {"stopped", "succeeded", "not tried"}
    other = results.hardenings[0].model_copy(update={"run_profile": "other", "probes": ()})
    alone = attacks.matrix(results.model_copy(update={"hardenings": (results.hardenings[0], other)}), list(SHAPES))
    assert alone is not None
    assert len(alone.columns) == 1, "a container that was not attacked has no column of ticks"


def test_a_probe_that_one_container_lacks_is_not_tried_there(results: Results) -> None:
    first: Hardening = results.hardenings[0]
    short = first.model_copy(update={"variant": "slim-dev", "probes": first.probes[:1]})
    found = attacks.matrix(results.model_copy(update={"hardenings": (first, short)}), list(SHAPES))
    assert found is not None
    assert [cell.kind for cell in found.attacks[-1].cells][-1] in ("not tried", "stopped", "succeeded")
    lacking = next(one for one in found.attacks if one.id == first.probes[1].id)
    assert "not run here" in " ".join(cell.more for cell in lacking.cells)


def test_a_variant_that_was_not_assessed_has_no_point(made: Made) -> None:
    measured = Measurements(made.results, made.histogram)
    found = exposure.scatter(measured, list(SHAPES))
    assert {one.variant for one in found.points} | {name for name, _ in found.missing} == set(SHAPES)
    assert all(0 <= one.x <= 100 and 0 <= one.y <= 100 for one in found.points)
    assert all(one.partial and "at least" in one.words for one in found.points), "Debian was not assessed"
    blind = made.results.model_copy(
        update={"scans": tuple(one.model_copy(update={"assessments": ()}) for one in made.results.scans)}
    )
    assert exposure.scatter(Measurements(blind, made.histogram), list(SHAPES)).points == ()


def test_a_whisker_stays_on_its_axis_and_keeps_its_side() -> None:
    ratios: list[Ratio | NotMeasured] = [
        Ratio(value=1.5, low=1.2, high=40.0, significant=True, method="m"),
        Ratio(value=0.5, low=None, high=None, significant=None, method="m"),
        NotMeasured(not_measured="no"),
    ]
    axis = tables.axis_of(ratios)
    assert axis == tables.WIDEST
    more, less = (tables.whisker(one, axis) for one in ratios if isinstance(one, Ratio))
    assert more.low is not None
    assert more.middle < more.low < more.at < 100 == more.high
    assert less.at < less.middle
    assert tables.ratio(ratios[0], lower_is_better=True).tone == "worse"
    assert tables.ratio(ratios[0], lower_is_better=False).tone == "better"
    assert tables.ratio(ratios[1], lower_is_better=True).tone == "same"
    assert tables.ratio(ratios[2], lower_is_better=True).more == "no"


def test_labels_of_points_do_not_lie_on_each_other(made: Made) -> None:
    found = exposure.scatter(Measurements(made.results, made.histogram), list(SHAPES))
    places = sorted(one.label_y for one in found.points)
    assert len(places) > 4
    assert all(later - sooner >= exposure.APART - 1e-6 or later == sooner for sooner, later in pairwise(places))


@pytest.mark.parametrize(
    ("outcomes", "failure", "said"),
    [
        pytest.param(
            [Passed(), Passed()], "", "None of the 2 attacks from inside that were tried succeeded.", id="none"
        ),
        pytest.param(
            [Passed(), Skipped(reason="no tool")], "",
            "None of the 1 attacks from inside that were tried succeeded; 1 more could not be tried here.", id="some",
        ),
        pytest.param(
            [Skipped(reason="no tool")] * 2, "", "None of 2 attacks from inside could be tried here.", id="not one"
        ),
        pytest.param(
            [Failed(evidence=("it is root",)), Passed()], "",
            "1 of the 2 attacks from inside that were tried succeeded. This does not hold: ", id="one succeeded",
        ),
        pytest.param([], "it would not start", "was not tried: it would not start.", id="it would not start"),
    ],
)  # fmt: skip
def test_the_first_screen_says_how_many_attacks_were_tried(outcomes: list[Outcome], failure: str, said: str) -> None:
    probes = tuple(
        one.model_copy(update={"outcome": outcome}) for one, outcome in zip(hardening().probes, outcomes, strict=False)
    )
    results = make().results
    mine = hardening(probes=probes, failure=failure, run_profile=results.run_profile or "hardened")
    found = shipping.of(results.model_copy(update={"hardenings": (mine,)}), mine.variant)
    assert found is not None
    assert said in found.attacks
