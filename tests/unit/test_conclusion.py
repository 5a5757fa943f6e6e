"""The conclusion's sentences: better and worse apart, what is given up, and candidates that are not told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import recommendation
from harness.metrics import Measurements
from harness.recommendation import Recommendation, Standing
from report import conclusion
from tests.results_factory import Made, make


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


def concluded(made: Made, monkeypatch: pytest.MonkeyPatch, found: Recommendation) -> conclusion.Conclusion:
    monkeypatch.setattr(recommendation, "recommend", lambda measured: found)
    return conclusion.conclude(Measurements(made.results, made.histogram))


def found_of(made: Made) -> Recommendation:
    return recommendation.recommend(Measurements(made.results, made.histogram))


def test_better_and_worse_than_the_baseline_stand_apart(made: Made) -> None:
    said = conclusion.conclude(Measurements(made.results, made.histogram))
    better, _, worse = said.baseline.partition(", and worse in ")
    assert better.startswith("Against article it is better in throughput (3.")
    assert "compressed size" in better
    assert worse.startswith("anonymous memory (1.")
    assert "anonymous memory" not in better


def test_it_gives_up_what_the_baseline_has_better(made: Made) -> None:
    said = conclusion.conclude(Measurements(made.results, made.histogram))
    assert "anonymous memory" in said.gives_up
    assert "article has 34" in said.gives_up


def test_candidates_that_are_not_told_apart_share_the_headline(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(found_of(made), pick="alpine-gunicorn", not_told_from=("distroless-gunicorn",), decided_by="")
    said = concluded(made, monkeypatch, replace(found, close=()))
    assert said.headline == "Ship alpine-gunicorn or distroless-gunicorn: this run does not tell them apart."
    assert "Neither the score nor a count tells alpine-gunicorn from distroless-gunicorn" in said.why


def test_a_count_that_decided_is_named_with_both_counts(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(
        found_of(made),
        pick="alpine-gunicorn",
        close=("distroless-gunicorn",),
        decided_by="compressed_bytes",
        not_told_from=(),
    )
    said = concluded(made, monkeypatch, found)
    assert said.headline == "Ship alpine-gunicorn."
    assert "By their score it cannot be told from distroless-gunicorn; what is counted decides" in said.why
    assert "here compressed size: it has 16.3 MB, distroless-gunicorn has 22.0 MB." in said.why


def test_nobody_is_a_sentence_too(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    standings = tuple(Standing(variant=v.name, out="not built") for v in made.results.variants)
    said = concluded(made, monkeypatch, Recommendation(pick=None, standings=standings))
    assert said.headline == "No variant can be recommended from this run."
    assert said.why == "Every variant is left out: not built."


def test_nothing_is_given_up_only_beside_what_has_figures(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    pick = "alpine-gunicorn"
    alone = Recommendation(
        pick=pick, standings=tuple(Standing(variant=v.name, out="" if v.name == pick else "not built")
                                   for v in made.results.variants), weights={"size_bytes": 1.0},
    )  # fmt: skip
    several = replace(alone, standings=tuple(Standing(variant=v.name) for v in made.results.variants))

    def said(found: Recommendation, **changed: object) -> str:
        monkeypatch.setattr(recommendation, "recommend", lambda measured: found)
        results = made.results.model_copy(update=changed)
        return conclusion.conclude(Measurements(results, made.histogram)).gives_up

    monkeypatch.setattr(Measurements, "better", lambda self, metric, variant, other: False)
    assert said(alone, baseline_variant=None).startswith("What it gives up is not known")
    assert said(alone).startswith("It gives nothing up: the baseline is not significantly better")
    assert said(alone, images=(), load_trials=(), start_trials=(), stop_trials=()).startswith("What it gives up is not")
    assert said(several, baseline_variant=None).startswith("It gives nothing up: no other candidate is")
    only = tuple(one for one in several.standings if one.variant != "article")
    both = replace(several, standings=(*only, Standing(variant="article", out="breaks 1 budget")))
    assert "neither another candidate nor the baseline is" in said(both)
