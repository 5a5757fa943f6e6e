"""What the two sides of a sliced comparison may not differ in, and what is said of a comparison."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import run_profiles
from harness.errors import UsageError
from harness.model import NotMeasured, Ratio, SlicedComparison
from loadtests import slices
from loadtests.setting import Cores
from loadtests.slices import Plan
from loadtests.slicing_sides import Side, check, check_container, described, stated
from seatrial import cli, duel
from tests.made_records import image

HARDENED = run_profiles.load("hardened")
FREE = run_profiles.without_quota(HARDENED)
CORES = Cores(target="0", generator="1")


class Images:
    """An engine that has images, and nothing else."""

    def __init__(self, **configs: dict[str, Any]) -> None:
        self.configs = configs

    def image(self, digest: str) -> dict[str, Any] | None:
        return {"Config": self.configs[digest]} if digest in self.configs else None


def side(digest: str, **changed: Any) -> Side:
    return Side(**{"image": image(digest, digest=digest), "run_profile": FREE, **changed})


@pytest.mark.parametrize(
    ("config", "changed", "expected"),
    [
        ({}, {}, {}),
        ({"Env": None, "Entrypoint": None, "Cmd": None}, {}, {}),
        ({"Env": ["WEB_CONCURRENCY=3", "A=b"]}, {}, {"WEB_CONCURRENCY": "3"}),
        ({"Env": ["THREADS="]}, {}, {}),
        ({"Env": ["THREADS=2"]}, {"env": {"THREADS": "4"}}, {"THREADS": "4"}),
        ({"Entrypoint": ["gunicorn", "-w", "2", "app"]}, {}, {"WEB_CONCURRENCY": "2"}),
        ({"Cmd": ["--workers=5", "--threads", "6"]}, {}, {"WEB_CONCURRENCY": "5", "THREADS": "6"}),
        ({"Cmd": ["-w4"], "Env": ["WEB_CONCURRENCY=3"]}, {}, {"WEB_CONCURRENCY": "4"}),
        ({"Env": ["GUNICORN_CMD_ARGS=--threads=7 -w 2"]}, {}, {"THREADS": "7", "WEB_CONCURRENCY": "2"}),
        ({"Cmd": ["-w", "2"]}, {"command": ["-w", "8"]}, {"WEB_CONCURRENCY": "8"}),
    ],
)
def test_workers_and_threads_are_read_from_wherever_they_are_stated(
    config: dict[str, Any], changed: dict[str, Any], expected: dict[str, str]
) -> None:
    engine: Any = Images(x=config)
    assert stated(side("x", **changed), engine) == expected


def test_sides_that_state_the_same_are_compared_and_others_are_refused() -> None:
    engine: Any = Images(a={"Env": ["THREADS=2"]}, b={"Cmd": ["--threads", "2"]}, c={"Env": ["THREADS=4"]})
    check(side("a"), side("b"), engine)
    with pytest.raises(UsageError, match=r"THREADS is 2 on side A .* 4 on side B") as caught:
        check(side("a"), side("c"), engine)
    assert "rounds" in caught.value.hint


def test_a_cpu_limit_is_refused_by_name_and_can_be_taken_off_both() -> None:
    engine: Any = Images(a={}, b={})
    limited = side("b", run_profile=HARDENED)
    with pytest.raises(UsageError, match=r"hardened of side B \(b\) has a CPU limit of 1"):
        check(side("a"), limited, engine)
    plan = Plan(id="x", a=limited, b=limited, seed=1).without_quota()
    assert plan.quota_taken_off
    assert (plan.a.run_profile.cpus, plan.a.run_profile.name) == (None, "hardened-without-quota")
    assert "limit of 1 CPUs taken off" in plan.b.run_profile.title
    check(plan.a, plan.b, engine)


def test_an_image_that_is_gone_is_said() -> None:
    engine: Any = Images()
    with pytest.raises(UsageError, match="no image of a"):
        stated(side("a"), engine)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"NanoCpus": 500_000_000, "CpusetCpus": "0"}, "NanoCpus 500000000"),
        ({"CpuQuota": 50_000, "CpusetCpus": "0"}, "CpuQuota 50000"),
        ({"CpusetCpus": "1"}, "'1' and not on '0'"),
        ({}, "None and not on '0'"),
    ],
)
def test_a_container_with_a_limit_or_other_cores_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_container("B", {"HostConfig": options}, CORES)
    check_container("B", {"HostConfig": {"CpusetCpus": "0", "NanoCpus": 0, "CpuQuota": -1}}, CORES)


def test_what_a_result_says_of_a_side() -> None:
    engine: Any = Images(a={"Env": ["THREADS=2"]})
    said = described(side("a"), engine)
    assert said.workers == "THREADS=2"
    assert said.run_profile == "hardened-without-quota"
    assert said.interpreter.startswith("not known")


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (Ratio(value=1.2, low=1.1, high=1.3, significant=True, method="m"), "b is slower than a: its requests take 20"),
        (Ratio(value=0.9, low=0.8, high=0.95, significant=True, method="m"), "b is faster than a: its requests take"),
        (Ratio(value=1.01, low=0.9, high=1.1, significant=False, method="m"), "b ~ a: no difference is found"),
        (Ratio(value=1.2, low=None, high=None, significant=None, method="m"), "without a judgement"),
        (NotMeasured(not_measured="it died"), "not measured: it died"),
    ],
    ids=["slower", "faster", "same", "unjudged", "not measured"],
)  # fmt: skip
def test_a_judgement_is_a_sentence(ratio: Ratio | NotMeasured, said: str) -> None:
    assert said in duel.verdict("a", "b", ratio)


def comparison(ratio: Ratio | NotMeasured) -> SlicedComparison:
    engine: Any = Images(a={})
    plan = Plan(id="x", a=side("a"), b=side("a"), seed=1)
    return slices.assembled(plan, [], engine, CORES).model_copy(update={"request_time": ratio})


def test_how_often_a_variant_differed_from_itself_is_told() -> None:
    differs = Ratio(value=1.02, low=1.01, high=1.03, significant=True, method="m")
    same = Ratio(value=1.0, low=0.98, high=1.02, significant=False, method="m")
    said = " ".join(duel.called([comparison(differs), comparison(same), comparison(NotMeasured(not_measured="died"))]))
    assert "called in 1 of 2 comparisons of a with itself" in said
    assert "largest 2.00%" in said
    assert "1 more gave no judgement" in said


def test_a_comparison_that_was_not_measured_has_its_exit_code() -> None:
    assert duel.exit_code(comparison(NotMeasured(not_measured="died"))) == 6
    assert duel.exit_code(comparison(Ratio(value=1.0, low=0.9, high=1.1, significant=False, method="m"))) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load", "--comparisons", "3"], "means nothing without --aa"),
        (["load", "slim-dev", "--aa", "slim-dev"], "takes no other VARIANT"),
        (["load", "--aa", "slim-dev", "--load-profile", "smoke"], "no load profile"),
        (["duel", "slim-dev"], "Missing argument"),
        (["duel", "slim-dev", "slim-gunicorn", "--pairs", "0"], "--pairs"),
    ],
)
def test_words_that_mean_nothing_are_a_usage_error(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err
