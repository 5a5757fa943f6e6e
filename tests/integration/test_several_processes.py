"""Several generator processes make one load together: one schedule, one histogram, one guard of its CPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import histograms
from harness.engine.client import Engine
from harness.model import GeneratorUse, Guard, Image, LoadTrial
from loadtests.cores import cpu_list
from loadtests.inside.machine import apart
from loadtests.setting import Cores
from tests.integration.test_load import reasons, run, undisturbed

RATE = 100.0


def whole(one: LoadTrial, files: dict[str, bytes]) -> int:
    parts = (histograms.decode(files[one.histograms[name]]) for name in one.endpoints)
    return int(histograms.merge(parts).get_total_count())


@pytest.mark.parametrize("model", ["closed", "open"])
def test_two_processes_on_one_core_make_one_load(
    engine: Engine,
    tiny_image: Image,
    generator_image: str,
    cores: Cores,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    load = {"users": None, "rate": RATE, "arrivals": "poisson"} if model == "open" else {"users": 5}
    measured = undisturbed(
        lambda: run(engine, tiny_image, generator_image, replace(cores, processes=2), "none", **load)
    )
    one = measured.trial
    assert one.broken_guards == ()
    assert isinstance(one.generator, GeneratorUse)
    assert one.generator.processes == 2
    assert one.generator.client == "lean"
    with monkeypatch.context() as on_its_core:
        on_its_core.setattr("os.sched_getaffinity", lambda _pid: cpu_list(cores.generator))
        looks = model == "closed" and apart(cores.target)
    assert one.generator.looking_share is not None
    assert (one.generator.looking_share > 0) is looks
    assert 1 < one.measured_seconds < 3
    assert one.requests > 50
    assert whole(one, dict(measured.histograms)) == one.requests
    if model == "open":
        # Poisson's own scatter; that what was due was sent is a guard.
        assert one.requests == pytest.approx(RATE * one.measured_seconds, rel=0.4)


def test_wrong_answers_to_either_process_are_found(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    measured = run(engine, tiny_image, generator_image, replace(cores, processes=2), "lies")
    assert reasons(measured)[0] == Guard.CONTRACT_BROKEN
    assert "under load" in measured.trial.broken_guards[0].evidence


def test_a_target_that_never_answers_ends_every_process(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    measured = run(engine, tiny_image, generator_image, replace(cores, processes=2), "refuses to start")
    assert reasons(measured)[0] == Guard.EXITED
