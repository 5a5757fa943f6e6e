"""What is concluded from trials: intervals, ratios, budgets and verdicts."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from harness.model.base import Model, NotMeasured


class Interval(Model):
    """A value with its confidence interval over `n` independent trials."""

    value: float
    low: float | None
    """None where one trial gives no interval."""
    high: float | None
    n: int
    confidence: float = 0.95


class Metric(Model):
    """One figure of one variant, as budgets, report and comparison read it."""

    name: str
    title: str
    unit: str
    lower_is_better: bool
    value: Interval | NotMeasured
    trials: tuple[float, ...] = ()


class Ratio(Model):
    """One variant's metric over the baseline's, measured in one run."""

    value: float
    low: float | None
    high: float | None
    significant: bool | None
    """None where too few trials allow a judgement."""
    method: str


class Budget(Model):
    """A limit on one metric for the variants that match a pattern."""

    metric: str
    variants: str = "*"
    max: float | None = None
    min: float | None = None
    reason: str = ""


class RegressionThreshold(Model):
    """How much worse than the stored baseline a metric may become; only a significant difference breaks it."""

    metric: str
    variants: str = "*"
    worse_by: float | None = None
    """A share: 0.1 is 10% more of what should be little, or 10% less of what should be much."""
    more_by: float | None = None
    """In the metric's unit, for what should be little and may be 0: 0 is none more."""
    reason: str = ""


class VerdictKind(StrEnum):
    """What became of one budget or regression threshold on one variant."""

    KEPT = "kept"
    EXCEEDED = "exceeded"
    NOT_MEASURED = "not measured"


class Verdict(Model):
    """One budget or regression threshold applied to one variant."""

    about: Literal["budget", "regression", "ignore file"] = "budget"
    variant: str
    metric: str
    kind: VerdictKind
    limit: str
    measured: str
    message: str


class Preference(Model):
    """What the user wants of an image: metrics, and how much each weighs in the pick."""

    weights: dict[str, float]
    """Metric -> its weight, above 0; only how they stand to each other counts."""
