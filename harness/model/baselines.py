"""A stored baseline: a file that a team commits, with what a later run needs to be judged against it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from harness.model.base import SCHEMA_VERSION, Model, NotMeasured
from harness.model.runs import Environment

SMALLEST, LARGEST = 1e-18, 1e18


def _possible(value: float) -> float:
    """Refuse what no figure can be: a file that somebody edited may hold NaN, an infinity, or what overflows in use."""
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise ValueError(f"no figure is {value:g}")
    return value


Figure = Annotated[float, AfterValidator(_possible)]
Positive = Annotated[Figure, Field(gt=0)]


class StoredFigure(Model):
    """The values behind one figure, as `harness.samples.Sample` has them: enough for a test of significance."""

    values: dict[int, Figure] = Field(min_length=1)
    """By the number of their round, start or stop."""
    pairs: bool = False
    counted: bool = False
    point: Figure | None = None
    step: Positive | None = None


class StoredVariant(Model):
    """One variant's figures in a stored baseline; what was not measured is there with its reason."""

    image_digest: str | None
    base: str
    figures: dict[str, StoredFigure | NotMeasured]
    unseen: tuple[str, ...] = ()
    """What its scan could not look at: a count of another scan, which could, is no regression."""


class Baseline(Model):
    """What `seatrial baseline save` keeps of a run."""

    schema_version: int = SCHEMA_VERSION
    saved_at: datetime
    run_id: str
    started_at: datetime
    load_profile: str | None
    run_profile: str | None
    conditions: dict[str, str]
    """SHA-256 of the load profile, the run profile and the contract: load under others does not compare."""
    baseline_variant: str | None
    """The variant by which ratios travel from machine to machine."""
    environment: Environment
    calibrations: tuple[Positive, ...]
    """Seconds of the calibration loop, by round."""
    variants: dict[str, StoredVariant]
