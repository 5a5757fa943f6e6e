"""The pick: unbeaten, measured whole, within its budgets, and honest about what it gives up."""

from __future__ import annotations

import pytest

from harness import preferences, recommendation, verdicts
from harness.metrics import Measurements
from harness.model import Budget, Results
from tests.results_factory import Made, make, without


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


def recommend(made: Made, results: Results | None = None) -> recommendation.Recommendation:
    return recommendation.recommend(Measurements(results or made.results, made.histogram))


def test_what_cannot_be_shipped_is_left_out_with_its_reason(made: Made) -> None:
    out = {one.variant: one.out for one in recommend(made).standings}
    assert out["slim-dev"] == "throughput not measured"
    assert out["article"] == "ignores SIGTERM until it is killed"
    assert out["alpine-gunicorn"] == ""


def test_the_pick_is_unbeaten_and_no_candidate_is_ahead_of_it(made: Made) -> None:
    found = recommend(made)
    measured = Measurements(made.results, made.histogram)
    unbeaten = {one.variant: one.score or 0 for one in found.standings if one.unbeaten}
    assert found.pick in unbeaten
    assert all(score >= 1 for score in unbeaten.values())
    assert found.pick is not None
    assert not any(recommendation.ahead(measured, other, found.pick) for other in unbeaten)


def _twin(results: Results, twin: str, of: str, *, smaller: float = 1.0) -> Results:
    """Return results in which one variant is another's twin: its trials of other rounds, a smaller image."""
    parts = {}
    for part in ("images", "start_trials", "stop_trials", "load_trials", "scans"):
        copies = [one.model_copy(update={"variant": twin}) for one in getattr(results, part) if one.variant == of]
        if part == "load_trials":
            # The same trials in another order, so that they differ round by round and not altogether.
            rounds = [one.round for one in copies]
            copies = [one.model_copy(update={"round": r}) for one, r in zip(copies, reversed(rounds), strict=True)]
        if part == "images":
            layers = [
                tuple(x.model_copy(update={"compressed_bytes": int(x.compressed_bytes * smaller)}) for x in one.layers)
                for one in copies
            ]
            copies = [
                one.model_copy(update={"layers": at, "compressed_bytes": int(one.compressed_bytes * smaller)})
                for one, at in zip(copies, layers, strict=True)
            ]
        parts[part] = (*(one for one in getattr(results, part) if one.variant != twin), *copies)
    return results.model_copy(update=parts)


def _only(results: Results, *names: str) -> Results:
    return results.model_copy(update={"variants": tuple(v for v in results.variants if v.name in names)})


def test_twins_are_not_told_apart(made: Made) -> None:
    results = _only(_twin(made.results, "slim-gunicorn", "distroless-gunicorn"), "slim-gunicorn", "distroless-gunicorn")
    found = recommend(made, results)
    assert {found.pick, *found.not_told_from} == {"slim-gunicorn", "distroless-gunicorn"}
    assert found.decided_by == ""
    assert {one.score for one in found.standings} == {1.0}


def test_noise_gives_no_score(made: Made) -> None:
    """Figures that differ by chance alone, with no significant difference, leave every score at 1."""
    results = made.results
    noisy = [
        one.model_copy(update={"throughput_rps": one.throughput_rps * (1.06 if one.round % 2 else 0.96)})
        if one.variant == "slim-gunicorn"
        else one
        for one in _twin(results, "slim-gunicorn", "distroless-gunicorn").load_trials
    ]
    twins = _twin(results, "slim-gunicorn", "distroless-gunicorn").model_copy(update={"load_trials": tuple(noisy)})
    found = recommend(made, _only(twins, "slim-gunicorn", "distroless-gunicorn"))
    assert {one.score for one in found.standings} == {1.0}
    assert found.not_told_from


def test_counts_decide_where_the_score_cannot(made: Made) -> None:
    """One image is 10% smaller, and starts later by as much: the score is even, the size decides and is named."""
    results = _twin(made.results, "slim-gunicorn", "distroless-gunicorn", smaller=0.9)
    starts = tuple(
        one.model_copy(update={"seconds_to_first_answer": one.seconds_to_first_answer * 1.12})
        if one.variant == "slim-gunicorn" and isinstance(one.seconds_to_first_answer, float)
        else one
        for one in results.start_trials
    )
    results = _only(results.model_copy(update={"start_trials": starts}), "slim-gunicorn", "distroless-gunicorn")
    measured = Measurements(results, made.histogram)
    assert measured.better("startup_seconds", "distroless-gunicorn", "slim-gunicorn")
    found = recommendation.recommend(measured)
    assert (found.pick, found.close, found.decided_by) == (
        "slim-gunicorn",
        ("distroless-gunicorn",),
        "compressed_bytes",
    )
    assert found.not_told_from == ()


def _half_as_fast_a_twin(results: Results, twin: str, of: str) -> Results:
    """Return results in which one variant is another's equal in all but its throughput, which is half."""
    parts = {}
    for part in ("images", "start_trials", "stop_trials", "load_trials", "scans"):
        copies = [one.model_copy(update={"variant": twin}) for one in getattr(results, part) if one.variant == of]
        if part == "load_trials":
            copies = [one.model_copy(update={"throughput_rps": one.throughput_rps / 2}) for one in copies]
        parts[part] = (*(one for one in getattr(results, part) if one.variant != twin), *copies)
    return results.model_copy(update=parts)


def test_a_variant_that_is_worse_in_one_respect_and_better_in_none_is_beaten(made: Made) -> None:
    results = _half_as_fast_a_twin(made.results, "slim-gunicorn", "distroless-gunicorn")
    measured = Measurements(results, made.histogram)
    assert recommendation.beats(measured, "distroless-gunicorn", "slim-gunicorn")
    assert not recommendation.beats(measured, "slim-gunicorn", "distroless-gunicorn")
    standings = {one.variant: one for one in recommendation.recommend(measured).standings}
    assert standings["slim-gunicorn"].beaten_by == ("distroless-gunicorn",)


def test_none_beats_its_equal(made: Made) -> None:
    measured = Measurements(made.results, made.histogram)
    assert not recommendation.beats(measured, "slim-gunicorn", "slim-gunicorn")


def test_what_it_gives_up_is_named_with_the_best_other(made: Made) -> None:
    found = recommend(made)
    assert found.pick is not None
    measured = Measurements(made.results, made.histogram)
    for metric, other in found.worse_in:
        assert measured.better(metric, other, found.pick)
    assert set(found.best_in) | set(found.tied_in) | {m for m, _ in found.worse_in} == set(preferences.SCORED)


def test_a_broken_budget_takes_a_variant_out(made: Made) -> None:
    pick = recommend(made).pick
    assert pick is not None
    broken = verdicts.judge(made.results, [Budget(metric="size_bytes", variants=pick, max=1)], made.histogram)
    found = recommend(made, made.results.model_copy(update={"verdicts": broken}))
    assert found.pick != pick
    assert next(one.out for one in found.standings if one.variant == pick) == "breaks 1 budget"


def test_without_a_candidate_there_is_no_pick(made: Made) -> None:
    results = made.results
    for variant in ("slim-gunicorn", "alpine-gunicorn", "distroless-gunicorn"):
        results = without(results, variant)
    assert recommend(made, results).pick is None


def test_a_candidate_on_a_stand_in_is_named(made: Made) -> None:
    assert recommend(made).stand_ins == ("alpine-gunicorn",)


def test_graver_findings_weigh_more_than_any_score(made: Made) -> None:
    pick = recommend(made).pick
    grave = next(s for s in made.results.scans if s.variant == "article").findings[0]
    scans = tuple(
        scan.model_copy(update={"findings": (*scan.findings, grave.model_copy(update={"variant": pick}))})
        if scan.variant == pick
        else scan
        for scan in made.results.scans
    )
    assert recommend(made, made.results.model_copy(update={"scans": scans})).pick != pick


def test_two_rounds_are_too_few_to_recommend_anything() -> None:
    few = make(rounds=2)
    found = recommend(few)
    assert found.pick is None
    out = {one.variant: one.out for one in found.standings}
    assert out["slim-gunicorn"] == "too few trials (throughput: 2 of the 3 that a judgement needs)"
