"""Soak: one container under an open load for long, and whether its memory grows with the requests that it answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness import trend
from harness.engine.client import Engine
from harness.model import Guard, Image, Interval, MemorySample, NotMeasured, Soak
from loadtests import trial
from loadtests.judging import Measured, Order
from loadtests.setting import Setting

WARMUP_SHARE = 0.1
LONGEST_WARMUP_S = 60.0
KEPT_SAMPLES = 400
"""So many are kept for a chart; the slope is of all of them."""
THOUSAND = 1000.0
UNTOLD = frozenset({Guard.RESTARTED, Guard.CONTRACT_BROKEN, Guard.RATE_NOT_MET, Guard.OFF_SCHEDULE, Guard.TIMED_OUT})
"""After these, nobody knows how many requests its memory has seen."""


@dataclass(frozen=True, kw_only=True)
class SoakOrder(Order):
    """The one trial of a soak."""

    @property
    def id(self) -> str:
        """The trial's name, unique in a run."""
        return f"soak-{self.image.variant}"


def run(
    image: Image,
    setting: Setting,
    engine: Engine,
    *,
    rate_rps: float,
    share: float | None,
    seconds: float,
    seed: int,
    run_trial: Callable[[Order, Setting, Engine], Measured] = trial.run,
) -> tuple[Soak, Measured]:
    """Load one fresh container for long, and return what became of its memory, and the trial with its histograms.

    Args:
        image: the variant's image.
        setting: how targets are started; of its load profile, journeys and time limits are used.
        engine: where.
        rate_rps: the offered rate.
        share: of the variant's capacity; None where the rate was given.
        seconds: how long is measured; a warm-up of a tenth, up to a minute, comes before.
        seed: varies the inputs.
        run_trial: makes the trial.

    Raises:
        SeatrialError: the engine failed. What the target did wrong is a broken guard of the trial.

    """
    profile = setting.load_profile.model_copy(
        update={
            "users": None,
            "rate": rate_rps,
            "warmup_s": min(WARMUP_SHARE * seconds, LONGEST_WARMUP_S),
            "measure_s": seconds,
        }
    )
    order = SoakOrder(image=image, model="open", round=1, attempt=1, seed=seed)
    measured = run_trial(order, dataclasses.replace(setting, load_profile=profile), engine)
    return judged(measured, rate_rps=rate_rps, share=share), measured


def judged(measured: Measured, *, rate_rps: float, share: float | None) -> Soak:
    """Return what a soak's samples say. Pure."""
    one = measured.trial
    whole, later = _growth(measured, rate_rps)
    return Soak(
        variant=one.variant,
        image_digest=one.image_digest,
        run_profile=one.run_profile,
        finished=True,
        load_profile=one.load_profile,
        offered_rps=rate_rps,
        share_of_capacity=share,
        bytes_per_thousand_requests=whole,
        bytes_per_thousand_requests_later=later,
        leaks=trend.grows(whole, later),
        method=trend.METHOD.format(trend.BATCHES),
        samples=thinned(measured.memory),
        trial=one,
    )


def thinned(samples: Sequence[MemorySample]) -> tuple[MemorySample, ...]:
    """Return evenly spaced samples, at most `KEPT_SAMPLES`, the first and the last among them."""
    if len(samples) <= KEPT_SAMPLES:
        return tuple(samples)
    last = len(samples) - 1
    return tuple(samples[round(number * last / (KEPT_SAMPLES - 1))] for number in range(KEPT_SAMPLES))


def _growth(measured: Measured, rate_rps: float) -> tuple[Interval | NotMeasured, Interval | NotMeasured]:
    """Return growth per thousand requests: over the whole time, and in its second half.

    A target that ran out of memory or ended has grown until then, and that is measured; one that was restarted began
    anew, one that answered wrongly has no figures, and of one that hung nobody knows what it was asked.
    """
    for broken in measured.trial.broken_guards:
        if broken.guard in UNTOLD:
            none = NotMeasured(not_measured=f"{broken.guard}: {broken.evidence}")
            return none, none
    # Sent in thousands by then; the rate was met, so what was due is what was sent.
    sent = [one.seconds * rate_rps / THOUSAND for one in measured.memory]
    held = [float(one.anonymous_bytes) for one in measured.memory]
    middle = len(sent) // 2
    return trend.slope(sent, held), trend.slope(sent[middle:], held[middle:])
