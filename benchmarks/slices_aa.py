"""A variant against itself by slices: 40 comparisons of 60 s; coarse rounds of the same length stand beside.

Bounds: the median half width is 1% or less, and at most 5 of 40 call a difference. `python -m benchmarks.slices_aa`.
"""

from __future__ import annotations

import sys

from benchmarks.bench import Kept, of_ratio, repeat
from benchmarks.slices_place import figures, place, summary
from loadtests import slices

COMPARISONS, COARSE = 40, 10
PAIRS, SECONDS = slices.PAIRS, slices.SECONDS
ROUNDS, USERS = 6, 8
MOST_CALLS, WIDEST = 5, 0.01


def main() -> int:
    """Measure what is missing, print, and return 1 where a bound is broken."""
    with place(__doc__ or "") as (here, share):
        kept = Kept("slices_aa", image_digest=here.image.digest, generator=here.generator_image)
        same = here.side(0)
        lines = repeat(kept, "aa", round(COMPARISONS * share), lambda seed: figures(
            here.sliced(same, same, seed=seed, pairs=PAIRS, seconds=SECONDS)))  # fmt: skip
        coarse = repeat(kept, "aa rounds", round(COARSE * share), lambda seed: {"ratio": of_ratio(
            here.rounds(same, same, seed=seed, rounds=ROUNDS, seconds=SECONDS / ROUNDS / 2, users=USERS))})  # fmt: skip
    calls, middle = summary(lines, f"slices, {SECONDS:g} s each, judged by request time")
    summary(lines, "slices, requests per busy second", "throughput")
    summary(coarse, f"rounds, {SECONDS:g} s each", "ratio")
    broken = calls > MOST_CALLS or middle is None or middle > WIDEST
    print(
        f"bounds: at most {MOST_CALLS} calls, median half width {WIDEST:.0%} or less: {'BROKEN' if broken else 'kept'}"
    )
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
