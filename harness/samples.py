"""What a figure is made of: from a run's results to the trials' values of one metric of one variant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from hdrh.histogram import HdrHistogram

from harness import histograms
from harness.capacities import capacity_of
from harness.model import (
    Guard,
    Image,
    LoadTrial,
    NotMeasured,
    Percentiles,
    ResourceUse,
    Results,
    Scan,
    ScanStep,
    Skipped,
    StopLoad,
    StopTrial,
)

Histogram = Callable[[str], bytes]
"""Gives the bytes of one file of the run's `histograms/`; raises `UnreadableOutput` where it is not there."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The values behind one figure.

    Args:
        values: the trials' values by the number of their round, or of their start or stop.
        pairs: whether that number is a round, in which the trials of all variants belong together.
        counted: whether the one value is a count that would repeat exactly.
        point: the figure itself where it is read from all trials' data at once, as from merged histograms.
        step: where the value was searched for, the factor between two rates that were tried: 1.05.

    """

    values: Mapping[int, float]
    pairs: bool = False
    counted: bool = False
    point: float | None = None
    step: float | None = None


LoadModel = Literal["closed", "open"]
GENERATOR_FIRST = "the generator was at its end before it was"
NO_SUCH_MODEL = "the load profile has no {} part"
"""Why a figure of one model of load is missing from a run that has only the other: no gap, but as it was asked for."""

NOT_STOPPED_UNDER_LOAD = "the load profile has no stops under load"

Latency = Callable[[str, LoadModel], Percentiles | NotMeasured]
"""Gives a variant's percentiles under one model of load, read from its merged histograms."""

Source = Callable[[Results, str, Latency], "Sample | NotMeasured"]
"""How one metric is read: from results, a variant's name and the merged latencies."""


def image_figure(read: Callable[[Image], float]) -> Source:
    """Return a source of something counted in the image."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        image = image_of(results, variant)
        if image is None:
            return NotMeasured(not_measured="its image was not built")
        return Sample(values={1: read(image)}, counted=True)

    return source


def own_bytes(image: Image) -> int:
    """Return an image's size without the wheelhouse that only serves a build without network."""
    return max(image.size_bytes - image.wheelhouse_bytes, 0)


def own_compressed_bytes(image: Image) -> int:
    """Return the compressed size without the wheelhouse, whose wheels are compressed already and so count in full."""
    return max(image.compressed_bytes - image.wheelhouse_bytes, 0)


def build_seconds(read: Callable[[Image], float | NotMeasured]) -> Source:
    """Return a source of a build's time, which is taken once."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        image = image_of(results, variant)
        if image is None:
            return NotMeasured(not_measured="its image was not built")
        seconds = read(image)
        return seconds if isinstance(seconds, NotMeasured) else Sample(values={1: seconds})

    return source


def truthful(source: Source) -> Source:
    """Return a source that gives no figure of a variant that broke its contract: an app that is wrong has no speed."""

    def guarded(results: Results, variant: str, latency: Latency) -> Sample | NotMeasured:
        lie = broken_contract(results, variant)
        return NotMeasured(not_measured=lie) if lie else source(results, variant, latency)

    return guarded


@truthful
def startup(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read the seconds from the engine's run command to the first correct answer."""
    starts = [trial for trial in results.start_trials if trial.variant == variant]
    if not starts:
        return NotMeasured(not_measured="its start was not tried")
    values: dict[int, float] = {}
    reasons: list[str] = []
    for trial in starts:
        if isinstance(trial.seconds_to_first_answer, NotMeasured):
            reasons.append(trial.seconds_to_first_answer.not_measured)
        else:
            values[trial.index] = trial.seconds_to_first_answer
    if not values:
        return NotMeasured(not_measured=f"no start of {len(starts)} gave a correct answer: {reasons[0]}")
    return Sample(values=values)


@truthful
def stop(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read the seconds from SIGTERM to an idle container's end.

    One that had to be killed has no such time: what was seen of it is the time limit, and no property of the variant.
    """
    stops = idle_stops(results, variant)
    if not stops:
        return NotMeasured(not_measured="its graceful stop was not tried")
    killed = [trial for trial in stops if trial.killed]
    if killed:
        often = "" if len(killed) == len(stops) else f" in {len(killed)} of {len(stops)} stops"
        return NotMeasured(not_measured=f"it ignored SIGTERM and was killed after {killed[0].timeout_s:g} s{often}")
    return Sample(values={trial.index: trial.seconds for trial in stops})


@truthful
def lost_at_stop(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read how many requests were lost when a container was stopped under load."""
    loads = {trial.index: trial.load for trial in results.stop_trials if trial.variant == variant}
    values = {index: float(load.lost) for index, load in loads.items() if isinstance(load, StopLoad)}
    reasons = [load.not_measured for load in loads.values() if isinstance(load, NotMeasured)]
    if values:
        return Sample(values=values)
    return NotMeasured(not_measured=reasons[0] if reasons else NOT_STOPPED_UNDER_LOAD)


@truthful
def capacity(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read the highest rate that was confirmed to hold the objective."""
    found = capacity_of(results, variant)
    if isinstance(found, NotMeasured) or isinstance(found.capacity_rps, NotMeasured):
        return found if isinstance(found, NotMeasured) else NotMeasured(not_measured=found.remark)
    if found.at_least:
        return NotMeasured(not_measured=f"at least {found.capacity_rps:.4g} requests a second: {GENERATOR_FIRST}")
    return Sample(values={1: found.capacity_rps}, step=1 + found.tolerance)


@truthful
def throughput(results: Results, variant: str, latency: Latency) -> Sample | NotMeasured:
    """Read closed throughput; where the generator was the bottleneck of a trial, it is more, and no figure to rank."""
    least = at_least(load_trials(results, variant))
    if least is not None:
        return NotMeasured(not_measured=f"at least {least:.4g} requests a second: {GENERATOR_FIRST}")
    return load_figure(lambda trial: trial.throughput_rps)(results, variant, latency)


def at_least(trials: Iterable[LoadTrial]) -> float | None:
    """Return the requests a second that closed trials show at the least, because their generator was the bottleneck.

    None where it was not. One trial is enough: it is the quickest ones that outrun a generator, so those that are left
    would be the slower part.
    """
    closed = [one for one in trials if one.model == "closed"]
    outrun = [one for one in closed if {each.guard for each in one.broken_guards} == {Guard.GENERATOR_SATURATED}]
    return max((one.throughput_rps for one in closed if one.valid or one in outrun), default=None) if outrun else None


def load_figure(read: Callable[[LoadTrial], float | NotMeasured], model: LoadModel = "closed") -> Source:
    """Return a source of one number of each valid load trial under one model of load."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        trials = valid_load_trials(results, variant, model)
        if isinstance(trials, NotMeasured):
            return trials
        return _of_trials(trials, read)

    return source


def resource(read: Callable[[ResourceUse], float | NotMeasured]) -> Source:
    """Return a source of one number of what the target's cgroup said in each valid load trial."""

    def one(trial: LoadTrial) -> float | NotMeasured:
        return trial.resources if isinstance(trial.resources, NotMeasured) else read(trial.resources)

    return load_figure(one)


def percentile(read: Callable[[Percentiles], float], model: LoadModel = "closed") -> Source:
    """Return a source of a latency percentile: its value from merged histograms, its spread from each trial's own."""

    def one(trial: LoadTrial) -> float | NotMeasured:
        return trial.latency if isinstance(trial.latency, NotMeasured) else read(trial.latency)

    def source(results: Results, variant: str, latency: Latency) -> Sample | NotMeasured:
        merged = latency(variant, model)
        if isinstance(merged, NotMeasured):
            return merged
        sample = load_figure(one, model)(results, variant, latency)
        if isinstance(sample, NotMeasured):
            return sample
        return Sample(values=sample.values, pairs=True, point=read(merged))

    return source


@truthful
def failure_share(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read the share of requests that failed; over all trials, since a trial that fails too often is invalid."""
    trials = [trial for trial in load_trials(results, variant) if trial.requests > 0]
    if not trials:
        return NotMeasured(not_measured="no request was sent to it")
    values = {index: trial.failures / trial.requests for index, trial in enumerate(trials)}
    total = sum(trial.failures for trial in trials) / sum(trial.requests for trial in trials)
    return Sample(values=values, point=total)


def image_of(results: Results, variant: str) -> Image | None:
    """Return a variant's image, None where it was not built."""
    return next((image for image in results.images if image.variant == variant), None)


def scan_of(results: Results, variant: str) -> Scan | None:
    """Return a variant's scan, None where it was not scanned."""
    return next((scan for scan in results.scans if scan.variant == variant), None)


def skipped_programs(scan: Scan) -> tuple[ScanStep, ...]:
    """Return the steps in which a whole scanner could not look, by their names: a program's is in lower case.

    A single rule that cannot look, whose name is an id such as CIS-4.12, is a gap of its own and listed as one.
    """
    return tuple(step for step in scan.steps if isinstance(step.outcome, Skipped) and step.name.islower())


def load_trials(results: Results, variant: str) -> tuple[LoadTrial, ...]:
    """Return a variant's load trials under the run's load profile, valid or not."""
    wanted = results.load_profile
    return tuple(t for t in results.load_trials if t.variant == variant and wanted in (None, t.load_profile))


def idle_stops(results: Results, variant: str) -> tuple[StopTrial, ...]:
    """Return the stops of a variant's containers that were idle."""
    return tuple(trial for trial in results.stop_trials if trial.variant == variant and trial.load is None)


def broken_contract(results: Results, variant: str) -> str:
    """Say that a variant broke its contract in any trial under load, and how; empty where it did not."""
    searched = (one.trial for search in results.capacities if search.variant == variant for one in search.trials)
    loaded = (trial for trial in results.load_trials if trial.variant == variant)
    broken = (each for trial in (*loaded, *searched) for each in trial.broken_guards)
    lie = next((each.evidence for each in broken if each.guard is Guard.CONTRACT_BROKEN), None)
    return "" if lie is None else f"it broke its contract: {lie}"


def valid_load_trials(
    results: Results, variant: str, model: LoadModel = "closed"
) -> tuple[LoadTrial, ...] | NotMeasured:
    """Return the load trials of one model whose figures may be used; where there are none, which guards they broke."""
    every = load_trials(results, variant)
    trials = tuple(trial for trial in every if trial.model == model)
    if every and not trials:
        return NotMeasured(not_measured=NO_SUCH_MODEL.format(model))
    if not trials:
        return NotMeasured(not_measured="it was not loaded")
    lie = broken_contract(results, variant)
    if lie:
        return NotMeasured(not_measured=lie)
    valid = tuple(trial for trial in trials if trial.valid)
    if valid:
        return valid
    guards = Counter(broken.guard.value for trial in trials for broken in trial.broken_guards)
    named = ", ".join(f"{guard} ({count} of {len(trials)})" for guard, count in guards.most_common())
    return NotMeasured(not_measured=f"no valid trial of {len(trials)}: {named}")


def merged_histogram(
    results: Results,
    variant: str,
    histogram: Histogram | None,
    endpoint: str = "all",
    model: LoadModel = "closed",
) -> HdrHistogram | NotMeasured:
    """Return one histogram of all valid trials' latencies.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    trials = valid_load_trials(results, variant, model)
    if isinstance(trials, NotMeasured):
        return trials
    if histogram is None:
        return NotMeasured(not_measured="the latency histograms are not at hand")
    names = [trial.histograms[endpoint] for trial in trials if endpoint in trial.histograms]
    if not names:
        return NotMeasured(not_measured="no latency histogram was kept")
    return histograms.merge(histograms.decode(histogram(name), name) for name in names)


def merged_latency(
    results: Results,
    variant: str,
    histogram: Histogram | None,
    endpoint: str = "all",
    model: LoadModel = "closed",
) -> Percentiles | NotMeasured:
    """Return the percentiles of all valid trials together."""
    merged = merged_histogram(results, variant, histogram, endpoint, model)
    return merged if isinstance(merged, NotMeasured) else histograms.percentiles(merged)


def _of_trials(trials: tuple[LoadTrial, ...], read: Callable[[LoadTrial], float | NotMeasured]) -> Sample | NotMeasured:
    values: dict[int, float] = {}
    reason = ""
    for trial in trials:
        value = read(trial)
        if isinstance(value, NotMeasured):
            reason = value.not_measured
        else:
            values[trial.round] = value
    return Sample(values=values, pairs=True) if values else NotMeasured(not_measured=reason)
