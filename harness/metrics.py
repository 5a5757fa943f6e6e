"""The registry of metrics, and one run's measurements: each variant's figures, and their ratios to another's."""

from __future__ import annotations

from collections.abc import Mapping

from harness import attacks, capacities, interference, metric_kinds, samples, scan_counts, start_parts, statistics
from harness.metric_kinds import MetricKind
from harness.model import Interval, Metric, NotMeasured, Percentiles, Ratio, Results
from harness.samples import Histogram, LoadModel, Sample

REGISTRY: tuple[MetricKind, ...] = (
    MetricKind(name="size_bytes", title="size", unit="bytes", source=samples.image_figure(samples.own_bytes)),
    MetricKind(
        name="compressed_bytes",
        title="compressed size",
        unit="bytes",
        source=samples.image_figure(samples.own_compressed_bytes),
    ),
    MetricKind(
        name="layers",
        title="number of layers",
        unit="layers",
        source=samples.image_figure(lambda image: len(image.layers)),
    ),
    MetricKind(
        name="efficiency",
        title="efficiency of layers",
        unit="share",
        lower_is_better=False,
        source=scan_counts.file_figure(lambda files: files.efficiency),
    ),
    MetricKind(
        name="wasted_bytes",
        title="wasted bytes",
        unit="bytes",
        source=scan_counts.file_figure(lambda files: files.wasted_bytes),
    ),
    MetricKind(
        name="build_cold_seconds",
        title="build from nothing",
        unit="s",
        source=samples.build_seconds(lambda image: image.build_cold_seconds),
    ),
    MetricKind(
        name="build_cached_seconds",
        title="build from cache",
        unit="s",
        source=samples.build_seconds(lambda image: image.build_cached_seconds),
    ),
    MetricKind(name="startup_seconds", title="start-up", unit="s", source=samples.startup),
    MetricKind(name="start_engine_seconds", title="start-up: engine", unit="s", source=start_parts.engine),
    MetricKind(
        name="start_interpreter_seconds",
        title="start-up: interpreter",
        unit="s",
        source=start_parts.part(lambda one: one.interpreter_seconds),
    ),
    MetricKind(
        name="start_import_seconds",
        title="start-up: import",
        unit="s",
        source=start_parts.part(lambda one: one.import_seconds),
    ),
    MetricKind(
        name="start_import_without_bytecode_seconds",
        title="start-up: import without compiled bytecode",
        unit="s",
        source=start_parts.part(lambda one: one.import_seconds_without_bytecode),
    ),
    MetricKind(name="stop_seconds", title="graceful stop", unit="s", source=samples.stop),
    MetricKind(
        name="stop_lost_requests", title="requests lost at a stop", unit="requests", source=samples.lost_at_stop
    ),
    MetricKind(
        name="capacity_rps",
        title="capacity",
        unit="req/s",
        lower_is_better=False,
        source=samples.capacity,
    ),
    MetricKind(
        name="throughput_rps",
        title="throughput",
        unit="req/s",
        lower_is_better=False,
        source=samples.throughput,
    ),
    *metric_kinds.percentiles("closed"),
    *metric_kinds.percentiles("open"),
    MetricKind(
        name="cpu_ms_per_request",
        title="CPU per request",
        unit="ms",
        source=samples.resource(
            lambda use: (
                use.cpu_seconds_per_request
                if isinstance(use.cpu_seconds_per_request, NotMeasured)
                else use.cpu_seconds_per_request * 1000
            )
        ),
    ),
    MetricKind(
        name="anonymous_memory_bytes",
        title="anonymous memory",
        unit="bytes",
        source=samples.resource(lambda use: use.anonymous_memory_bytes),
    ),
    MetricKind(
        name="peak_memory_bytes",
        title="peak memory with shared cache",
        unit="bytes",
        source=samples.resource(lambda use: use.peak_memory_bytes),
    ),
    MetricKind(name="failure_share", title="failed requests", unit="share", source=samples.failure_share),
    MetricKind(
        name="interference_p99_ratio",
        title="p99 beside neighbours, over undisturbed",
        unit="times",
        source=interference.p99_ratio,
    ),
    MetricKind(name="probes_succeeded", title="probes that succeeded", unit="probes", source=attacks.succeeded),
    *metric_kinds.container_findings(),
    *metric_kinds.findings(),
    *metric_kinds.vulnerabilities(),
)


def kind_of(name: str) -> MetricKind | None:
    """Return a metric's entry in the registry, None where there is no such metric."""
    return next((kind for kind in REGISTRY if kind.name == name), None)


class Measurements:
    """One run's figures, each read once.

    Args:
        results: the run.
        histogram: gives the bytes of a file in `histograms/`; without it no percentile is measured.

    """

    def __init__(self, results: Results, histogram: Histogram | None) -> None:
        self.results = results
        self._histogram = histogram
        self._samples: dict[tuple[str, str], Sample | NotMeasured] = {}
        self._latencies: dict[tuple[str, LoadModel], Percentiles | NotMeasured] = {}

    def sample(self, metric: str, variant: str) -> Sample | NotMeasured:
        """Return the values behind one figure.

        Raises:
            UnreadableOutput: a histogram file is missing or damaged.

        """
        key = (metric, variant)
        if key not in self._samples:
            kind = kind_of(metric)
            if kind is None:
                self._samples[key] = NotMeasured(not_measured=f"there is no metric {metric}")
            else:
                self._samples[key] = kind.source(self.results, variant, self.latency)
        return self._samples[key]

    def latency(self, variant: str, model: LoadModel = "closed") -> Percentiles | NotMeasured:
        """Return a variant's percentiles over its valid trials under one model; see `sample` for the error."""
        key = (variant, model)
        if key not in self._latencies:
            found = samples.merged_latency(self.results, variant, self._histogram, model=model)
            self._latencies[key] = found
        return self._latencies[key]

    def metric(self, name: str, variant: str) -> Metric:
        """Return one figure with its interval, or why there is none. Raises KeyError for an unknown metric."""
        kind = kind_of(name)
        if kind is None:
            raise KeyError(name)
        sample = self.sample(name, variant)
        return Metric(
            name=name,
            title=kind.title,
            unit=kind.unit,
            lower_is_better=kind.lower_is_better,
            value=sample if isinstance(sample, NotMeasured) else sample_interval(sample),
            trials=() if isinstance(sample, NotMeasured) or sample.counted else tuple(sample.values.values()),
        )

    def ratio(self, metric: str, variant: str, baseline: str) -> Ratio | NotMeasured:
        """Return one variant's figure over another's, and whether they differ significantly."""
        ours, theirs = self.sample(metric, variant), self.sample(metric, baseline)
        if isinstance(ours, NotMeasured):
            return ours
        if isinstance(theirs, NotMeasured):
            return NotMeasured(not_measured=f"{baseline}: {theirs.not_measured}")
        return sample_ratio(ours, theirs)

    def better(self, metric: str, variant: str, other: str) -> bool:
        """Say whether a variant beats another in one metric by a significant difference."""
        kind, ratio = kind_of(metric), self.ratio(metric, variant, other)
        if kind is None or isinstance(ratio, NotMeasured) or not ratio.significant:
            return self._counted_better(metric, variant, other)
        return ratio.value < 1 if kind.lower_is_better else ratio.value > 1

    def _counted_better(self, metric: str, variant: str, other: str) -> bool:
        """Compare counts of which one may be zero, so that they have no ratio."""
        ours, theirs = self.sample(metric, variant), self.sample(metric, other)
        if isinstance(ours, NotMeasured) or isinstance(theirs, NotMeasured) or not (ours.counted and theirs.counted):
            return False
        kind = kind_of(metric)
        if kind is not None and not kind.lower_is_better:
            ours, theirs = theirs, ours
        return next(iter(ours.values.values())) < next(iter(theirs.values.values()))


def all_metrics(results: Results, histogram: Histogram | None) -> Mapping[str, Mapping[str, Metric]]:
    """Return every figure of every variant: variant -> metric's name -> metric."""
    measured = Measurements(results, histogram)
    return {
        variant.name: {kind.name: measured.metric(kind.name, variant.name) for kind in REGISTRY}
        for variant in results.variants
    }


def ratio(
    results: Results, metric: str, variant: str, baseline: str, histogram: Histogram | None
) -> Ratio | NotMeasured:
    """Return one variant's figure over the baseline's; see `Measurements.ratio`."""
    return Measurements(results, histogram).ratio(metric, variant, baseline)


def sample_interval(sample: Sample) -> Interval:
    """Return the figure that a sample's values come to, with its interval."""
    values = list(sample.values.values())
    if sample.counted:
        return statistics.exact(values[0])
    if sample.point is not None:
        return statistics.around(sample.point, values)
    return statistics.mean_interval(values)


def sample_ratio(ours: Sample, theirs: Sample) -> Ratio | NotMeasured:
    """Return the ratio of two samples of one metric, by the test that their kind allows."""
    points = [point for point in (ours.point, theirs.point) if point is not None]
    if min(*ours.values.values(), *theirs.values.values(), *points) <= 0:
        return NotMeasured(not_measured="a value is zero, so there is no ratio")
    if ours.counted and theirs.counted:
        return statistics.exact_ratio(next(iter(ours.values.values())), next(iter(theirs.values.values())))
    if ours.step is not None and theirs.step is not None:
        mine, other = (next(iter(one.values.values())) for one in (ours, theirs))
        return capacities.stepped_ratio(mine, other, max(ours.step, theirs.step))
    if ours.pairs and theirs.pairs and ours.values.keys() & theirs.values.keys():
        found = statistics.paired_ratio(ours.values, theirs.values)
    else:
        found = statistics.unpaired_ratio(list(ours.values.values()), list(theirs.values.values()))
    if ours.point is not None and theirs.point is not None:
        method = f"value from merged histograms; interval {found.method}"
        return statistics.with_value(found, ours.point / theirs.point, method)
    return found
