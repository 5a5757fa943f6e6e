"""Compares two sides, or two runs variant by variant: the one comparison that command, report and tests share; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from packageurl import PackageURL

from harness import contents, sliced_rows
from harness.contents import VersionOrder
from harness.metrics import REGISTRY
from harness.model import (
    Assessment,
    Comparison,
    FigureChange,
    NotMeasured,
    RunComparison,
    Vulnerability,
    VulnerabilityChange,
)
from harness.side_ratios import SPEED_SHARE, another_machine, figure_change, speed_change
from harness.sides import Run, Setting, Side, sides_of

T = TypeVar("T")
R = TypeVar("R")
FAMILIES = {"deb": ("Debian", "Ubuntu"), "apk": ("Alpine",), "pypi": ("PyPI",), "golang": ("Go",), "gem": ("RubyGems",),
            "cargo": ("crates.io",), "maven": ("Maven",)}  # fmt: skip
"""A purl's type -> the ecosystems whose packages have it, by OSV's names; where it has none, it goes by its type."""


def compare_sides(before: Side, after: Side, *, order: VersionOrder | None = None) -> Comparison:
    """Compare two sides; every ratio is of the second over the first.

    Args:
        before: the first.
        after: the second.
        order: tells which of two versions of a package is the newer one; without it they are only `changed`.

    """
    pair = (before, after)
    return Comparison(
        before=before.name,
        after=after.name,
        figures=(*(figure_change(kind, before, after) for kind in REGISTRY), *_sliced(before, after)),
        packages=_both(
            pair, before.components, after.components, lambda then, now: contents.packages(then, now, order)
        ),
        vulnerabilities=_both(pair, before.vulnerabilities, after.vulnerabilities, _vulnerabilities(before, after)),
        files=_both(pair, before.files, after.files, contents.files),
        setuid=_both(pair, before.files, after.files, contents.setuid),
        settings=_both(pair, before.configuration, after.configuration, contents.settings),
        layers=contents.layers(before.image, after.image)
        if before.image and after.image
        else NotMeasured(not_measured="the layers of one side are not known"),
        remarks=(*_unseen(before, after), *machine_remarks(before.setting, after.setting)),
    )


def compare_runs(before: Run, after: Run, *, order: VersionOrder | None = None) -> RunComparison:
    """Compare every variant that two runs have in common.

    Raises:
        UnreadableOutput: a histogram or a listing of one of them is damaged.

    """
    labels = (before.results.run_id, after.results.run_id)
    return compare_all(sides_of(before), sides_of(after), labels, order=order)


def compare_all(
    before: Mapping[str, Side], after: Mapping[str, Side], labels: tuple[str, str], *, order: VersionOrder | None = None
) -> RunComparison:
    """Compare every variant that two sets of sides have in common, in the second's order.

    Args:
        before: the first's sides, by variant.
        after: the second's.
        labels: what a reader calls the two.
        order: as in `compare_sides`.

    """
    shared = [name for name in after if name in before]
    settings = [next(iter(sides.values())).setting for sides in (before, after) if sides]
    return RunComparison(
        before=labels[0],
        after=labels[1],
        comparisons=tuple(compare_sides(before[name], after[name], order=order) for name in shared),
        only_before=tuple(name for name in before if name not in after),
        only_after=tuple(name for name in after if name not in before),
        remarks=machine_remarks(*settings) if len(settings) == 2 else (),
    )


def _sliced(before: Side, after: Side) -> tuple[FigureChange, ...]:
    """Return what sliced comparisons say of two variants of one run."""
    if not after.name.run_id or before.name.run_id != after.name.run_id:
        return ()
    return sliced_rows.rows(after.sliced, before.name.variant, after.name.variant)


def machine_remarks(before: Setting, after: Setting) -> tuple[str, ...]:
    """Say what a reader has to know of where two sides were measured."""
    if not before.run_id or not after.run_id or before.run_id == after.run_id:
        return ()
    elsewhere = another_machine(before.environment, after.environment)
    if elsewhere:
        return (
            f"Measured on two machines or engines ({elsewhere}): sizes and counts compare as they are, times and rates "
            "only as ratios to the baseline variant of the same run. A change of that variant too is not in them.",
        )
    factor = speed_change(before, after)
    if factor is not None and abs(factor - 1) > SPEED_SHARE:
        word = "slower" if factor > 1 else "faster"
        return (
            f"The machine itself was {abs(factor - 1):.0%} {word} in the second run, by its calibration loop: times "
            "and rates are compared as ratios to the baseline variant of the same run.",
        )
    return ()


def _both(
    sides: tuple[Side, Side], then: T | NotMeasured, now: T | NotMeasured, compare: Callable[[T, T], R]
) -> R | NotMeasured:
    for side, one in zip(sides, (then, now), strict=True):
        if isinstance(one, NotMeasured):
            return NotMeasured(not_measured=f"{side.name.label}: {one.not_measured}")
    assert not isinstance(then, NotMeasured)  # noqa: S101 - for the type checker: the loop has returned
    assert not isinstance(now, NotMeasured)  # noqa: S101
    return compare(then, now)


def _vulnerabilities(
    before: Side, after: Side
) -> Callable[[Sequence[Vulnerability], Sequence[Vulnerability]], tuple[VulnerabilityChange, ...] | NotMeasured]:
    """Return what compares two lists of vulnerabilities: only of ecosystems that were looked up on both sides."""

    def compare(
        then: Sequence[Vulnerability], now: Sequence[Vulnerability]
    ) -> tuple[VulnerabilityChange, ...] | NotMeasured:
        for side in (before, after):
            if not any(one.assessed_by for one in side.assessments):
                return NotMeasured(not_measured=f"{side.name.label}: nobody looked up its components")
        blind = _blind(before.assessments) | _blind(after.assessments)
        components = [() if isinstance(one.components, NotMeasured) else one.components for one in (before, after)]
        return contents.vulnerabilities(
            [one for one in then if not blind.intersection(_families(one.purl))],
            [one for one in now if not blind.intersection(_families(one.purl))],
            *components,
        )

    return compare


def _unseen(before: Side, after: Side) -> tuple[str, ...]:
    """Say which ecosystems one side did not look up, and that advisories of two days were asked."""
    told = []
    for side in (before, after):
        blind = [one for one in side.assessments if one.assessed_by is None]
        if blind:
            names = ", ".join(one.ecosystem for one in blind)
            why = "; ".join(dict.fromkeys(one.reason for one in blind))
            told.append(
                f"Known vulnerabilities of {names} were not assessed for {side.name.label} ({why}): "
                "what is fixed or introduced there is not known."
            )
    days = [{(one.assessed_by, one.as_of) for one in side.assessments if one.assessed_by} for side in (before, after)]
    if all(days) and {one[1] for one in days[0]} != {one[1] for one in days[1]}:
        told.append("The two were looked up in advisories of different days.")
    return tuple(told)


def _blind(assessments: Sequence[Assessment]) -> set[str]:
    return {one.ecosystem.partition(":")[0] for one in assessments if one.assessed_by is None}


def _families(purl: str) -> tuple[str, ...]:
    if not purl:
        return ("unknown",)
    parsed = PackageURL.from_string(purl)
    return *FAMILIES.get(parsed.type, ()), parsed.type, f"{parsed.type}/{parsed.namespace}"
