"""Ratios that travel: a variant's ratio to its run's baseline variant, set against the same ratio of another run.

What a machine multiplies every time and rate by is in both variants of a run alike, and so not in their ratio. A change
that befell the baseline variant as well, as one of the app itself, is not in it either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.model import Difference, Ratio
from harness.statistics import CONFIDENCE, LEAST_ROUNDS, student_t


@dataclass(frozen=True, kw_only=True)
class LogRatio:
    """The logarithm of a ratio of two variants within one run, and how sure it is.

    Args:
        value: the logarithm.
        parts: for each group of independent trials behind it: the variance of their mean, and its degrees of freedom;
            empty where a group has a single trial.
        least: the fewest trials in a group.
        how: `paired by round`, or `unpaired`.

    """

    value: float
    parts: tuple[tuple[float, int], ...]
    least: int
    how: str


def paired(values: Mapping[int, float], reference: Mapping[int, float]) -> LogRatio:
    """Return the log ratio of two variants whose trials belong together by round; all values must be positive."""
    logs = [math.log(values[one] / reference[one]) for one in sorted(values.keys() & reference.keys())]
    return LogRatio(value=_mean(logs), parts=_parts(logs), least=len(logs), how="paired by round")


def unpaired(values: Sequence[float], reference: Sequence[float]) -> LogRatio:
    """Return the log ratio of two variants whose trials do not belong together; all values must be positive."""
    logs, others = [math.log(one) for one in values], [math.log(one) for one in reference]
    return LogRatio(
        value=_mean(logs) - _mean(others),
        parts=_parts(logs) + _parts(others),
        least=min(len(logs), len(others)),
        how="unpaired",
    )


def ratio_of_ratios(ours: LogRatio, theirs: LogRatio, method: str, confidence: float = CONFIDENCE) -> Ratio:
    """Return one run's ratio over another's: Student's t on the difference of logarithms.

    The variances add up, since the runs are independent; degrees of freedom after Welch and Satterthwaite.
    """
    value = math.exp(ours.value - theirs.value)
    said = f"{method}: Student's t on logarithms, {ours.how}, {theirs.least} and {ours.least} trials"
    if min(ours.least, theirs.least) < LEAST_ROUNDS:
        return Ratio(value=value, low=None, high=None, significant=None, method=f"{said}; too few for a judgement")
    half = _half_width((*ours.parts, *theirs.parts), confidence)
    low, high = value * math.exp(-half), value * math.exp(half)
    return Ratio(value=value, low=low, high=high, significant=not low <= 1.0 <= high, method=said)


def difference(values: Sequence[float], others: Sequence[float], confidence: float = CONFIDENCE) -> Difference:
    """Return by how much values are more than others on average, zeros among them: Welch's t on the values themselves.

    Raises:
        ValueError: one of the two has no value.

    """
    if not values or not others:
        raise ValueError("a difference needs values on both sides")
    value = _mean(values) - _mean(others)
    method = f"difference, Welch's t on {len(values)} and {len(others)} trials"
    if min(len(values), len(others)) < LEAST_ROUNDS:
        return Difference(
            value=value, low=None, high=None, significant=None, method=f"{method}; too few for a judgement"
        )
    half = _half_width((*_parts(values), *_parts(others)), confidence)
    low, high = value - half, value + half
    return Difference(value=value, low=low, high=high, significant=not low <= 0.0 <= high, method=method)


def counted_difference(value: float, other: float) -> Difference:
    """Return by how much one count is more than another; any difference is a real one."""
    more = value - other
    return Difference(value=more, low=more, high=more, significant=more != 0, method="counted")


def _half_width(parts: Sequence[tuple[float, int]], confidence: float) -> float:
    total = math.fsum(variance for variance, _ in parts)
    if total == 0.0:
        return 0.0
    freedom = total**2 / math.fsum(variance**2 / degrees for variance, degrees in parts)
    return student_t(freedom, confidence) * math.sqrt(total)


def _parts(values: Sequence[float]) -> tuple[tuple[float, int], ...]:
    if len(values) < 2:
        return ()
    mean = _mean(values)
    variance = math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1)
    return ((variance / len(values), len(values) - 1),)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
