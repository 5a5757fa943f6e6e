"""Every metric is read from a run, with its interval; what is absent is not measured and says why."""

from __future__ import annotations

import pytest

from harness import metrics
from harness.errors import UnreadableOutput
from harness.metrics import REGISTRY, Measurements
from harness.model import BrokenGuard, Guard, Interval, LoadTrial, NotMeasured, Ratio, Results
from harness.recommendation import recommend
from tests.results_factory import SHAPES, Made, make, without

OPEN = {"open_p50_ms", "open_p75_ms", "open_p90_ms", "open_p95_ms", "open_p99_ms", "open_p99_9_ms"}


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


@pytest.fixture(scope="module")
def measured(made: Made) -> Measurements:
    return Measurements(made.results, made.histogram)


def value(measured: Measurements, metric: str, variant: str) -> Interval:
    found = measured.metric(metric, variant).value
    assert isinstance(found, Interval), found
    return found


def reason(measured: Measurements, metric: str, variant: str) -> str:
    found = measured.metric(metric, variant).value
    assert isinstance(found, NotMeasured), found
    return found.not_measured


def ratio(measured: Measurements, metric: str, variant: str, baseline: str = "article") -> Ratio:
    found = measured.ratio(metric, variant, baseline)
    assert isinstance(found, Ratio), found
    return found


def test_every_metric_is_measured_for_a_whole_variant(measured: Measurements) -> None:
    every = {kind.name: measured.metric(kind.name, "article").value for kind in REGISTRY}
    missing = {name for name, value in every.items() if isinstance(value, NotMeasured)}
    split = {name for name in every if name.startswith("start_")}
    apart = {name for name in every if name.startswith("container_")} | {"interference_p99_ratio", "probes_succeeded"}
    assert missing == {
        "capacity_rps", *OPEN, "stop_lost_requests", "stop_seconds", *split, *apart
    }  # fmt: skip


def test_a_container_that_had_to_be_killed_has_no_time_of_a_graceful_stop(made: Made, measured: Measurements) -> None:
    assert reason(measured, "stop_seconds", "article") == "it ignored SIGTERM and was killed after 10 s"
    assert isinstance(measured.ratio("stop_seconds", "slim-gunicorn", "article"), NotMeasured)
    changed = tuple(
        one.model_copy(update={"killed": one.index == 2}) if one.variant == "slim-gunicorn" else one
        for one in made.results.stop_trials
    )
    once = Measurements(made.results.model_copy(update={"stop_trials": changed}), made.histogram)
    assert reason(once, "stop_seconds", "slim-gunicorn").endswith("after 10 s in 1 of 3 stops")


def test_a_throughput_that_the_generator_limited_is_at_least_that_and_never_ranked(made: Made) -> None:
    """One trial of four is enough: the quickest outran the generator, so the slower ones alone would be too low."""

    def outrun(*extra: Guard) -> Measurements:
        guards = tuple(BrokenGuard(guard=one, evidence="x") for one in (Guard.GENERATOR_SATURATED, *extra))
        changed = []
        for one in made.results.load_trials:
            mine = one.variant == "slim-gunicorn" and one.model == "closed"
            fast = {"broken_guards": guards, "throughput_rps": 9000.0} if mine and one.round == 1 else {}
            changed.append(one.model_copy(update=fast))
        return Measurements(made.results.model_copy(update={"load_trials": tuple(changed)}), made.histogram)

    limited = outrun()
    assert reason(limited, "throughput_rps", "slim-gunicorn").startswith("at least 9000 requests a second")
    assert isinstance(limited.ratio("throughput_rps", "slim-gunicorn", "article"), NotMeasured)
    assert not limited.better("throughput_rps", "slim-gunicorn", "article")
    assert not limited.better("throughput_rps", "article", "slim-gunicorn")
    standing = next(one for one in recommend(limited).standings if one.variant == "slim-gunicorn")
    assert standing.out.startswith("throughput only known to be at least 9000 requests a second")
    # A trial that failed besides tells nothing at all.
    assert isinstance(outrun(Guard.FAILURES).metric("throughput_rps", "slim-gunicorn").value, Interval)


def test_a_variant_that_broke_its_contract_once_has_no_figure_of_start_load_or_stop(made: Made) -> None:
    lie = BrokenGuard(guard=Guard.CONTRACT_BROKEN, evidence="GET /: 'x' where 'y' is right")
    trials = [one for one in made.results.load_trials if one.variant == "slim-gunicorn"]
    last = trials[-1].model_copy(update={"broken_guards": (lie,)})
    changed = tuple(last if one is trials[-1] else one for one in made.results.load_trials)
    found = Measurements(made.results.model_copy(update={"load_trials": changed}), made.histogram)
    counted = (
        "size", "compressed", "layers", "build", "findings", "vulnerabilities", "efficiency", "wasted", "probes",
        "container",
    )  # fmt: skip
    fine = {one.name for one in REGISTRY if one.name.startswith(counted)} | OPEN
    for kind in REGISTRY:
        if kind.name not in fine:
            assert reason(found, kind.name, "slim-gunicorn") == f"it broke its contract: {lie.evidence}", kind.name
    assert value(found, "size_bytes", "slim-gunicorn").value > 0
    assert value(found, "throughput_rps", "distroless-gunicorn").value > 0


def test_names_are_unique_and_all_metrics_has_each_of_each_variant(made: Made) -> None:
    found = metrics.all_metrics(made.results, made.histogram)
    assert set(found) == set(SHAPES)
    assert len({kind.name for kind in REGISTRY}) == len(REGISTRY)
    assert all(set(of_variant) == {kind.name for kind in REGISTRY} for of_variant in found.values())


@pytest.mark.parametrize(
    ("metric", "truth"),
    [("throughput_rps", 3480), ("startup_seconds", 0.74), ("p50_ms", 4.4), ("anonymous_memory_bytes", 52e6)],
)
def test_the_figure_is_near_what_the_trials_scatter_around(measured: Measurements, metric: str, truth: float) -> None:
    assert value(measured, metric, "slim-gunicorn").value == pytest.approx(truth, rel=0.12)


def test_invalid_trials_are_left_out(made: Made, measured: Measurements) -> None:
    valid = [t.throughput_rps for t in made.results.load_trials if t.variant == "alpine-gunicorn" and t.round != 2]
    assert measured.metric("throughput_rps", "alpine-gunicorn").trials == tuple(valid)
    assert value(measured, "throughput_rps", "alpine-gunicorn").n == 3


@pytest.mark.parametrize("metric", ["throughput_rps", "p99_ms", "cpu_ms_per_request", "anonymous_memory_bytes"])
def test_without_a_valid_trial_the_guards_are_named(measured: Measurements, metric: str) -> None:
    assert reason(measured, metric, "slim-dev") == "no valid trial of 4: failures over the limit (4 of 4)"


def test_failures_are_counted_in_invalid_trials_too(measured: Measurements) -> None:
    assert value(measured, "failure_share", "slim-dev").value > 0.01
    assert value(measured, "failure_share", "slim-gunicorn").value == 0


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("size_bytes", "not built"),
        ("build_cold_seconds", "not built"),
        ("startup_seconds", "not tried"),
        ("stop_seconds", "not tried"),
        ("throughput_rps", "not loaded"),
        ("p99_ms", "not loaded"),
        ("failure_share", "no request"),
        ("findings", "not scanned"),
    ],
)
def test_what_was_not_done_is_not_measured(made: Made, metric: str, said: str) -> None:
    assert said in reason(Measurements(without(made.results, "slim-dev"), made.histogram), metric, "slim-dev")


def test_reasons_of_the_parts_are_passed_on(measured: Measurements) -> None:
    assert "cgroup v2" in reason(measured, "peak_memory_bytes", "slim-gunicorn")
    assert "cache" in reason(measured, "build_cold_seconds", "alpine-dev")


def test_a_start_that_failed_is_left_out_and_all_failed_are_a_reason(made: Made, measured: Measurements) -> None:
    assert value(measured, "startup_seconds", "alpine-dev").n == 4
    never = NotMeasured(not_measured="no correct answer within 30 seconds")
    starts = tuple(t.model_copy(update={"seconds_to_first_answer": never}) for t in made.results.start_trials)
    broken = Measurements(made.results.model_copy(update={"start_trials": starts}), made.histogram)
    assert "no start of 5 gave a correct answer" in reason(broken, "startup_seconds", "article")


def test_percentiles_come_from_the_merged_histograms(made: Made, measured: Measurements) -> None:
    trials = [t.latency for t in made.results.load_trials if t.variant == "article"]
    means = sum(t.p99_9_ms for t in trials if not isinstance(t, NotMeasured)) / len(trials)
    found = value(measured, "p99_9_ms", "article")
    assert found.value != pytest.approx(means, rel=1e-6)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high


def test_without_histograms_no_percentile_is_made_up(made: Made) -> None:
    assert "not at hand" in reason(Measurements(made.results, None), "p99_ms", "article")


def test_a_damaged_histogram_is_an_error_and_no_figure(made: Made) -> None:
    with pytest.raises(UnreadableOutput, match="load-article"):
        Measurements(made.results, lambda name: b"garbage").metric("p99_ms", "article")


def test_the_wheelhouse_is_no_part_of_the_size(made: Made, measured: Measurements) -> None:
    image = next(one for one in made.results.images if one.variant == "article")
    assert value(measured, "size_bytes", "article").value == image.size_bytes - image.wheelhouse_bytes


def test_counted_values_have_an_exact_ratio(measured: Measurements) -> None:
    found = ratio(measured, "size_bytes", "alpine-gunicorn", "slim-gunicorn")
    assert found.value == pytest.approx(43 / 117, rel=1e-3)
    assert (found.significant, found.method) == (True, "counted")
    assert ratio(measured, "layers", "alpine-gunicorn").significant is False


def test_load_is_compared_by_round_and_starts_are_not(measured: Measurements) -> None:
    assert "paired by round" in ratio(measured, "throughput_rps", "slim-gunicorn").method
    assert "3 log ratios" in ratio(measured, "throughput_rps", "alpine-gunicorn").method
    assert "merged histograms" in ratio(measured, "p99_ms", "slim-gunicorn").method
    assert "Welch" in ratio(measured, "startup_seconds", "slim-gunicorn").method


@pytest.mark.parametrize("metric", ["throughput_rps", "startup_seconds", "p99_ms", "size_bytes"])
def test_the_shown_ratio_is_that_of_the_shown_figures(measured: Measurements, metric: str) -> None:
    own, base = value(measured, metric, "slim-gunicorn"), value(measured, metric, "article")
    assert ratio(measured, metric, "slim-gunicorn").value == pytest.approx(own.value / base.value, rel=1e-9)


def test_no_ratio_to_what_was_not_measured_or_is_zero(measured: Measurements) -> None:
    to_missing = measured.ratio("throughput_rps", "article", "slim-dev")
    assert isinstance(to_missing, NotMeasured)
    assert to_missing.not_measured.startswith("slim-dev: no valid trial")
    assert isinstance(measured.ratio("findings_critical", "article", "slim-dev"), NotMeasured)
    assert isinstance(measured.ratio("throughput_rps", "nobody", "article"), NotMeasured)


def test_better_knows_which_way_is_better(measured: Measurements) -> None:
    assert measured.better("throughput_rps", "slim-gunicorn", "article")
    assert not measured.better("throughput_rps", "article", "slim-gunicorn")
    assert measured.better("p99_ms", "slim-gunicorn", "article")
    assert measured.better("findings_high", "slim-gunicorn", "article")
    assert not measured.better("layers", "slim-gunicorn", "article")
    assert not measured.better("throughput_rps", "slim-gunicorn", "slim-dev")


def test_two_rounds_give_figures_without_a_judgement() -> None:
    made = make(rounds=2)
    measured = Measurements(made.results, made.histogram)
    assert ratio(measured, "throughput_rps", "slim-gunicorn").significant is None
    assert not measured.better("throughput_rps", "slim-gunicorn", "article")


def test_other_load_profiles_in_the_folder_do_not_mix_in(made: Made) -> None:
    def other(trial: LoadTrial) -> LoadTrial:
        return trial.model_copy(update={"load_profile": "full", "throughput_rps": 1.0, "id": f"{trial.id}-full"})

    mixed: Results = made.results.model_copy(
        update={"load_trials": (*made.results.load_trials, *map(other, made.results.load_trials))}
    )
    assert value(Measurements(mixed, made.histogram), "throughput_rps", "article").value > 900


def test_the_two_models_of_load_do_not_mix(made: Made, measured: Measurements) -> None:
    def opened(trial: LoadTrial) -> LoadTrial:
        return trial.model_copy(update={"model": "open", "throughput_rps": 200.0, "id": f"{trial.id}-open"})

    both = made.results.model_copy(
        update={"load_trials": (*map(opened, made.results.load_trials), *made.results.load_trials)}
    )
    mixed = Measurements(both, made.histogram)
    assert value(mixed, "throughput_rps", "article").value == value(measured, "throughput_rps", "article").value
    assert value(mixed, "open_p99_ms", "article").value == value(mixed, "p99_ms", "article").value
    assert reason(measured, "open_p99_ms", "article") == "the load profile has no open part"
    only = Measurements(made.results.model_copy(update={"load_trials": both.load_trials[:28]}), made.histogram)
    assert reason(only, "throughput_rps", "article") == "the load profile has no closed part"
