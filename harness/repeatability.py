"""Two runs of the same thing: whether every figure's intervals overlap, and where not, what differs between them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from harness import statistics
from harness.capacities import stepped_ratio
from harness.metrics import REGISTRY, Measurements
from harness.model import Interval, Metric, NotMeasured, Results, Scan, Skipped
from harness.samples import Histogram, Sample, image_of, scan_of

DRIFT_SHARE = 0.05
"""A change of the calibration loop's time by less than this is no reason."""
DRIFT_COVERS = 0.8
"""A drift explains a figure's change that goes its way, and of which it is at least this share (of the logarithms)."""
NOT_EXPLAINED = "not explained by anything that the two runs recorded"
TIMED = ("throughput_rps", "capacity_rps")
"""Metrics that depend on how fast the machine was, besides all in seconds and milliseconds."""

How = Literal["interval", "exact", "steps", "single", "one run", "neither run"]
"""How two figures were compared, or why they were not.

`interval`: their intervals; `exact`: counts and sizes, which would repeat; `steps`: rates that were searched for in
steps; `single`: one of them is a single trial's, which has no interval; `one run`: the other did not measure it;
`neither run`: none did.
"""


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """One figure of one variant in two runs.

    Args:
        how: how the two were compared, or why not.
        overlaps: whether the two agree: intervals share a value, counts are the same, searched rates are no more than
            the steps apart that chance may take; None where they could not be compared.
        why_not: where they do not, or cannot be compared: the reasons that were found.

    """

    variant: str
    metric: str
    first: Metric
    second: Metric
    how: How
    overlaps: bool | None
    why_not: str = ""


def compare(
    first: Results, second: Results, first_histogram: Histogram | None, second_histogram: Histogram | None
) -> tuple[Repeat, ...]:
    """Compare every metric of every variant that both runs have.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    one, two = Measurements(first, first_histogram), Measurements(second, second_histogram)
    shared = [v.name for v in first.variants if v.name in {other.name for other in second.variants}]
    return tuple(_repeat(one, two, kind.name, name) for name in shared for kind in REGISTRY)


def apart(repeats: Iterable[Repeat]) -> tuple[Repeat, ...]:
    """Return the figures that do not agree."""
    return tuple(one for one in repeats if one.overlaps is False)


def _repeat(one: Measurements, two: Measurements, metric: str, variant: str) -> Repeat:
    first, second = one.metric(metric, variant), two.metric(metric, variant)
    ours, theirs = one.sample(metric, variant), two.sample(metric, variant)
    how, overlaps, why = _compared(first, second, ours, theirs)
    if overlaps is False:
        why = _why(one, two, metric, variant)
    return Repeat(variant=variant, metric=metric, first=first, second=second, how=how, overlaps=overlaps, why_not=why)


def _compared(
    first: Metric, second: Metric, ours: Sample | NotMeasured, theirs: Sample | NotMeasured
) -> tuple[How, bool | None, str]:
    then, now = first.value, second.value
    if isinstance(then, NotMeasured) or isinstance(ours, NotMeasured):
        reason = then.not_measured if isinstance(then, NotMeasured) else ""
        if isinstance(now, NotMeasured):
            return "neither run", None, f"neither run measured it: {reason}"
        return "one run", None, f"first run: {reason}"
    if isinstance(now, NotMeasured) or isinstance(theirs, NotMeasured):
        return "one run", None, f"second run: {now.not_measured if isinstance(now, NotMeasured) else ''}"
    if ours.counted and theirs.counted:
        return "exact", then.value == now.value, ""
    if ours.step is not None and theirs.step is not None:
        return "steps", not stepped_ratio(now.value, then.value, max(ours.step, theirs.step)).significant, ""
    overlaps = statistics.overlap(then, now)
    if overlaps is None:
        both = then.low is None and now.low is None
        which = "both runs have" if both else f"the {'first' if then.low is None else 'second'} run has"
        return "single", None, f"{which} a single trial of it, and so no interval"
    return "interval", overlaps, ""


def _why(one: Measurements, two: Measurements, metric: str, variant: str) -> str:
    counted = metric.startswith(("findings", "vulnerabilities"))
    reasons = [
        *_changed_image(one.results, two.results, variant, metric),
        *([] if counted else _changed_environment(one.results, two.results)),
    ]
    remark = ""
    if _timed(one.metric(metric, variant)):
        explains, remark = _drift(one, two, metric, variant)
        reasons += explains
    elif counted:
        reasons += _changed_scan(one.results, two.results, variant)
    if reasons:
        return "; ".join(reasons)
    parts = [NOT_EXPLAINED]
    if remark:
        parts.append(remark)
    if _few(one.sample(metric, variant), two.sample(metric, variant)):
        parts.append("one in twenty intervals misses, and these rest on few trials")
    return "; ".join(parts)


def _changed_image(one: Results, two: Results, variant: str, metric: str) -> list[str]:
    first, second = image_of(one, variant), image_of(two, variant)
    if first is None or second is None or first.digest == second.digest:
        return []
    if metric.startswith(("findings", "vulnerabilities")) and (
        scan_of(one, variant) is None or scan_of(two, variant) is None
    ):
        return []
    base = "" if first.base.digest == second.base.digest else ", on another base"
    return [f"the image is another one{base} ({first.digest[:19]}, then {second.digest[:19]})"]


def _changed_environment(one: Results, two: Results) -> list[str]:
    fields = {
        "engine": "engine",
        "engine_version": "engine version",
        "kernel": "kernel",
        "cores": "number of cores",
        "storage_driver": "storage driver",
        "cgroup_version": "cgroup version",
    }
    reasons = [
        f"the {words} changed ({getattr(one.environment, name)}, then {getattr(two.environment, name)})"
        for name, words in fields.items()
        if getattr(one.environment, name) != getattr(two.environment, name)
    ]
    for name, words in (("load_profile", "load profile"), ("run_profile", "run profile")):
        if getattr(one, name) != getattr(two, name):
            reasons.append(f"the {words} changed ({getattr(one, name)}, then {getattr(two, name)})")
    limits = (one.run_profile_used, two.run_profile_used)
    if one.run_profile == two.run_profile and None not in limits and limits[0] != limits[1]:
        reasons.append(f"the limits of the run profile {one.run_profile} changed")
    return reasons


def _changed_scan(one: Results, two: Results, variant: str) -> list[str]:
    """Name what the scans recorded of themselves that differs: versions, data, what was skipped, and decisions."""
    first, second = scan_of(one, variant), scan_of(two, variant)
    if first is None or second is None:
        return []
    reasons = []
    for words, then, now in (
        ("version of", _versions(first), _versions(second)),
        ("data of", _data(first), _data(second)),
        ("outcome of", _skips(first), _skips(second)),
    ):
        reasons += [
            f"the {words} {name} changed ({then.get(name, 'absent')}, then {now.get(name, 'absent')})"
            for name in sorted(then.keys() | now.keys())
            if then.get(name) != now.get(name)
        ]
    before, after = _suppressed(first), _suppressed(second)
    if before != after:
        reasons.append(f"decisions leave {after} out of the count, where they left {before}")
    return reasons


def _versions(scan: Scan) -> dict[str, str]:
    return {step.name: step.version for step in scan.steps if step.version}


def _data(scan: Scan) -> dict[str, str]:
    return {
        f"{one.ecosystem}'s advisories": f"{one.assessed_by} as of {one.as_of}" if one.assessed_by else "not assessed"
        for one in scan.assessments
    }


def _suppressed(scan: Scan) -> int:
    findings = sum(one.suppressed is not None for one in scan.findings)
    return findings + sum(one.suppressed is not None for one in scan.vulnerabilities)


def _skips(scan: Scan) -> dict[str, str]:
    return {step.name: "skipped" if isinstance(step.outcome, Skipped) else "looked" for step in scan.steps}


def _drift(one: Measurements, two: Measurements, metric: str, variant: str) -> tuple[list[str], str]:
    """Return the machine's drift as a reason where it goes the figure's way and is about as large; else a remark."""
    before, after = _calibration(one.results), _calibration(two.results)
    first, second = one.metric(metric, variant), two.metric(metric, variant)
    if before is None or after is None or isinstance(first.value, NotMeasured) or isinstance(second.value, NotMeasured):
        return [], ""
    machine = math.log(after.value / before.value)
    if abs(math.expm1(machine)) <= DRIFT_SHARE or min(first.value.value, second.value.value) <= 0:
        return [], ""
    slower = math.log(second.value.value / first.value.value) * (1 if first.lower_is_better else -1)
    word = "slower" if machine > 0 else "faster"
    said = f"the machine itself was {abs(math.expm1(machine)):.0%} {word} in the second run (calibration loop)"
    if machine * slower > 0 and abs(machine) >= DRIFT_COVERS * abs(slower):
        return [said], ""
    short = "which is too little for it" if machine * slower > 0 else "which works the other way"
    return [], f"{said}, {short}"


def _calibration(results: Results) -> Interval | None:
    seconds = [one.seconds for one in results.calibrations if one.seconds > 0]
    return statistics.mean_interval(seconds) if seconds else None


def _timed(metric: Metric) -> bool:
    return metric.name in TIMED or metric.unit in ("s", "ms")


def _few(first: Sample | NotMeasured, second: Sample | NotMeasured) -> bool:
    return any(isinstance(one, Sample) and not one.counted and len(one.values) <= 5 for one in (first, second))
