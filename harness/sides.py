"""One side of a comparison: a variant of a run, an image by name, or a variant of a stored baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness import attacks
from harness.beyond import BEYOND, beyond_any_limit
from harness.listings import ListedFile, Listing, decode
from harness.metrics import REGISTRY, Measurements
from harness.model import (
    Assessment,
    Baseline,
    Component,
    Environment,
    Image,
    NotMeasured,
    Results,
    Scan,
    SideName,
    SlicedComparison,
    StoredFigure,
    Vulnerability,
)
from harness.samples import Histogram, Sample, image_of, scan_of, skipped_programs
from harness.vulnerability_counts import unassessed

NOT_KEPT = "a stored baseline keeps figures only"
NOT_SCANNED = "it was not scanned"
OLD_SCAN = "its scan is of an older Seatrial, which kept no {}"

Samples = Mapping[str, Sample | NotMeasured]
"""Metric -> the values behind it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as the comparison reads it: results, and what gives its histograms and its images' file listings."""

    results: Results
    histogram: Histogram | None = None
    listing: Listing | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where and how a side was measured; what decides which figures of two sides compare.

    Args:
        run_id: two sides of one run share it; empty for an image by name, of which nothing was timed.
        environment: the machine and engine; None for an image by name.
        conditions: SHA-256 of load profile, run profile and contract.
        profiles: the names of load profile and run profile.
        calibrations: seconds of the calibration loop, by round.
        reference_name: the run's baseline variant.
        reference: its figures, by which ratios travel between machines; empty where it has none.

    """

    run_id: str = ""
    environment: Environment | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
    calibrations: tuple[float, ...] = ()
    reference_name: str | None = None
    reference: Samples = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side: its name, its figures and where they were measured, and what is inside the image."""

    name: SideName
    samples: Samples
    setting: Setting
    image: Image | None = None
    sliced: tuple[SlicedComparison, ...] = ()
    """Its run's sliced comparisons."""
    components: tuple[Component, ...] | NotMeasured
    vulnerabilities: tuple[Vulnerability, ...] | NotMeasured
    assessments: tuple[Assessment, ...] = ()
    unseen: frozenset[str] = frozenset()
    """`scanner NAME`, `ecosystem NAME` and `probe ID` that could not be looked at or tried."""
    beyond: Mapping[str, str] = field(default_factory=dict)
    """Metrics that have no figure because it is beyond any limit, and why in a word."""
    files: Mapping[str, ListedFile] | NotMeasured
    configuration: Mapping[str, str] | NotMeasured


def setting_of(run: Run) -> Setting:
    """Return where and how a run was measured; made once for all its sides."""
    results = run.results
    name = results.baseline_variant
    known = name is not None and any(variant.name == name for variant in results.variants)
    return Setting(
        run_id=results.run_id,
        environment=results.environment,
        conditions=results.conditions,
        profiles={"load profile": results.load_profile or "", "run profile": results.run_profile or ""},
        calibrations=tuple(one.seconds for one in results.calibrations if one.seconds > 0),
        reference_name=name if known else None,
        reference=_samples(Measurements(results, run.histogram), name) if known and name is not None else {},
    )


def side_of(run: Run, variant: str, *, setting: Setting | None = None, label: str = "") -> Side:
    """Return one variant of a run as a side.

    Args:
        run: the run.
        variant: its name there.
        setting: `setting_of` the run, where the caller has it.
        label: what a reader calls it; the variant's name, if empty.

    Raises:
        UnreadableOutput: a histogram or a listing is damaged.

    """
    results = run.results
    image, scan = image_of(results, variant), scan_of(results, variant)
    return Side(
        name=SideName(
            label=label or variant,
            kind="variant",
            variant=variant,
            run_id=results.run_id,
            digest=image.digest if image else "",
            base=base_of(image),
        ),
        samples=_samples(Measurements(results, run.histogram), variant),
        setting=setting or setting_of(run),
        image=image,
        sliced=results.sliced,
        components=scan.components if scan else NotMeasured(not_measured=NOT_SCANNED),
        vulnerabilities=scan.vulnerabilities if scan else NotMeasured(not_measured=NOT_SCANNED),
        assessments=scan.assessments if scan else (),
        unseen=unseen_of(scan) | {f"probe {name}" for name, _ in attacks.untried(results, variant)},
        beyond={name: why for name in BEYOND if (why := beyond_any_limit(results, variant, name))},
        files=files_of(scan, run.listing),
        configuration=configuration_of(image, scan),
    )


def sides_of(run: Run) -> dict[str, Side]:
    """Return every variant of a run as a side, by name; labels name the run too.

    Raises:
        UnreadableOutput: a histogram or a listing is damaged.

    """
    setting = setting_of(run)
    names = [variant.name for variant in run.results.variants]
    return {name: side_of(run, name, setting=setting, label=f"{name} in {run.results.run_id}") for name in names}


def as_image(side: Side, reference: str) -> Side:
    """Return the side of an image by name, which was inspected and scanned and never run."""
    name = side.name.model_copy(update={"label": reference, "kind": "image", "variant": reference, "run_id": ""})
    return replace(side, name=name, setting=Setting())


def side_of_baseline(baseline: Baseline, variant: str) -> Side | NotMeasured:
    """Return one variant of a stored baseline as a side; it has figures and nothing else."""
    known = baseline.variants.get(variant)
    if known is None:
        return NotMeasured(not_measured=f"the stored baseline has no variant {variant}")
    reference = baseline.baseline_variant
    stored = baseline.variants.get(reference or "")
    nothing = NotMeasured(not_measured=NOT_KEPT)
    return Side(
        name=SideName(
            label=f"{variant} in the stored baseline",
            kind="baseline",
            variant=variant,
            run_id=baseline.run_id,
            digest=known.image_digest or "",
            base=known.base,
        ),
        samples=_restored(known.figures),
        setting=Setting(
            run_id=baseline.run_id,
            environment=baseline.environment,
            conditions=baseline.conditions,
            profiles={"load profile": baseline.load_profile or "", "run profile": baseline.run_profile or ""},
            calibrations=baseline.calibrations,
            reference_name=reference if stored else None,
            reference=_restored(stored.figures) if stored else {},
        ),
        unseen=frozenset(known.unseen),
        components=nothing,
        vulnerabilities=nothing,
        files=nothing,
        configuration=nothing,
    )


def unseen_of(scan: Scan | None) -> frozenset[str]:
    """Return what an image's scan could not look at: whole scanners, and ecosystems."""
    if scan is None:
        return frozenset()
    scanners = (f"scanner {step.name}" for step in skipped_programs(scan))
    return frozenset((*scanners, *(f"ecosystem {name.partition(':')[0]}" for name in unassessed(scan))))


def base_of(image: Image | None) -> str:
    """Say what an image is made from: the public base, and that it is a stand-in where it is one."""
    if image is None:
        return ""
    return f"{image.base.public} (stand-in)" if image.base.stand_in_for else image.base.public


def files_of(scan: Scan | None, listing: Listing | None) -> Mapping[str, ListedFile] | NotMeasured:
    """Return an image's files, where its scan kept a listing of them."""
    if scan is None:
        return NotMeasured(not_measured=NOT_SCANNED)
    if scan.files is None:
        return NotMeasured(not_measured=OLD_SCAN.format("listing of files"))
    data = listing(scan.files.listing) if listing is not None else None
    if data is None:
        return NotMeasured(not_measured="the listing of its files is not at hand")
    return decode(data, scan.files.listing)


def configuration_of(image: Image | None, scan: Scan | None) -> Mapping[str, str] | NotMeasured:
    """Return an image's settings by name, and what it is made from."""
    if scan is None or scan.configuration is None:
        return NotMeasured(not_measured=OLD_SCAN.format("configuration") if scan else NOT_SCANNED)
    base = {"made from": base_of(image), "base image": image.base.digest} if image and image.base.digest else {}
    return {**scan.configuration, **base}


def _samples(measured: Measurements, variant: str) -> Samples:
    return {kind.name: measured.sample(kind.name, variant) for kind in REGISTRY}


def _restored(figures: Mapping[str, StoredFigure | NotMeasured]) -> Samples:
    return {name: one if isinstance(one, NotMeasured) else Sample(**one.model_dump()) for name, one in figures.items()}
