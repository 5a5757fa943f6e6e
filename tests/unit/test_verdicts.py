"""Budgets are kept, exceeded or not measured; never kept for want of a figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import budgets, verdicts
from harness.errors import UsageError
from harness.metrics import Measurements
from harness.model import Budget, Interval, Verdict, VerdictKind
from harness.paths import ROOT
from tests.results_factory import Made, make, without


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


def judge(made: Made, **budget: str | float) -> dict[str, Verdict]:
    found = verdicts.judge(made.results, [Budget.model_validate(budget)], made.histogram)
    return {verdict.variant: verdict for verdict in found}


def test_one_verdict_for_each_budget_and_matching_variant(made: Made) -> None:
    limits = [Budget(metric="size_bytes", variants="*-dev", max=1e9), Budget(metric="layers", max=1)]
    found = verdicts.judge(made.results, limits, made.histogram)
    assert [v.variant for v in found[:3]] == ["slim-dev", "alpine-dev", "distroless-dev"]
    assert len(found) == 3 + 7


def test_the_message_says_measured_limit_and_by_how_much(made: Made) -> None:
    found = judge(made, metric="size_bytes", variants="slim-gunicorn", max=100_000_000, reason="the line is slow")
    verdict = found["slim-gunicorn"]
    assert verdict.kind is VerdictKind.EXCEEDED
    assert verdict.message == (
        "measured 117.0 MB; the limit is at most 100.0 MB: over by 17.0 MB (17%). Why this limit: the line is slow"
    )
    assert verdicts.sentence(verdict) == "slim-gunicorn: size at most 100.0 MB"


@pytest.mark.parametrize(
    ("limit", "kind"),
    [
        pytest.param({"max": 3.0}, VerdictKind.KEPT, id="at its upper limit"),
        pytest.param({"min": 3.0}, VerdictKind.KEPT, id="at its lower limit"),
        pytest.param({"max": 2.0}, VerdictKind.EXCEEDED, id="over"),
        pytest.param({"min": 4.0}, VerdictKind.EXCEEDED, id="under"),
        pytest.param({"min": 1.0, "max": 2.0}, VerdictKind.EXCEEDED, id="over a range"),
        pytest.param({"min": 2.0, "max": 5.0}, VerdictKind.KEPT, id="in a range"),
    ],
)
def test_limits(made: Made, limit: dict[str, float], kind: VerdictKind) -> None:
    assert judge(made, metric="layers", variants="article", **limit)["article"].kind is kind


@pytest.mark.parametrize("limit", [{"max": 2}, {"max": 60}], ids=["below the time limit", "above it"])
def test_a_variant_that_had_to_be_killed_keeps_no_budget_on_its_stop(made: Made, limit: dict[str, float]) -> None:
    found = judge(made, metric="stop_seconds", variants="article", **limit)["article"]
    assert (found.kind, found.measured) == (VerdictKind.EXCEEDED, "killed")
    assert "killed after 10 s" in found.message


def test_what_was_not_measured_is_a_kind_of_its_own(made: Made) -> None:
    verdict = judge(made, metric="p99_ms", variants="slim-dev", max=1e9)["slim-dev"]
    assert verdict.kind is VerdictKind.NOT_MEASURED
    assert "failures over the limit" in verdict.message
    gone = verdicts.judge(without(made.results, "article"), [Budget(metric="findings", max=1e9)], made.histogram)
    assert gone[0].kind is VerdictKind.NOT_MEASURED


def test_few_findings_are_no_pass_where_a_scanner_could_not_look(made: Made) -> None:
    verdict = judge(made, metric="findings_high", variants="slim-gunicorn", max=0)["slim-gunicorn"]
    assert verdict.kind is VerdictKind.NOT_MEASURED
    assert "trivy could not look: trivy is not installed" in verdict.message
    assert judge(made, metric="findings_high", variants="alpine-*", max=0)["alpine-dev"].kind is VerdictKind.KEPT


def test_too_many_findings_break_a_budget_whatever_was_skipped(made: Made) -> None:
    verdict = judge(made, metric="findings", variants="slim-gunicorn", max=0)["slim-gunicorn"]
    assert verdict.kind is VerdictKind.EXCEEDED


def test_a_kept_budget_inside_the_interval_says_so(made: Made) -> None:
    figure = Measurements(made.results, made.histogram).metric("throughput_rps", "article").value
    assert isinstance(figure, Interval)
    verdict = judge(made, metric="throughput_rps", variants="article", min=figure.value - 0.01)["article"]
    assert verdict.kind is VerdictKind.KEPT
    assert "lies inside the interval" in verdict.message


def test_the_shipped_budgets_name_variants_that_exist() -> None:
    names = [path.name.removesuffix(".Dockerfile") for path in (ROOT / "images").glob("*.Dockerfile")]
    assert budgets.load(ROOT / "tests" / "comparison" / "budgets.toml", names).budgets


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "holds no", id="empty"),
        pytest.param("budget = 3", "holds no", id="no table"),
        pytest.param("[[budget]\n", "not TOML", id="bad TOML"),
        pytest.param('[[budget]]\nmetric = "p98_ms"\nmax = 1', "no metric 'p98_ms'", id="unknown metric"),
        pytest.param('[[budget]]\nmetric = "p99_ms"', "needs max", id="no limit"),
        pytest.param('[[budget]]\nmetric = "p99_ms"\nmin = 3\nmax = 2', "needs max", id="upside down"),
        pytest.param('[[budget]]\nmetric = "p99_ms"\nmax = nan', "needs max", id="not a number"),
        pytest.param('[[budget]]\nmetric = "p99_ms"\nmax = "fast"', "max", id="a word for a limit"),
        pytest.param('[[budget]]\nmetric = "p99_ms"\nmaximum = 3', "maximum", id="unknown key"),
        pytest.param('[[budget]]\nmetric = "p99_ms"\nmax = 3\nvariants = "slm-*"', "matches no", id="no such variant"),
        pytest.param("[[limit]]\nmax = 3\n[[budget]]\n", "unknown entry 'limit'", id="unknown table"),
        pytest.param("budget = [3]", "budget 1", id="an entry that is no table"),
    ],
)
def test_unusable_budgets_are_a_usage_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        budgets.load(path, ["slim-dev", "article"])
    assert caught.value.hint


def test_a_slip_of_the_pen_is_answered_with_the_nearest_metric(tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text('[[budget]]\nmetric = "througput_rps"\nmax = 1', "utf-8")
    with pytest.raises(UsageError) as caught:
        budgets.load(path)
    assert caught.value.hint == "Did you mean throughput_rps?"


def test_budgets_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of budgets"):
        budgets.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not TOML"):
        budgets.load(tmp_path / "bytes.toml")
