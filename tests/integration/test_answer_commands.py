"""`cost`, `soak` and `tune` as commands on a real image: what is measured, kept, told, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine.client import Engine
from harness.model import Experiment, Interval, NotMeasured, Ratio, ResourceUse, Soak, Tuning
from harness.results import RunFolder
from loadtests import tuning
from loadtests.judging import Measured, Order
from loadtests.setting import Setting
from seatrial import tune
from seatrial.load import generator_image
from seatrial.workspace import built_images, open_workspace
from tests.integration.command import Said, seatrial
from tests.made_trials import rate_trial

VARIANT = "slim-gunicorn"
LOAD_PROFILE = """
title = "Tiny"
users = 4
warmup_s = 0.3
measure_s = 1.0
sample_share = 0.2
foreign_share_max = 1.0
repeats = 1
request_timeout_s = 2.0
[capacity]
p99_ms = 0.001  # so little that any real trial misses it
tolerance = 0.5
start_rps = 10
warmup_s = 0.2
measure_s = 0.8
least_requests = 1
"""
GRID = ("--workers", "1", "--threads", "8")


class Silent:
    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None: ...


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """A folder with a load profile, and a run in which the variant is built."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "tiny.toml").write_text(LOAD_PROFILE)
    said = seatrial("build", VARIANT, "--results", "run", cwd=folder, engine=engine, timeout_s=300)
    assert said.code == 0, said.err
    return folder


def run(place: Path, engine: Engine, *words: str) -> tuple[Said, RunFolder]:
    also = ("--results", "run", "--load-profile", "tiny.toml")
    return seatrial(*words, *also, cwd=place, engine=engine, timeout_s=500), RunFolder(place / "run")


def test_cost_holds_half_a_core_to_it_and_says_what_it_is_against(place: Path, engine: Engine) -> None:
    said, folder = run(place, engine, "cost", VARIANT, "--of", "cpus", "--rounds", "1")
    assert said.code == 0, said.err
    (found,) = folder.answers(Experiment)
    assert found.finished
    rows = {row.name: row for row in found.arms}
    # By its CPU time, since the machine may be busy with other things, and a core is then no whole core.
    half, one = (rows[name].trials[-1].resources for name in ("0.5", "1"))
    assert isinstance(half, ResourceUse)
    assert isinstance(one, ResourceUse)
    assert isinstance(half.cpu_share, float)
    assert isinstance(one.cpu_share, float)
    assert half.cpu_share < 0.56
    if one.cpu_share > 0.7:
        assert half.cpu_share > 0.3
        assert half.throttled_seconds > 0
    assert isinstance(rows["0.5"].throughput_ratio, Ratio)
    assert "Ratios: paired by round" in said.out
    assert set(found.histogram_files) <= {path.name for path in folder.folder("histograms").iterdir()}
    again, _ = run(place, engine, "cost", VARIANT, "--of", "cpus", "--rounds", "1", "--resume")
    assert again.code == 0, again.err
    assert folder.answers(Experiment) == (found,), "what is there is not measured again"
    shown = seatrial("answers", "--of", "6", "--results", "run", cwd=place, engine=engine, timeout_s=60)
    assert "How it scales with its CPU limit: slim-gunicorn, 4 users" in shown.out


def test_soak_tells_growth_for_a_thousand_requests(place: Path, engine: Engine) -> None:
    said, folder = run(place, engine, "soak", VARIANT, "--minutes", "0.2", "--rate", "20")
    (found,) = folder.answers(Soak)
    assert found.offered_rps == 20
    assert said.code == (0 if isinstance(found.bytes_per_thousand_requests, Interval) else 6), said.err
    assert said.out.startswith(f"{VARIANT}: 20 req/s for {found.trial.measured_seconds:.0f} s: ")
    assert found.samples


def test_soak_without_a_capacity_or_a_rate_says_what_to_do(place: Path, engine: Engine) -> None:
    said, _ = run(place, engine, "soak", VARIANT)
    assert said.code == 2
    assert f"seatrial capacity {VARIANT}" in said.err


def test_tune_goes_on_to_its_end_and_names_the_configuration_to_use(place: Path, engine: Engine) -> None:
    begun = all_but_the_last_trials(place, engine)
    said, folder = run(place, engine, "tune", VARIANT, "--resume", *GRID)
    assert said.code == 0, said.err
    (found,) = folder.answers(Tuning)
    assert found.finished
    assert found.race == begun.race
    for name, final in found.finals.items():
        assert final.confirmed, final.remark
        last = final.trials[len(begun.finals[name].trials) :]
        assert len(last) == 1
        assert last[0].outcome == "missed"
        assert last[0].trial.requests > 0
        assert set(last[0].trial.histograms.values()) <= {path.name for path in folder.folder("histograms").iterdir()}
    assert found.best == "1x8-gthread"
    assert isinstance(found.gain, Ratio)
    assert 'Use: GUNICORN_CMD_ARGS="--workers 1 --threads 8 --worker-class gthread"' in said.out
    assert "over gunicorn's usual advice (3x1-sync)" in said.out
    assert "Method: confirmed capacities" in said.out
    assert any("Use: GUNICORN_CMD_ARGS" in line for line in folder.assemble().asked[5].sentences)


def all_but_the_last_trials(place: Path, engine: Engine) -> Tuning:
    """Keep a tuning of this very image and setting that lacks the last trial of each final, the others simulated."""
    profile = str(place / "tiny.toml")
    workspace = open_workspace(None, place / "run", variants=(VARIANT,), load_profile=profile)
    (image,) = built_images(workspace, engine)
    plan = tune.plan(
        workspace, engine, image, generator_image(workspace, engine, print), cpus=None, memory_bytes=None, p99_ms=None,
        tolerance=None, workers=(1,), threads=(8,), seed=workspace.folder.run_info().seed or 0, known=None,
    )  # fmt: skip
    whole = tuning.run(plan, engine=engine, store=workspace.folder, progress=Silent(), run_trial=simulated)
    none = {"finished": False, "confirmed": False, "capacity_rps": NotMeasured(not_measured="stopped")}
    finals = {
        name: one.model_copy(update={**none, "trials": one.trials[:-1], "step_up_rps": None})
        for name, one in whole.finals.items()
    }
    begun = whole.model_copy(
        update={"finals": finals, "finished": False, "best": None, "gain": NotMeasured(not_measured="stopped")}
    )
    workspace.folder.write_answer(begun)
    return begun


def simulated(order: Order, setting: Setting, engine: Engine) -> Measured:
    """Answer as a gunicorn would to which threads mean three times as much."""
    rate = setting.load_profile.rate or 0.0
    limit = 60.0 if "--threads 8" in setting.env["GUNICORN_CMD_ARGS"] else 20.0
    one = rate_trial(
        rate, 0.0001 if rate <= limit else 900, name=order.id, variant=order.image.variant,
        image_digest=order.image.digest,
    )  # fmt: skip
    return Measured(trial=one, histograms={}, log="")
