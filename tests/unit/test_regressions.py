"""Regression thresholds break on what is significantly worse, and never on noise; what is not measured is no pass."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from harness import budgets, regressions, stored_baselines, verdicts
from harness.errors import UnreadableOutput, UsageError
from harness.model import Baseline, RegressionThreshold, Results, Verdict, VerdictKind
from harness.paths import ROOT
from harness.sides import Run
from tests.results_factory import Made, make, without

THEN = make(seed=3)
NOW = make(seed=103, run_id="second")


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return stored_baselines.of_run(Run(results=THEN.results, histogram=THEN.histogram))


def judged(
    results: Results, baseline: Baseline, made: Made = NOW, variant: str = "alpine-gunicorn", **threshold: Any
) -> Verdict:
    limit = RegressionThreshold(variants=variant, **threshold)
    (found,) = verdicts.judge(results, (), made.histogram, (limit,), baseline)
    assert found.about == "regression"
    return found


def slowed(results: Results, factor: float, variant: str = "alpine-gunicorn") -> Results:
    trials = tuple(
        one.model_copy(update={"throughput_rps": one.throughput_rps / factor}) if one.variant == variant else one
        for one in results.load_trials
    )
    same_speed = THEN.results.calibrations
    return results.model_copy(update={"load_trials": trials, "calibrations": same_speed})


def test_a_significant_slowdown_beyond_the_threshold_breaks_it(baseline: Baseline) -> None:
    found = judged(slowed(NOW.results, 1.4), baseline, metric="throughput_rps", worse_by=0.1, reason="it is paid for")
    assert found.kind is VerdictKind.EXCEEDED
    assert re.search(r"measured .* req/s .*the baseline had .* req/s .*: 0\.\d\d× \(.* to .*\)", found.message)  # noqa: RUF001
    assert re.search(r"at most 10% worse than before: over by [\d.]+ percentage points", found.message)
    assert "two runs of one machine" in found.message
    assert found.message.endswith("Why this limit: it is paid for")
    assert verdicts.sentence(found) == "alpine-gunicorn: throughput at most 10% worse than before"


def test_the_same_slowdown_is_within_a_wider_threshold(baseline: Baseline) -> None:
    found = judged(slowed(NOW.results, 1.4), baseline, metric="throughput_rps", worse_by=0.9)
    assert found.kind is VerdictKind.KEPT


def test_noise_breaks_nothing_and_says_what_cannot_be_ruled_out(baseline: Baseline) -> None:
    found = judged(slowed(NOW.results, 1.0), baseline, metric="throughput_rps", worse_by=0.0)
    assert found.kind is VerdictKind.KEPT
    assert "~" in found.message
    assert "worse cannot be ruled out" in found.message


def test_what_got_better_is_kept(baseline: Baseline) -> None:
    assert judged(slowed(NOW.results, 0.5), baseline, metric="throughput_rps", worse_by=0.0).kind is VerdictKind.KEPT


def test_two_trials_are_too_few_for_a_verdict(baseline: Baseline) -> None:
    few = make(seed=5, rounds=2, run_id="few")
    results = few.results.model_copy(update={"calibrations": THEN.results.calibrations})
    found = judged(results, baseline, few, "slim-gunicorn", metric="throughput_rps", worse_by=0.0)
    assert found.kind is VerdictKind.NOT_MEASURED
    assert "too few trials" in found.message


def more(results: Results, bytes_more: int) -> Results:
    images = tuple(
        one.model_copy(update={"size_bytes": one.size_bytes + bytes_more}) if one.variant == "alpine-gunicorn" else one
        for one in results.images
    )
    return results.model_copy(update={"images": images})


@pytest.mark.parametrize(
    ("bytes_more", "threshold", "kind"),
    [
        pytest.param(4_000_000, {"worse_by": 0.05}, VerdictKind.EXCEEDED, id="over its share"),
        pytest.param(1_000_000, {"worse_by": 0.05}, VerdictKind.KEPT, id="within its share"),
        pytest.param(1, {"more_by": 0}, VerdictKind.EXCEEDED, id="a byte more than none more"),
        pytest.param(0, {"more_by": 0}, VerdictKind.KEPT, id="none more"),
        pytest.param(-5_000_000, {"more_by": 0}, VerdictKind.KEPT, id="less"),
        pytest.param(4_000_000, {"more_by": 4_000_000}, VerdictKind.KEPT, id="at its limit"),
    ],
)
def test_a_size_is_judged_exactly(
    baseline: Baseline, bytes_more: int, threshold: dict[str, Any], kind: VerdictKind
) -> None:
    found = judged(more(NOW.results, bytes_more), baseline, metric="size_bytes", **threshold)
    assert found.kind is kind, found.message


@pytest.mark.parametrize("threshold", [{"more_by": 0}, {"worse_by": 0.5}], ids=["absolute", "a share of none"])
def test_a_finding_where_there_was_none_is_a_regression(baseline: Baseline, threshold: dict[str, Any]) -> None:
    bad = next(one for scan in NOW.results.scans for one in scan.findings)
    scans = tuple(
        one.model_copy(update={"findings": (bad, bad)}) if one.variant == "alpine-gunicorn" else one
        for one in NOW.results.scans
    )
    results = NOW.results.model_copy(update={"scans": scans})
    found = judged(results, baseline, metric="findings", **threshold)
    assert found.kind is VerdictKind.EXCEEDED
    assert "over by 2 findings" in found.message


def test_a_count_that_nobody_could_take_whole_is_no_pass(baseline: Baseline) -> None:
    found = judged(NOW.results, baseline, variant="slim-gunicorn", metric="findings", more_by=0)
    assert found.kind is VerdictKind.NOT_MEASURED
    assert "scanner trivy" in found.message


def test_what_was_not_measured_is_a_verdict_of_its_own(baseline: Baseline) -> None:
    found = judged(without(NOW.results, "alpine-gunicorn"), baseline, metric="p99_ms", worse_by=9.0)
    assert found.kind is VerdictKind.NOT_MEASURED
    found = judged(NOW.results, baseline, metric="capacity_rps", worse_by=9.0)
    assert found.kind is VerdictKind.NOT_MEASURED


def test_a_variant_that_the_baseline_has_not_is_not_measured(baseline: Baseline) -> None:
    short = baseline.model_copy(update={"variants": {"article": baseline.variants["article"]}})
    found = judged(NOW.results, short, metric="size_bytes", worse_by=0.0)
    assert (found.kind, found.message) == (
        VerdictKind.NOT_MEASURED,
        "the stored baseline has no variant alpine-gunicorn",
    )


def test_one_that_stopped_and_now_has_to_be_killed_is_a_regression(baseline: Baseline) -> None:
    stops = tuple(
        one.model_copy(update={"killed": True}) if one.variant == "alpine-gunicorn" else one
        for one in NOW.results.stop_trials
    )
    results = NOW.results.model_copy(update={"stop_trials": stops})
    found = judged(results, baseline, metric="stop_seconds", worse_by=9.0)
    assert (found.kind, found.measured) == (VerdictKind.EXCEEDED, "killed")


def test_a_slower_machine_breaks_nothing(baseline: Baseline) -> None:
    slower = make(seed=103, machine=1.6, run_id="second")
    other = slower.results.environment.model_copy(update={"kernel": "9.9"})
    for results in (slower.results, slower.results.model_copy(update={"environment": other})):
        for metric in ("throughput_rps", "p99_ms", "startup_seconds"):
            found = judged(results, baseline, slower, metric=metric, worse_by=0.1)
            assert found.kind is VerdictKind.KEPT, found.message
            assert "as its ratio to article of its own run" in found.message


def test_a_baseline_comes_back_from_its_file_and_judges_alike(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "baseline.json"
    stored_baselines.save(baseline, path)
    again = stored_baselines.load(path)
    assert again.variants.keys() == baseline.variants.keys()
    assert again == baseline
    limits = budgets.load(ROOT / "tests" / "comparison" / "budgets.toml").regressions
    one, two = (
        regressions.judge_baseline(Run(results=NOW.results, histogram=NOW.histogram), each, limits)
        for each in (baseline, again)
    )
    assert one == two
    assert len(one) == sum(7 if each.variants == "*" else 3 for each in limits)


def test_a_baseline_is_small_and_a_line_a_figure(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    stored_baselines.save(baseline, path)
    text = path.read_text("utf-8")
    assert len(text) < 80_000
    (line,) = [one for one in text.splitlines() if '"throughput_rps"' in one and "36" in one][:1]
    assert line.strip().startswith('"throughput_rps": {"values": {"1": ')


def test_a_baseline_that_was_edited_to_other_bytes_is_still_read(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    stored_baselines.save(baseline, path)
    path.write_text(path.read_text("utf-8").replace("\n", "\r\n"), "utf-8")
    assert stored_baselines.load(path) == baseline


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"schema_version": 99}', '{"schema_version": 1}', "[" * 100_000, '"\\ud800"'],
    ids=["empty", "a list", "null", "no version", "another version", "nothing in it", "deep", "a lone surrogate"],
)
def test_what_is_no_baseline_is_unreadable_output(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UnreadableOutput):
        stored_baselines.load(path)


def test_a_missing_baseline_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no stored baseline"):
        stored_baselines.load(tmp_path / "gone.json")


def test_a_baseline_names_no_path_of_the_machine(baseline: Baseline) -> None:
    assert baseline.environment.tools == {}


def test_a_run_that_measured_nothing_is_no_baseline() -> None:
    empty = THEN.results
    for name in SHAPES:
        empty = without(empty, name)
    with pytest.raises(UsageError, match="measured nothing"):
        stored_baselines.of_run(Run(results=empty))


SHAPES = tuple(one.name for one in THEN.results.variants)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('metric = "p99_ms"', "needs worse_by or more_by", id="no limit"),
        pytest.param('metric = "p99_ms"\nworse_by = -0.1', "neither below 0", id="below zero"),
        pytest.param('metric = "p99_ms"\nworse_by = inf', "needs worse_by", id="infinite"),
        pytest.param('metric = "p98_ms"\nworse_by = 0.1', "no metric 'p98_ms'", id="unknown metric"),
        pytest.param('metric = "throughput_rps"\nmore_by = 1', "more throughput is better", id="more is better"),
        pytest.param('metric = "p99_ms"\nworse_by = 0.1\nvariants = "slm"', "matches no variant", id="no variant"),
        pytest.param('metric = "p99_ms"\nmax = 3', "max", id="a budget's key"),
    ],
)
def test_unusable_thresholds_are_a_usage_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text(f"[[regression]]\n{text}\n", "utf-8")
    with pytest.raises(UsageError, match=said):
        budgets.load(path, ["slim-dev"])


def edited(document: Any, keys: tuple[str, ...], value: object) -> str:
    """Return a baseline's JSON in which somebody set one value."""
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 5e-324], ids=str)
@pytest.mark.parametrize(
    ("metric", "field"),
    [("throughput_rps", "values"), ("compressed_bytes", "values"), ("p99_ms", "point"), ("p99_ms", "step")],
)
def test_a_stored_figure_that_no_figure_can_be_is_refused(
    baseline: Baseline, tmp_path: Path, metric: str, field: str, value: float
) -> None:
    path = tmp_path / "base.json"
    where = ("variants", "slim-gunicorn", "figures", metric, field)
    path.write_text(edited(baseline.model_dump(mode="json"), where, {"1": value} if field == "values" else value))
    with pytest.raises(UnreadableOutput, match="is not a baseline"):
        stored_baselines.load(path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        pytest.param(("variants", "slim-gunicorn", "figures", "throughput_rps", "values"), {}, id="no values"),
        pytest.param(("calibrations",), [0.0], id="a loop that took no time"),
        pytest.param(("calibrations",), [math.nan], id="a loop that took no number"),
        pytest.param(("schema_version",), 2, id="another schema"),
    ],
)
def test_a_baseline_that_nothing_can_be_judged_by_is_refused(
    baseline: Baseline, tmp_path: Path, keys: tuple[str, ...], value: object
) -> None:
    path = tmp_path / "base.json"
    path.write_text(edited(baseline.model_dump(mode="json"), keys, value))
    with pytest.raises(UnreadableOutput, match="baseline"):
        stored_baselines.load(path)


def test_a_stored_zero_is_judged_and_breaks_nothing_by_itself(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    where = ("variants", "alpine-gunicorn", "figures", "throughput_rps", "values")
    path.write_text(edited(baseline.model_dump(mode="json"), where, {"1": 0.0, "2": 0.0, "3": 0.0}))
    results = NOW.results.model_copy(update={"calibrations": THEN.results.calibrations})
    found = judged(results, stored_baselines.load(path), metric="throughput_rps", worse_by=0.1)
    assert found.kind is not VerdictKind.EXCEEDED, found.message


def test_a_device_is_no_baseline() -> None:
    with pytest.raises(UsageError, match="is no file"):
        stored_baselines.load(Path("/dev/zero"))
