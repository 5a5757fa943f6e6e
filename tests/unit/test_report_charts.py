"""The charts' geometry: everything lies on the scale, and what was not measured has no bar."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import REGISTRY, Measurements
from report import charts, curves
from tests.results_factory import SHAPES, Made, make


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


@pytest.fixture(scope="module")
def measured(made: Made) -> Measurements:
    return Measurements(made.results, made.histogram)


@pytest.mark.parametrize("metric", [kind.name for kind in REGISTRY])
def test_a_strip_lies_between_nothing_and_the_end_of_the_scale(measured: Measurements, metric: str) -> None:
    chart = charts.strips(measured, metric, list(SHAPES), "article")
    assert chart.ticks[0][0] == 0
    for row in chart.rows:
        if row.strip is not None:
            places = [row.strip.bar, *row.strip.dots, *(p for p in (row.strip.low, row.strip.high) if p is not None)]
            assert all(0 <= place <= 100.0001 for place in places), row
            assert row.variant in row.strip.label


def test_what_was_not_measured_has_its_reason_and_no_bar(measured: Measurements) -> None:
    chart = charts.strips(measured, "throughput_rps", list(SHAPES), "article")
    row = next(row for row in chart.rows if row.variant == "slim-dev")
    assert row.strip is None
    assert "failures over the limit" in row.text


def test_a_chart_says_n_interval_and_unit_and_carries_its_data(measured: Measurements) -> None:
    chart = charts.strips(measured, "throughput_rps", list(SHAPES), "article")
    assert "n = 3 to 4 trials" in chart.caption
    assert "95% interval" in chart.caption
    assert "requests a second" in chart.caption
    assert chart.download.startswith("data:text/csv")
    assert "slim-gunicorn" in chart.download


@given(st.lists(st.floats(min_value=1e-6, max_value=1e12), min_size=1))
def test_a_scale_holds_all_values_in_few_round_steps(values: list[float]) -> None:
    top, ticks = charts.scale(values)
    assert top >= max(values) * 0.998
    assert 2 <= len(ticks) <= 7
    step = ticks[1]
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 2.5, 5, 10)


def test_curves_rise_to_the_right_and_stay_in_the_square(made: Made, measured: Measurements) -> None:
    chart = curves.curves(measured, made.histogram, list(SHAPES))
    assert {line.variant for line in chart.lines} == set(SHAPES) - {"slim-dev"}
    assert [name for name, _ in chart.missing] == ["slim-dev"]
    for line in chart.lines:
        points = [tuple(map(float, pair.split())) for pair in line.path[1:].split("L")]
        assert all(0 <= x <= 1000 and 0 <= y <= 1000 for x, y in points)
        assert points == sorted(points)
        assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_end_labels_do_not_lie_on_each_other(made: Made, measured: Measurements) -> None:
    places = sorted(line.label_y for line in curves.curves(measured, made.histogram, list(SHAPES)).lines)
    assert all(later - sooner > 5.9 for sooner, later in pairwise(places))


def test_a_base_has_one_colour_and_a_server_one_dash() -> None:
    names = list(SHAPES)
    slim_dev, slim_gunicorn = curves.series("slim-dev", names), curves.series("slim-gunicorn", names)
    assert slim_dev[0] == slim_gunicorn[0] != curves.series("alpine-dev", names)[0]
    assert slim_dev[1] == curves.series("alpine-dev", names)[1] != slim_gunicorn[1] == ""


def test_without_any_figure_there_is_an_empty_chart_and_no_error(made: Made) -> None:
    empty = Measurements(made.results.model_copy(update={"load_trials": (), "images": ()}), made.histogram)
    assert curves.curves(empty, made.histogram, list(SHAPES)).lines == ()
    assert all(row.strip is None for row in charts.strips(empty, "throughput_rps", list(SHAPES), "article").rows)
    assert charts.layers(empty, list(SHAPES)).rows == ()


def test_layers_add_up_and_the_wheelhouse_is_noted(measured: Measurements) -> None:
    chart = charts.layers(measured, list(SHAPES))
    article = next(row for row in chart.rows if row.variant == "article")
    assert sum(part.width for part in article.segments) == pytest.approx(100)
    assert "4.8 MB only serve a build without network" in article.note


@pytest.mark.parametrize(
    ("top", "unit", "ticks", "name"),
    [
        (1.5, "ms", ["0", "0.5 ms", "1 ms", "1.5 ms"], "milliseconds"),
        (0.75, "ms", ["0", "250 µs", "500 µs", "750 µs"], "microseconds"),
        (0.06, "s", ["0", "20 ms", "40 ms", "60 ms"], "milliseconds"),
        (1.5, "s", ["0", "0.5 s", "1 s", "1.5 s"], "seconds"),
        (1.5e9, "bytes", ["0", "0.5 GB", "1 GB", "1.5 GB"], "GB"),
        (1.5e8, "bytes", ["0", "50 MB", "100 MB", "150 MB"], "MB"),
        (600, "bytes", ["0", "200 B", "400 B", "600 B"], "bytes"),
        (6000, "req/s", ["0", "2,000", "4,000", "6,000"], "requests a second"),
        (3, "findings", ["0", "1", "2", "3"], "findings"),
    ],
)
def test_an_axis_has_one_unit_which_its_caption_names(top: float, unit: str, ticks: list[str], name: str) -> None:
    assert [charts.tick_text(top * part / 3, unit, top) for part in range(4)] == ticks
    assert charts.unit_name(unit, top) == name
