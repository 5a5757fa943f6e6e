"""Which figures of two sides compare, how, and on what that rests."""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparison import compare_runs, compare_sides
from harness.metrics import REGISTRY
from harness.model import Comparison, FigureChange, Interval, NotMeasured, Ratio, Results, Skipped
from harness.sides import Run, side_of
from tests.results_factory import Made, make, without

TIMES = ("startup_seconds", "throughput_rps", "p99_ms", "cpu_ms_per_request")


def run(made: Made, **changes: Any) -> Run:
    results = made.results.model_copy(update=changes)
    return Run(results=results, histogram=made.histogram)


def elsewhere(results: Results) -> dict[str, Any]:
    return {"environment": results.environment.model_copy(update={"kernel": "9.9.9"})}


def between(before: Run, after: Run, variant: str = "slim-gunicorn") -> Comparison:
    return next(one for one in compare_runs(before, after).comparisons if one.after.variant == variant)


def row(comparison: Comparison, metric: str) -> FigureChange:
    found = comparison.figure(metric)
    assert found is not None
    return found


FIRST, SECOND = make(seed=3), make(seed=103, run_id="second")
SLOWER = make(seed=103, machine=1.6, run_id="second")


def test_two_runs_of_one_machine_compare_directly() -> None:
    found = between(run(FIRST), run(SECOND, calibrations=FIRST.results.calibrations))
    for metric in TIMES:
        assert row(found, metric).method.split(";")[0] in (
            "two runs of one machine", "value from merged histograms", "two runs of one machine"
        )  # fmt: skip
        assert "article" not in row(found, metric).method
    assert found.remarks[-1].startswith("Known vulnerabilities")


def test_on_another_machine_times_are_compared_by_the_baseline_variant_and_say_so() -> None:
    found = between(run(FIRST), run(SLOWER, **elsewhere(SLOWER.results)))
    for metric in TIMES:
        one = row(found, metric)
        assert isinstance(one.before, Interval)
        assert isinstance(one.after, Interval)
        raw = one.after.value / one.before.value
        assert raw > 1.3 if one.lower_is_better else raw < 0.77
        assert "as its ratio to article of its own run" in one.method
        assert "another machine" in one.method
        assert one.judged == "~", one
    assert row(found, "size_bytes").judged == "same"
    assert any("two machines" in remark and "kernel" in remark for remark in found.remarks)


def test_a_machine_that_was_slower_is_no_regression_though_it_is_the_same() -> None:
    found = between(run(FIRST), run(SLOWER))
    assert "while the machine was" in row(found, "throughput_rps").method
    assert row(found, "throughput_rps").judged == "~"
    # Memory does not follow the machine's speed.
    assert "two runs of one machine" in row(found, "anonymous_memory_bytes").method


def test_a_slowdown_is_seen_across_machines() -> None:
    slowed = tuple(
        one.model_copy(update={"throughput_rps": one.throughput_rps / 1.4}) if one.variant == "slim-gunicorn" else one
        for one in SLOWER.results.load_trials
    )
    found = between(run(FIRST), run(SLOWER, load_trials=slowed, **elsewhere(SLOWER.results)))
    one = row(found, "throughput_rps")
    assert one.judged == "worse"
    assert isinstance(one.ratio, Ratio)
    assert one.ratio.value == pytest.approx(1 / 1.4, rel=0.1)


def test_the_baseline_variant_itself_has_nothing_to_be_set_against_on_another_machine() -> None:
    found = between(run(FIRST), run(SLOWER, **elsewhere(SLOWER.results)), "article")
    one = row(found, "throughput_rps")
    assert one.judged == "not compared"
    assert "the baseline variant itself" in one.method
    assert row(found, "size_bytes").judged == "same"


def test_without_the_baseline_variant_times_do_not_travel() -> None:
    bare = without(SLOWER.results, "article").model_copy(update=elsewhere(SLOWER.results))
    found = between(run(FIRST), Run(results=bare, histogram=SLOWER.histogram))
    assert row(found, "throughput_rps").judged == "not compared"
    assert "article was not measured in both runs" in row(found, "throughput_rps").method


@pytest.mark.parametrize(
    ("changed", "compared"),
    [("load profile", ("startup_seconds", "size_bytes")), ("run profile", ("size_bytes",)), ("contract", ())],
)
def test_load_under_other_conditions_does_not_compare(changed: str, compared: tuple[str, ...]) -> None:
    same = {"load profile": "a", "run profile": "b", "contract": "c"}
    found = between(run(FIRST, conditions=same), run(SECOND, conditions={**same, changed: "x"}))
    assert row(found, "throughput_rps").judged == "not compared"
    assert f"another {changed}" in row(found, "throughput_rps").method
    for metric in compared:
        assert row(found, metric).judged != "not compared"


def test_variants_of_one_run_are_paired_by_round() -> None:
    whole = run(FIRST)
    found = compare_sides(side_of(whole, "article"), side_of(whole, "alpine-gunicorn"))
    assert "paired by round" in row(found, "throughput_rps").method
    assert row(found, "throughput_rps").judged == "better"
    assert row(found, "findings_high").judged == "better"
    assert found.remarks == tuple(remark for remark in found.remarks if "machine" not in remark)


def test_what_one_side_lacks_is_not_compared_and_names_the_side() -> None:
    found = between(run(FIRST), Run(results=without(SECOND.results, "slim-gunicorn"), histogram=SECOND.histogram))
    for one in found.figures:
        assert one.judged == "not compared"
    assert "slim-gunicorn in second" in row(found, "throughput_rps").method
    assert isinstance(found.packages, NotMeasured)
    assert isinstance(found.layers, NotMeasured)


def test_counts_of_unequal_scans_are_not_compared() -> None:
    scans = tuple(
        one.model_copy(
            update={
                "steps": tuple(
                    step.model_copy(update={"outcome": Skipped(reason="gone")}) if step.name == "hadolint" else step
                    for step in one.steps
                )
            }
        )
        for one in SECOND.results.scans
    )
    found = between(run(FIRST), run(SECOND, scans=scans), "alpine-gunicorn")
    one = row(found, "findings")
    assert one.judged == "not compared"
    assert "scanner hadolint" in one.method


def test_every_metric_has_a_row_with_what_it_rests_on() -> None:
    found = between(run(FIRST), run(SECOND))
    assert [one.metric for one in found.figures] == [kind.name for kind in REGISTRY]
    assert all(one.method for one in found.figures)


def test_one_that_has_to_be_killed_now_is_worse_unless_it_was_told_to_stop_in_another_way() -> None:
    stops = tuple(
        one.model_copy(update={"killed": True}) if one.variant == "slim-gunicorn" else one
        for one in SECOND.results.stop_trials
    )
    assert row(between(run(FIRST), run(SECOND, stop_trials=stops)), "stop_seconds").judged == "worse"
    assert row(between(run(SECOND, stop_trials=stops), run(FIRST)), "stop_seconds").judged == "better"
    other = between(run(FIRST), run(SECOND, stop_trials=stops, conditions={"run profile": "another"}))
    assert row(other, "stop_seconds").judged == "not compared"


@pytest.mark.parametrize(
    ("bytes_more", "judged"), [(20, "same"), (1_000_000, "worse")], ids=["some bytes", "a megabyte"]
)
def test_sizes_within_a_thousandth_are_the_same(bytes_more: int, judged: str) -> None:
    images = tuple(one.model_copy(update={"size_bytes": one.size_bytes + bytes_more}) for one in FIRST.results.images)
    assert row(between(run(FIRST), run(FIRST, images=images)), "size_bytes").judged == judged
