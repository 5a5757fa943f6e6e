"""Whether something grows: the slope of a straight line with its confidence interval, honest about memory's own memory.

Samples that follow each other are alike, and least squares alone takes each for news: on a random walk it called growth
in 70 to 98% of simulations. So samples are averaged in batches, and the residuals' lag-1 autocorrelation, corrected for
the bias of few batches, reduces the number of independent ones, to no fewer than 3: then the interval misses the truth
in 2 to 8% of simulations of a hundred samples and more, from white noise to a random walk.

Sources: effective sample size after Santer and others, J. Geophys. Res. 105 (2000), 7337-7356; bias of the
autocorrelation about a trend after Kendall, Biometrika 41 (1954), 403-404.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from harness.model import Interval, NotMeasured
from harness.statistics import student_t

BATCHES = 20
LEAST_SAMPLES = 10
LEAST_INDEPENDENT = 3.0
CONFIDENCE = 0.95
METHOD = "least squares through {} batch means; Student's t, with the residuals' autocorrelation taken off their number"


def slope(
    x: Sequence[float], y: Sequence[float], *, batches: int = BATCHES, confidence: float = CONFIDENCE
) -> Interval | NotMeasured:
    """Return by how much y grows with each unit of x, with its two-sided interval.

    Args:
        x: where each sample was taken, in order.
        y: the samples, as many.
        batches: into how many runs of samples they are averaged; no more than there are samples.
        confidence: of the interval.

    Raises:
        ValueError: the two have not the same length.

    """
    if len(x) != len(y):
        raise ValueError("a slope needs a y for each x")
    if len(x) < LEAST_SAMPLES:
        return NotMeasured(not_measured=f"{len(x)} samples are too few for a slope")
    xs, ys = _means(x, batches), _means(y, batches)
    n = len(xs)
    x_mean, y_mean = math.fsum(xs) / n, math.fsum(ys) / n
    spread = math.fsum((one - x_mean) ** 2 for one in xs)
    if not spread:
        return NotMeasured(not_measured="all samples were taken at the same place")
    value = math.fsum((a - x_mean) * (b - y_mean) for a, b in zip(xs, ys, strict=True)) / spread
    residuals = [b - y_mean - value * (a - x_mean) for a, b in zip(xs, ys, strict=True)]
    alike = _autocorrelation(residuals)
    independent = max(n * (1 - alike) / (1 + alike), LEAST_INDEPENDENT)
    squares = math.fsum(one * one for one in residuals)
    half = student_t(independent - 2, confidence) * math.sqrt(squares / (independent - 2) / spread)
    return Interval(value=value, low=value - half, high=value + half, n=n, confidence=confidence)


def grows(whole: Interval | NotMeasured, second_half: Interval | NotMeasured) -> bool | None:
    """Say whether growth goes on: above zero over the whole time, and in the second half by itself.

    What fills up once and stays, as caches and pools do, grows over the whole time and not in the second half.
    None where the whole has no slope.
    """
    if isinstance(whole, NotMeasured) or whole.low is None:
        return None
    if isinstance(second_half, NotMeasured) or second_half.low is None:
        return None
    return whole.low > 0 and second_half.low > 0


def _means(values: Sequence[float], batches: int) -> list[float]:
    count = min(batches, len(values))
    edges = [round(number * len(values) / count) for number in range(count + 1)]
    return [math.fsum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]


def _autocorrelation(residuals: Sequence[float]) -> float:
    """Return the lag-1 autocorrelation, corrected for the bias that few points about a trend have; 0 to 0.99."""
    squares = math.fsum(one * one for one in residuals)
    if not squares:
        return 0.0
    raw = math.fsum(a * b for a, b in itertools.pairwise(residuals)) / squares
    n = len(residuals)
    return min(max((n * raw + 2) / (n - 4), 0.0), 0.99) if raw > 0 else 0.0
