"""What the sliced comparison of two containers measures."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from harness.model.base import Model, NotMeasured
from harness.model.judged import Ratio
from harness.model.trials import BrokenGuard, Percentiles


class SlicedSide(Model):
    """One of the two sides of a sliced comparison: what was run, and how."""

    variant: str
    image_digest: str
    run_profile: str
    base: str
    """The base image's name and where it came from."""
    stand_in_for: str | None = None
    interpreter: str
    """Implementation, version and build flags."""
    workers: str
    """What image and side state of workers and threads, or that they state nothing."""


class SlicedFigures(Model):
    """What one side of one pair of containers did in its slices."""

    requests: int
    """Counted ones; the request that opens a slice is not."""
    failures: int
    busy_seconds: float
    """Time in which the server had a request to answer."""
    throughput_rps: float
    """Counted requests a busy second."""
    connections: int
    """How many were set up; one, where the server keeps them."""
    latency: Percentiles | NotMeasured
    cpu_seconds_per_request: float | NotMeasured
    histogram: str | None = None
    """File in the run's `histograms/`."""


class SlicedPair(Model):
    """One pair of fresh containers that ran at once, asked in turn; the unit of the statistics."""

    index: int
    attempt: int
    started_at: datetime
    seed: int
    first_started: Literal["a", "b"]
    """It was connected to and examined first too."""
    measured_seconds: float
    """Both sides together, what lies between slices included."""
    slice_log_ratios: tuple[float, ...]
    """Of each pair of slices: the logarithm of B's median request time over A's."""
    log_request_time: float | NotMeasured
    """Their median; of several endpoints, the mean of the endpoints' medians, weighted by their slices."""
    log_throughput: float | NotMeasured
    """Of the slices' requests per busy second, B's over A's: the mean, a fifth trimmed off either end."""
    a: SlicedFigures | NotMeasured
    b: SlicedFigures | NotMeasured
    generator_cpu_share: float | NotMeasured
    answers_verified: int
    """Headers and all; status and body are compared of every answer."""
    broken_guards: tuple[BrokenGuard, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the pair may be used."""
        return not self.broken_guards


class SlicedComparison(Model):
    """Whether B is slower than A: both at once on one core, asked in turn in slices; ratios are of B over A."""

    id: str
    a: SlicedSide
    b: SlicedSide
    without_quota: bool
    """Whether the CPU limits of the run profiles were taken off on both sides."""
    endpoints: dict[str, int]
    connections: int
    slice_seconds: float
    seconds: float
    """Measured time that was asked for, all pairs and both sides together."""
    seed: int
    target_cpus: str
    generator_cpus: str
    conditions: str = ""
    """SHA-256 of how both were started and asked: pairs made otherwise are no part of it. Empty in older records."""
    pairs_wanted: int | None = None
    """How many pairs were asked for; None in older records."""
    pairs: tuple[SlicedPair, ...]
    """Invalid ones among them."""
    request_time: Ratio | NotMeasured
    """The judgement: from sending a request (or connecting for it) to its last byte, or to the server's close. Of each
    pair of slices the medians' ratio, of these the median: above 1 B is slower. What befalls few requests is not in it.
    """
    throughput: Ratio | NotMeasured
    """Requests per busy second of slices, trimmed: rare slow answers count where they are in most slices."""
    throughput_untrimmed: Ratio | NotMeasured
    """All counted requests over all busy seconds: everything counts, every neighbour's noise too."""
    latency_p99: Ratio | NotMeasured
    cpu_seconds_per_request: Ratio | NotMeasured

    @property
    def sides(self) -> tuple[SlicedSide, SlicedSide]:
        """A and B."""
        return (self.a, self.b)

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        figures = [one for pair in self.pairs for one in (pair.a, pair.b) if isinstance(one, SlicedFigures)]
        return tuple(one.histogram for one in figures if one.histogram)
