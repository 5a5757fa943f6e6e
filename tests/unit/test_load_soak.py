"""What a soak's samples say of memory, and why they say nothing where they can't."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.model import Guard, Interval, MemorySample, NotMeasured, Soak
from harness.results import RunFolder
from loadtests import soak
from loadtests.judging import Measured
from tests.made_records import image
from tests.made_trials import broke, rate_trial

RATE = 100.0


def measured(bytes_per_request: float, *, samples: int = 400, **trial: Any) -> Measured:
    """Make a soak of 400 s at 100 requests a second, sampled once a second."""
    random = Random(1)
    memory = tuple(
        MemorySample(
            seconds=float(at), anonymous_bytes=round(40e6 + bytes_per_request * RATE * at + random.gauss(0, 2e4))
        )
        for at in range(samples)
    )
    return Measured(trial=rate_trial(RATE, **trial), histograms={}, log="", memory=memory)


def judged(one: Measured) -> Soak:
    return soak.judged(one, rate_rps=RATE, share=0.5)


def test_a_leak_is_told_in_bytes_for_a_thousand_requests() -> None:
    found = judged(measured(100))
    assert found.leaks is True
    growth = found.bytes_per_thousand_requests
    assert isinstance(growth, Interval)
    assert growth.low is not None
    assert growth.high is not None
    assert growth.low < 100_000 < growth.high
    assert growth.high - growth.low < 5_000


def test_no_growth_is_no_leak() -> None:
    found = judged(measured(0))
    assert found.leaks is False
    assert isinstance(found.bytes_per_thousand_requests, Interval)


def test_samples_are_thinned_for_the_chart_and_keep_both_ends() -> None:
    found = judged(measured(0, samples=5000))
    assert len(found.samples) == soak.KEPT_SAMPLES
    assert (found.samples[0].seconds, found.samples[-1].seconds) == (0.0, 4999.0)


@pytest.mark.parametrize("guard", sorted(soak.UNTOLD))
def test_a_trial_that_tells_nothing_of_memory_has_no_growth(guard: Guard) -> None:
    found = judged(measured(100, **broke(guard)))
    assert isinstance(found.bytes_per_thousand_requests, NotMeasured)
    assert guard.value in found.bytes_per_thousand_requests.not_measured
    assert found.leaks is None


def test_one_that_ran_out_of_memory_has_grown_until_then() -> None:
    assert judged(measured(100, **broke(Guard.OUT_OF_MEMORY, Guard.EXITED))).leaks is True


def test_too_short_a_soak_is_not_judged() -> None:
    found = judged(measured(100, samples=8))
    assert isinstance(found.bytes_per_thousand_requests, NotMeasured)
    assert found.leaks is None


def test_a_soak_is_kept_with_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_image(image("a1"))
    one = judged(measured(0))
    folder.write_answer(one)
    assert folder.answers(Soak) == (one,)
