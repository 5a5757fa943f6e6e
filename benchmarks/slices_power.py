"""Planted slowdowns by slices: 5% of the server's CPU time in 60 s, 2% in 120 s; coarse rounds and a CPU limit beside.

Bounds: 5% is called in 18 of 20 comparisons, 2% in 7 of 10; the slices refuse a CPU limit of 0.5, and rounds read it
between 0.45 and 0.55 of 1. The plant is an empty loop, its length set by what it costs in CPU time by the container's
own cgroup, which is no part of the judgement. `python -m benchmarks.slices_power`.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.bench import Kept, of_ratio, repeat
from benchmarks.slices_place import Place, figures, place, summary
from harness.errors import UsageError
from loadtests import slices

TRIAL_TURNS = 3000
CALIBRATION = {"pairs": 8, "seconds": 40.0}
ROUNDS, USERS = 6, 8


def main() -> int:
    """Measure what is missing, print, and return 1 where a bound is broken."""
    with place(__doc__ or "") as (here, share):
        kept = Kept("slices_power", image_digest=here.image.digest, generator=here.generator_image)
        per_turn = _calibrated(here, kept)
        five, two = round(0.05 / per_turn), round(0.02 / per_turn)
        plain = here.side(0)
        of_five = repeat(kept, "5% in 60 s", round(20 * share), lambda seed: {"turns": five} | figures(
            here.sliced(plain, here.side(five), seed=seed, pairs=slices.PAIRS, seconds=60.0)))  # fmt: skip
        of_two = repeat(kept, "2% in 120 s", round(10 * share), lambda seed: {"turns": two} | figures(
            here.sliced(plain, here.side(two), seed=seed, pairs=2 * slices.PAIRS, seconds=120.0)))  # fmt: skip
        (limit,) = repeat(kept, "half a CPU", 1, lambda seed: _limit(here, seed))
        coarse = repeat(kept, "5% by rounds", round(10 * share), lambda seed: {"turns": five, "ratio": of_ratio(
            here.rounds(plain, here.side(five), seed=seed, rounds=ROUNDS, seconds=5.0, users=USERS))})  # fmt: skip
    time_of_half = limit["ratio"].get("value")
    broken = [
        _called(of_five, "slices, 5% planted, 60 s each", 0.9),
        _called(of_two, "slices, 2% planted, 120 s each", 0.7),
        not limit["refused"] or not time_of_half or not 0.45 <= 1 / time_of_half <= 0.55,
    ]
    summary(coarse, "rounds, 5% planted, 60 s each", "ratio")
    refused = "refuse it" if limit["refused"] else "DO NOT REFUSE IT"
    by_rounds = f"it does {1 / time_of_half:.3f} of what 1 does" if time_of_half else "it was not measured"
    print(f"a limit of 0.5 CPUs: slices {refused}; by rounds {by_rounds}")
    print(f"bounds: {'BROKEN' if any(broken) else 'kept'}")
    return int(any(broken))


def _calibrated(here: Place, kept: Kept) -> float:
    """Return the share of the server's CPU time a request that one turn of the loop adds."""

    def measure(seed: int) -> dict[str, Any]:
        found = here.sliced(here.side(0), here.side(TRIAL_TURNS), seed=seed, **CALIBRATION)  # type: ignore[arg-type]
        return {"turns": TRIAL_TURNS} | figures(found)

    (line,) = repeat(kept, "calibration", 1, measure)
    added = line["cpu_seconds_per_request"]["value"] - 1
    print(f"{TRIAL_TURNS} turns add {added:.1%} of the server's CPU time")
    return float(added) / TRIAL_TURNS


def _called(lines: list[dict[str, Any]], what: str, share: float) -> bool:
    """Print how many called the slowdown, its direction right; return whether they are too few."""
    summary(lines, what)
    right = sum(bool(one["request_time"].get("significant")) and one["request_time"]["value"] > 1 for one in lines)
    print(f"  called slower in {right} of {len(lines)}, where {share:.0%} is the least")
    return bool(right < share * len(lines))


def _limit(here: Place, seed: int) -> dict[str, Any]:
    half, whole = here.side(0, cpus=0.5), here.side(0, cpus=1.0)
    try:
        here.sliced(whole, half, seed=seed, pairs=1, seconds=1.0)
    except UsageError:
        refused = True
    else:
        refused = False
    return {"refused": refused, "ratio": of_ratio(here.rounds(whole, half, seed=seed, rounds=4, seconds=5.0, users=8))}


if __name__ == "__main__":
    sys.exit(main())
