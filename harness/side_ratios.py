"""One metric of two sides: their ratio, where and how they may be compared, and what it rests on."""

from __future__ import annotations

import math

from harness import capacities, statistics, travelling
from harness.metric_kinds import MetricKind
from harness.metrics import sample_interval, sample_ratio
from harness.model import Difference, Environment, FigureChange, Interval, NotMeasured, Ratio
from harness.model.compared import Judged
from harness.samples import Sample
from harness.sides import Setting, Side

SPEED_SHARE = 0.05
"""Two runs of one machine whose calibration loops differ by more than this were not made at one speed."""
MACHINE = ("engine", "engine_version", "engine_id", "kernel", "cores", "architecture", "memory_bytes", "cgroup_version")
UNTIMED = ("bytes", "share", "requests", "times")
"""Units that do not follow the machine's speed, and so compare directly on one machine whatever its speed was."""
OF_THE_BUILD = ("build_cold_seconds", "build_cached_seconds")
"""Measured whatever the profiles and the contract are."""
OF_A_START = ("startup_seconds", "start_", "stop_")
"""Measured under the run profile and the contract, whatever the load profile is."""
SEEN = {"findings": "scanner ", "vulnerabilities": "ecosystem ", "probes_succeeded": "probe "}
"""What a count depends on of what its scan could look at."""
NEGLIGIBLE_SHARE = 0.001
"""Two sizes that differ by less are called the same: times of files alone change a compressed layer by some bytes."""
NEVER_RUN = "an image by name is inspected and scanned, and never run"


def figure_change(kind: MetricKind, before: Side, after: Side) -> FigureChange:
    """Compare one metric of two sides; the ratio is of the second over the first."""
    then, now = _sample(before, kind.name), _sample(after, kind.name)
    if uneven := _uneven(kind.name, before, after):
        return _not_compared(kind, then, now, uneven)
    ratio = _ratio(kind, before, after, then, now)
    difference = _difference(kind, before, after, then, now)
    return FigureChange(
        metric=kind.name,
        title=kind.title,
        unit=kind.unit,
        lower_is_better=kind.lower_is_better,
        before=_shown(then),
        after=_shown(now),
        ratio=ratio,
        difference=difference,
        judged=_beyond(kind.name, before, after, then, now) or _judged(kind, ratio, difference, then, now),
    )


def _not_compared(kind: MetricKind, then: Sample | NotMeasured, now: Sample | NotMeasured, why: str) -> FigureChange:
    return FigureChange(
        metric=kind.name,
        title=kind.title,
        unit=kind.unit,
        lower_is_better=kind.lower_is_better,
        before=_shown(then),
        after=_shown(now),
        ratio=NotMeasured(not_measured=why),
        judged="not compared",
    )


def _uneven(metric: str, before: Side, after: Side) -> str:
    """Say what only one of two scans could look at, where a metric counts what was found; else empty."""
    told = [
        f"not in {side.name.label}: {', '.join(missing)}"
        for side, other in ((before, after), (after, before))
        if (missing := [name for name in unseen_by(metric, side) if name not in other.unseen])
    ]
    return f"what was looked at is not the same ({'; '.join(told)})" if told else ""


def unseen_by(metric: str, side: Side) -> list[str]:
    """Return what a side's scan or probes could not look at and a metric counts: `ecosystem Debian`."""
    what = next((word for start, word in SEEN.items() if metric.startswith(start)), None)
    return [] if what is None else sorted(name for name in side.unseen if name.startswith(what))


def another_machine(before: Environment | None, after: Environment | None) -> str:
    """Say in what two machines or engines differ; empty where they are one, as far as the runs' records tell."""
    if before is None or after is None:
        return ""
    told = [
        f"{name.replace('_', ' ')} {getattr(before, name)}, then {getattr(after, name)}"
        for name in MACHINE
        # A record from before there were such ids says nothing of it.
        if getattr(before, name) != getattr(after, name) and "" not in (getattr(before, name), getattr(after, name))
    ]
    named = [one for one in told if not one.startswith("engine id")]
    return "; ".join(named or ["another engine" for _ in told[:1]])


def same_run(before: Side, after: Side) -> bool:
    """Say whether two sides' trials belong together by their rounds; a stored baseline's run may be measured anew."""
    return "baseline" not in (before.name.kind, after.name.kind) and before.setting.run_id == after.setting.run_id


def speed_change(before: Setting, after: Setting) -> float | None:
    """Return by what factor the calibration loop took longer in the second run; None where one has none."""
    if not before.calibrations or not after.calibrations:
        return None
    then, now = (statistics.mean_interval(one.calibrations).value for one in (before, after))
    return now / then


def other_conditions(metric: str, before: Setting, after: Setting) -> str:
    """Say under which other profile or contract one side's figure was made; empty where they are the same."""
    if metric in OF_THE_BUILD:
        return ""
    needed = (
        ("run profile", "contract") if metric.startswith(OF_A_START) else ("load profile", "run profile", "contract")
    )
    told = []
    for name in needed:
        if before.conditions.get(name) != after.conditions.get(name):
            names = (before.profiles.get(name), after.profiles.get(name))
            told.append(f"another {name}" + (f" ({names[0]}, then {names[1]})" if len(set(names)) > 1 else ""))
    return " and ".join(told)


def _sample(side: Side, metric: str) -> Sample | NotMeasured:
    missing = NEVER_RUN if side.name.kind == "image" else "its record has no such figure"
    return side.samples.get(metric, NotMeasured(not_measured=missing))


def _shown(sample: Sample | NotMeasured) -> Interval | NotMeasured:
    return sample if isinstance(sample, NotMeasured) else sample_interval(sample)


def _ratio(
    kind: MetricKind, before: Side, after: Side, then: Sample | NotMeasured, now: Sample | NotMeasured
) -> Ratio | NotMeasured:
    if isinstance(then, NotMeasured):
        return NotMeasured(not_measured=f"{before.name.label}: {then.not_measured}")
    if isinstance(now, NotMeasured):
        return NotMeasured(not_measured=f"{after.name.label}: {now.not_measured}")
    if same_run(before, after) or (now.counted and then.counted):
        return sample_ratio(now, then)
    changed = other_conditions(kind.name, before.setting, after.setting)
    if changed:
        return NotMeasured(not_measured=f"measured under {changed}")
    elsewhere = another_machine(before.setting.environment, after.setting.environment)
    if not elsewhere and (kind.unit in UNTIMED or not _other_speed(before, after)):
        return _between_runs(sample_ratio(_unrelated(now), _unrelated(then)))
    why = "measured on another machine" if elsewhere else _said(speed_change(before.setting, after.setting))
    return _relative(kind.name, before, after, then, now, why)


def _other_speed(before: Side, after: Side) -> bool:
    factor = speed_change(before.setting, after.setting)
    return factor is not None and abs(factor - 1) > SPEED_SHARE


def _said(factor: float | None) -> str:
    if factor is None:
        return "measured at another speed of the machine"
    word = "slower" if factor > 1 else "faster"
    return f"measured while the machine was {abs(factor - 1):.0%} {word} (calibration loop)"


def _unrelated(sample: Sample) -> Sample:
    """Return a sample whose rounds are no rounds of the other run."""
    return Sample(values=sample.values, counted=sample.counted, point=sample.point, step=sample.step)


def _between_runs(ratio: Ratio | NotMeasured) -> Ratio | NotMeasured:
    if isinstance(ratio, NotMeasured):
        return ratio
    return ratio.model_copy(update={"method": f"two runs of one machine; {ratio.method}"})


def _relative(metric: str, before: Side, after: Side, then: Sample, now: Sample, why: str) -> Ratio | NotMeasured:
    """Compare the ratios that both have to their runs' own baseline variant."""
    name = after.setting.reference_name
    if name is None or name != before.setting.reference_name:
        return NotMeasured(not_measured=f"{why}, and the two runs have no baseline variant in common")
    if name in (before.name.variant, after.name.variant):
        return NotMeasured(not_measured=f"{why}, and it is the baseline variant itself: nothing to set it against")
    old, new = before.setting.reference.get(metric), after.setting.reference.get(metric)
    if not isinstance(old, Sample) or not isinstance(new, Sample):
        return NotMeasured(not_measured=f"{why}, and {name} was not measured in both runs")
    method = f"{why}, so each as its ratio to {name} of its own run"
    values = [value for one in (then, now, old, new) for value in one.values.values()]
    points = [one.point for one in (then, now, old, new)]
    if min(*values, *(point for point in points if point is not None)) <= 0:
        return NotMeasured(not_measured="a value is zero, so there is no ratio")
    if all(one.step is not None for one in (then, now, old, new)):
        return _stepped(then, now, old, new, method)
    found = travelling.ratio_of_ratios(_log_ratio(now, new), _log_ratio(then, old), method)
    if None in points:
        return found
    whole = math.prod(p for p in (now.point, old.point) if p) / math.prod(p for p in (then.point, new.point) if p)
    return statistics.with_value(found, whole, f"value from merged histograms; {found.method}")


def _stepped(then: Sample, now: Sample, old: Sample, new: Sample, method: str) -> Ratio:
    then_rate, now_rate, old_rate, new_rate = (next(iter(one.values.values())) for one in (then, now, old, new))
    step = max(one.step or 1.0 for one in (then, now, old, new))
    # Each of the two ratios may be off by the steps of two searches, so twice as many steps lie between them.
    found = capacities.stepped_ratio(now_rate / new_rate, then_rate / old_rate, step**2)
    return found.model_copy(update={"method": f"{method}: confirmed capacities, {2 * capacities.STEPS_APART} steps"})


def _log_ratio(sample: Sample, reference: Sample) -> travelling.LogRatio:
    if sample.pairs and reference.pairs and sample.values.keys() & reference.values.keys():
        return travelling.paired(sample.values, reference.values)
    return travelling.unpaired(list(sample.values.values()), list(reference.values.values()))


def _difference(
    kind: MetricKind, before: Side, after: Side, then: Sample | NotMeasured, now: Sample | NotMeasured
) -> Difference | None:
    """Return the difference of counts, and of values of which one is 0 so that they have no ratio."""
    if isinstance(then, NotMeasured) or isinstance(now, NotMeasured):
        return None
    ours, theirs = list(now.values.values()), list(then.values.values())
    if now.counted and then.counted:
        return travelling.counted_difference(ours[0], theirs[0])
    if min(*ours, *theirs) > 0:
        return None
    if not same_run(before, after) and (
        kind.unit not in UNTIMED or other_conditions(kind.name, before.setting, after.setting)
    ):
        return None
    return travelling.difference(ours, theirs)


def _beyond(
    metric: str, before: Side, after: Side, then: Sample | NotMeasured, now: Sample | NotMeasured
) -> Judged | None:
    """Judge a figure that only one side has, where the other's is beyond any limit; None where that is not so."""
    if not same_run(before, after) and other_conditions(metric, before.setting, after.setting):
        return None
    if isinstance(now, NotMeasured) and not isinstance(then, NotMeasured) and metric in after.beyond:
        return "worse"
    if isinstance(then, NotMeasured) and not isinstance(now, NotMeasured) and metric in before.beyond:
        return "better"
    return None


def _judged(
    kind: MetricKind,
    ratio: Ratio | NotMeasured,
    difference: Difference | None,
    then: Sample | NotMeasured,
    now: Sample | NotMeasured,
) -> Judged:
    if isinstance(then, NotMeasured) or isinstance(now, NotMeasured):
        return "not compared"
    if isinstance(ratio, Ratio):
        significant, more = ratio.significant, ratio.value > 1
    elif difference is not None:
        significant, more = difference.significant, difference.value > 0
    else:
        return "not compared"
    if significant is None:
        return "?"
    if now.counted and kind.unit in ("bytes", "share") and isinstance(ratio, Ratio):
        significant = abs(ratio.value - 1) >= NEGLIGIBLE_SHARE
    if not significant:
        return "same" if now.counted and then.counted else "~"
    return "worse" if more == kind.lower_is_better else "better"
