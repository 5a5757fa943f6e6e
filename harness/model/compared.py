"""What differs between two sides: variants, runs, a stored baseline, or images by name."""

from __future__ import annotations

from typing import Literal

from harness.model.base import SCHEMA_VERSION, Model, NotMeasured
from harness.model.findings import Severity
from harness.model.judged import Interval, Ratio, Verdict

SideKind = Literal["variant", "image", "baseline"]
Judged = Literal["better", "worse", "~", "?", "same", "not compared"]
"""`~`: no difference could be told. `?`: too few trials to judge. `same`: counts that are equal,
or sizes within a thousandth."""


class SideName(Model):
    """What one side of a comparison is."""

    label: str
    """As a reader knows it: `slim-gunicorn`, `slim-gunicorn in 20261124-120000-ab12`, `python:3.13-slim`."""
    kind: SideKind
    variant: str
    """The variant's name; an image's reference, where it is none."""
    run_id: str = ""
    """The run that it was measured in; empty for an image by name."""
    digest: str = ""
    base: str = ""
    """The base image, and its stand-in, in words."""


class Difference(Model):
    """By how much one figure is more than another, in the metric's unit, where there is no ratio: one of them is 0."""

    value: float
    low: float | None
    """None where too few trials give no interval."""
    high: float | None
    significant: bool | None
    """None where too few trials allow a judgement."""
    method: str


class FigureChange(Model):
    """One metric of two sides; ratios and differences are of the second side over the first."""

    metric: str
    title: str
    unit: str
    lower_is_better: bool
    before: Interval | NotMeasured
    after: Interval | NotMeasured
    ratio: Ratio | NotMeasured
    difference: Difference | None = None
    """For counts, and where a ratio cannot be because a value is 0."""
    judged: Judged

    @property
    def method(self) -> str:
        """What the judgement rests on, or why there is none."""
        if isinstance(self.ratio, Ratio):
            return self.ratio.method
        return self.difference.method if self.difference is not None else self.ratio.not_measured


class PackageChange(Model):
    """One package that is not the same on both sides."""

    name: str
    type: str
    """The purl's type: deb, apk, pypi; empty where there is no purl."""
    change: Literal["added", "removed", "upgraded", "downgraded", "changed"]
    """`changed`: nothing here tells which of the versions is the newer one."""
    before: str | None
    """Its version, or versions."""
    after: str | None


class VulnerabilityChange(Model):
    """One vulnerability of one component that only one side has."""

    id: str
    component: str
    severity: Severity
    fixed_version: str | None
    change: Literal["fixed", "introduced", "newly reported", "no longer reported"]
    """The last two: the component is the same on both sides, so it is what is known of it that changed."""
    version: str
    """Of the component, on the side that has it."""


class FileChange(Model):
    """One path that is not the same on both sides, by its kind, mode, owner, size or target; contents are not read."""

    path: str
    change: Literal["added", "removed", "changed"]
    before: str | None
    """Mode, owner and size in words."""
    after: str | None


class SettingChange(Model):
    """One setting of an image's configuration, or of what it is made from."""

    name: str
    before: str | None
    """None where this side has no such setting."""
    after: str | None


class LayerChange(Model):
    """One layer, laid beside the layer of the other side that the same instruction made."""

    created_by: str
    before_bytes: int | None
    """Uncompressed; None where this side has no such layer."""
    after_bytes: int | None
    before_compressed_bytes: int | None
    after_compressed_bytes: int | None
    same: bool
    """Whether it is one and the same layer, by its digest."""


class Comparison(Model):
    """Two sides, and all that differs between them."""

    before: SideName
    after: SideName
    figures: tuple[FigureChange, ...]
    packages: tuple[PackageChange, ...] | NotMeasured
    vulnerabilities: tuple[VulnerabilityChange, ...] | NotMeasured
    files: tuple[FileChange, ...] | NotMeasured
    setuid: tuple[FileChange, ...] | NotMeasured
    """Files that gained or lost setuid or setgid, new and removed ones among them."""
    settings: tuple[SettingChange, ...] | NotMeasured
    layers: tuple[LayerChange, ...] | NotMeasured
    remarks: tuple[str, ...] = ()
    """What a reader has to know: another machine, advisories of another day, what one side did not look at."""

    def figure(self, metric: str) -> FigureChange | None:
        """Return one metric's row."""
        return next((one for one in self.figures if one.metric == metric), None)


class RunComparison(Model):
    """Two runs, or a variant of one against a variant of another: each pair of sides, and what became of thresholds."""

    schema_version: int = SCHEMA_VERSION
    before: str
    after: str
    comparisons: tuple[Comparison, ...]
    only_before: tuple[str, ...] = ()
    """Variants that only the first has."""
    only_after: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    """Of regression thresholds; empty where none applied."""
