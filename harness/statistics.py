"""Means, confidence intervals and significance over trials: Student's t, on a log scale wherever values are positive.

Why log scale: times, rates and ratios are positive and skewed, and machine drift multiplies them. The mean of logs is
the geometric mean, so the ratio of two shown figures is exactly the shown ratio, and no interval reaches below zero.
Why Student's t on trial means, and no bootstrap: with three to six trials a bootstrap is far too sure of itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from harness.model import Interval, Ratio

CONFIDENCE = 0.95
LEAST_ROUNDS = 3
"""Fewer rounds than this give a ratio, but no judgement."""
LEAST_PAIRS = 6
"""The same of pairs of containers in a sliced comparison."""
SLICED_TRIM = 0.2
"""Share of the slices left out at either end: those in which a neighbour took the core."""


def exact(value: float) -> Interval:
    """Return a counted value, such as a size, that would repeat: its interval is the value itself."""
    return Interval(value=value, low=value, high=value, n=1)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of independent trials with its two-sided Student's t interval.

    Positive values are averaged as logarithms: the value is the geometric mean. One value gives no interval.

    Raises:
        ValueError: there are no values, or one is not finite.

    """
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError("an interval needs one or more finite values")
    if min(values) <= 0:
        return _interval(values, lambda value: value, confidence)
    return _interval([math.log(value) for value in values], math.exp, confidence)


def around(value: float, trials: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return a value that was read from all trials' data at once, with the interval of the single trials' values.

    A percentile of merged histograms is no mean of the trials' percentiles, so the t interval over those may lie beside
    it; it is then widened up to the value.
    """
    spread = mean_interval(trials, confidence)
    if spread.low is None or spread.high is None:
        return spread.model_copy(update={"value": value})
    return spread.model_copy(update={"value": value, "low": min(spread.low, value), "high": max(spread.high, value)})


def exact_ratio(value: float, baseline: float) -> Ratio:
    """Return the ratio of two counted values; any difference is a real one. Both must be positive."""
    ratio = value / baseline
    return Ratio(value=ratio, low=ratio, high=ratio, significant=ratio != 1.0, method="counted")


def paired_ratio(values: Mapping[int, float], baseline: Mapping[int, float], confidence: float = CONFIDENCE) -> Ratio:
    """Return the ratio of two variants from the rounds that both have: Student's t on the rounds' log ratios.

    Pairing takes out what moved both trials of a round alike. All values must be positive.

    Raises:
        ValueError: the two have no round in common.

    """
    rounds = sorted(values.keys() & baseline.keys())
    if not rounds:
        raise ValueError("no round has both variants")
    logs = [math.log(values[one] / baseline[one]) for one in rounds]
    method = f"paired by round, Student's t on {len(rounds)} log ratios"
    if len(rounds) < LEAST_ROUNDS:
        return _unjudged(sum(logs) / len(logs), method)
    return _judged(_interval(logs, math.exp, confidence), method)


def unpaired_ratio(values: Sequence[float], baseline: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """Return the ratio of two variants whose trials do not belong together: Welch's t on their logarithms.

    All values must be positive.

    Raises:
        ValueError: one of the two has no value.

    """
    if not values or not baseline:
        raise ValueError("a ratio needs values on both sides")
    logs, others = [math.log(v) for v in values], [math.log(v) for v in baseline]
    difference = sum(logs) / len(logs) - sum(others) / len(others)
    method = f"unpaired, Welch's t on the logarithms of {len(logs)} and {len(others)} trials"
    if min(len(logs), len(others)) < LEAST_ROUNDS:
        return _unjudged(difference, method)
    half = _welch_half_width(logs, others, confidence)
    interval = Interval(
        value=math.exp(difference), low=math.exp(difference - half), high=math.exp(difference + half), n=len(logs)
    )
    return _judged(interval, method)


def trimmed_mean(values: Sequence[float], trim: float = SLICED_TRIM) -> float:
    """Return the mean without that share of the values at either end (Tukey, 1960); there must be a value.

    Raises:
        ValueError: there is none.

    """
    if not values:
        raise ValueError("a mean needs a value")
    out = int(trim * len(values))
    kept = sorted(values)[out : len(values) - out]
    return math.fsum(kept) / len(kept)


def sliced_ratio(log_ratios: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """Return the ratio that pairs of containers give, each by its log ratio: Student's t on them.

    The slices within a pair share its two processes, so they are no independent trials: only pairs are.

    Raises:
        ValueError: there is no pair.

    """
    if not log_ratios:
        raise ValueError("a ratio needs a pair")
    method = f"sliced, Student's t on the log ratios of {len(log_ratios)} pairs of fresh containers"
    if len(log_ratios) < LEAST_PAIRS:
        return _unjudged(math.fsum(log_ratios) / len(log_ratios), method)
    return _judged(_interval(log_ratios, math.exp, confidence), method)


def with_value(ratio: Ratio, value: float, method: str) -> Ratio:
    """Return a ratio whose value was read from all trials' data at once, its interval widened up to that value."""
    if ratio.low is None or ratio.high is None:
        return ratio.model_copy(update={"value": value, "method": method})
    low, high = min(ratio.low, value), max(ratio.high, value)
    return Ratio(value=value, low=low, high=high, significant=not low <= 1.0 <= high, method=method)


def overlap(first: Interval, second: Interval) -> bool | None:
    """Say whether two intervals share a value; None where one of them is no interval."""
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None
    return first.low <= second.high and second.low <= first.high


def _interval(values: Sequence[float], back: Callable[[float], float], confidence: float) -> Interval:
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return Interval(value=back(mean), low=None, high=None, n=1, confidence=confidence)
    half = student_t(n - 1, confidence) * math.sqrt(_variance(values) / n)
    return Interval(value=back(mean), low=back(mean - half), high=back(mean + half), n=n, confidence=confidence)


def _welch_half_width(first: Sequence[float], second: Sequence[float], confidence: float) -> float:
    """Half width of Welch's interval; degrees of freedom after Welch and Satterthwaite."""
    a, b = _variance(first) / len(first), _variance(second) / len(second)
    if a + b == 0.0:
        return 0.0
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    return student_t(freedom, confidence) * math.sqrt(a + b)


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


@lru_cache(maxsize=1024)
def student_t(freedom: float, confidence: float) -> float:
    """Return how many standard errors a two-sided interval reaches to either side, for so many degrees of freedom."""
    from scipy import special  # takes half a second, and most commands need none; scipy.stats takes a second more

    return float(special.stdtrit(freedom, (1 + confidence) / 2))


def _judged(interval: Interval, method: str) -> Ratio:
    low, high = interval.low, interval.high
    significant = None if low is None or high is None else not low <= 1.0 <= high
    return Ratio(value=interval.value, low=low, high=high, significant=significant, method=method)


def _unjudged(log_ratio: float, method: str) -> Ratio:
    return Ratio(
        value=math.exp(log_ratio), low=None, high=None, significant=None, method=f"{method}; too few for a judgement"
    )
