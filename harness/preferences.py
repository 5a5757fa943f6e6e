"""What the pick weighs: the metrics that the user named with their weights, or Seatrial's own six, all the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from harness.errors import UsageError
from harness.metrics import REGISTRY, kind_of
from harness.model import Preference, Results

SCORED = (
    "compressed_bytes",
    "startup_seconds",
    "throughput_rps",
    "p99_ms",
    "cpu_ms_per_request",
    "anonymous_memory_bytes",
)
"""The score is over these, each weighing the same, where the user named nothing."""

MOST = 1_000_000
"""Of a weight: the sum of all must be a number too."""

HINT = "As in `--prefer p99_ms=3 --prefer compressed_bytes`; a metric without a number weighs 1."


def read(weights: Mapping[str, float]) -> Preference | None:
    """Return what the user prefers; None where nothing is named.

    Raises:
        UsageError: a metric is unknown, or a weight is not above 0 or over a million.

    """
    for metric, weight in weights.items():
        if kind_of(metric) is None:
            names = [kind.name for kind in REGISTRY]
            close = get_close_matches(metric, names, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Metrics are: {', '.join(names)}."
            raise UsageError(f"The pick cannot weigh {metric!r}: there is no such metric.", hint)
        if not 0 < weight <= MOST:
            raise UsageError(f"The weight of {metric} is {weight:g}: not above 0, or over {MOST:,}.", HINT)
    return Preference(weights=dict(weights)) if weights else None


def parse(words: Iterable[str]) -> dict[str, float]:
    """Read `METRIC` and `METRIC=WEIGHT`.

    Raises:
        UsageError: a weight is no number.

    """
    found = {}
    for word in words:
        metric, _, weight = word.partition("=")
        try:
            found[metric.strip()] = float(weight) if weight else 1.0
        except ValueError as error:
            raise UsageError(f"{word!r} gives no number as a weight.", HINT) from error
    return found


def weights_of(results: Results) -> Mapping[str, float]:
    """Return what the score of a run weighs: metric -> share, all together 1."""
    stated = results.preference.weights if results.preference is not None else {}
    weights = stated or dict.fromkeys(SCORED, 1.0)
    total = math.fsum(weights.values())
    return {metric: weight / total for metric, weight in weights.items()}
