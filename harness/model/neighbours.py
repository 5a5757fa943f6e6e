"""What a neighbour does to a victim under load: rows of trials, what stopped the neighbour, what each limit buys."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from harness.model.answers import Answer
from harness.model.base import Model, NotMeasured
from harness.model.judged import Interval, Ratio
from harness.model.trials import LoadTrial


class NeighbourKind(StrEnum):
    """What a neighbour does; the values are part of the results."""

    CPU = "burns CPU"
    MEMORY = "allocates memory"
    FORK = "forks"
    DISK = "writes to disk"
    PAGE_CACHE = "fills the page cache"
    SOCKETS = "opens sockets"
    FLOOD = "floods the victim"


class NeighbourCaps(Model):
    """The harness's own limits, which stand above those that are tried: "without limits" is within these."""

    memory_bytes: int
    """Of the neighbour's container, swap included."""
    asked_memory_bytes: int
    """What it allocates, or keeps in the page cache, at most at once."""
    pids: int
    processes: int
    """How many it forks at most at once."""
    open_files: int
    sockets: int
    file_bytes: int
    """The largest file, by the kernel's limit (`fsize`)."""
    written_bytes: int
    """What it writes in one trial, all together."""
    flood_connections: int
    busy_processes: int
    seconds: float
    """How long one neighbour may be at it."""


class NeighbourLimit(Model):
    """One limit on the neighbour that can be set alone."""

    name: str
    """`cpus`, `memory`, `pids`, `disk`, `files` or `network`."""
    what: str
    """It and its value, in words."""


class StoppedBy(Model):
    """What held a neighbour up in one trial."""

    limit: str
    """A `NeighbourLimit`'s name; `harness` for one of the harness's own."""
    how: str
    """`OOM kill`, `EAGAIN`, `ENOSPC`, `CPU throttled`, `EMFILE` and the like."""
    count: int
    """How often within the trial."""
    evidence: str


class NeighbourSeen(Model):
    """What one neighbour did in one trial."""

    did: dict[str, float]
    """What it counted: bytes, processes, sockets, requests."""
    stopped_by: tuple[StoppedBy, ...]
    """Empty where nothing did."""
    cpu_share: float | NotMeasured
    """Of one core, while the victim was measured."""
    throttled_seconds: float | NotMeasured
    most_memory_bytes: int | NotMeasured
    """The kernel's peak of its container."""
    ended: str
    """How its container ended, where it did so by itself before it was told to; else empty."""


class VictimFate(StrEnum):
    """What became of the victim's container."""

    UNHARMED = "unharmed"
    RESTARTED = "restarted"
    OUT_OF_MEMORY = "killed at its memory limit"
    ENDED = "ended"


class NeighbourTrial(Model):
    """One trial of a victim beside a neighbour, or undisturbed."""

    outcome: Literal["held", "not held", "wrong answers", "void"]
    """`not held`: the victim did not serve what was offered: rate, failures, or its life. That is a result.
    `void`: it says something of the machine only, and is made again.
    """
    reason: str
    """Empty where it was held."""
    victim: VictimFate
    neighbour: NeighbourSeen | None
    """None for an undisturbed trial."""
    trial: LoadTrial


class NeighbourRow(Model):
    """One kind of neighbour, at one load, under one choice of limits; or the undisturbed victim."""

    id: str
    kind: NeighbourKind | None
    """None: undisturbed."""
    share: float
    """Of the victim's capacity."""
    offered_rps: float
    victim_limited: bool
    """Whether the victim had its run profile's limits."""
    limits: tuple[str, ...]
    """Names of the limits that the neighbour had."""
    purpose: Literal["grid", "one limit", "smallest set"]
    """`grid`: with and without limits on either; `one limit`: what one buys; `smallest set`: to confirm it."""
    baseline: str | None
    """The undisturbed row that it is set against: same load, same limits of the victim. None for such a row."""
    held: int
    """Rounds in which the victim served what was offered."""
    not_held: int
    """Rounds in which it did not, wrong answers among them."""
    void: int
    """Rounds of which no attempt says anything."""
    p99_ms: Interval | NotMeasured
    """From the moment a request was due; only where every round was held, since the others have no such figure."""
    p99_ratio: Ratio | NotMeasured | None = None
    """Over the undisturbed row, paired by round; None for that row itself."""
    requests: int
    failures: int
    """Over all rounds, those not held among them."""
    victim: VictimFate
    """The worst of all rounds."""
    stopped_by: tuple[StoppedBy, ...] = ()
    """Of all rounds together, counts added."""
    neighbour_cpu_share: Interval | NotMeasured | None = None
    trials: tuple[NeighbourTrial, ...] = ()


class LimitGain(Model):
    """What one limit buys the victim, or several together, against one kind, at one load."""

    limit: str
    """A `NeighbourLimit`'s name; or which limits together, in words: all of the neighbour's, the victim's own, both."""
    kind: NeighbourKind
    share: float
    without: str
    """The row without any limit."""
    alone: str
    """The row with this, and no more."""
    p99_ratio_without: Ratio | NotMeasured
    """Over undisturbed."""
    p99_ratio_with: Ratio | NotMeasured
    gain: Ratio | NotMeasured
    """p99 with the limit over p99 without, paired by round: below 1 it buys something."""
    stopped_by: tuple[StoppedBy, ...]
    """What stopped the neighbour under it."""


class SmallestSet(Model):
    """The fewest limits that keep the victim's p99 within a factor of undisturbed, beside every kind that was tried."""

    factor: float
    limits: tuple[str, ...] | NotMeasured
    """On the neighbour; empty where none is needed. Not measured: no set that was tried does it, and why."""
    victim_limited: bool = False
    """Whether the victim's own limits are part of it."""
    by_kind: dict[NeighbourKind, tuple[str, ...]] = {}
    """What each kind alone needs."""
    unheld: tuple[NeighbourKind, ...] = ()
    """Kinds beside which nothing that was tried keeps it."""
    confirmed: bool = False
    """Whether fresh trials of all kinds at all loads, under just this set, kept it too."""
    certain: bool = False
    """Whether their intervals lie within the factor, and not their values only."""
    remark: str = ""


class Interference(Answer):
    """One variant as the victim of neighbours on its core: with and without limits on either, at shares of capacity."""

    load_profile: str
    size: str
    """`smoke`, `quick` or `full`."""
    capacity_rps: float
    capacity_from: str
    """Where that comes from, in words."""
    shares: tuple[float, ...]
    """Of capacity, that are offered."""
    kinds: tuple[NeighbourKind, ...]
    rounds: int
    warmup_s: float
    measure_s: float
    seed: int
    victim_limits: str
    """What the victim's run profile limits, in words."""
    neighbour_profile: str
    """The run profile that the neighbour's limits come from."""
    neighbour_limits: tuple[NeighbourLimit, ...]
    caps: NeighbourCaps
    victim_cpus: str
    neighbour_cpus: str
    generator_cpus: str
    factor: float
    rows: tuple[NeighbourRow, ...] = ()
    gains: tuple[LimitGain, ...] = ()
    smallest: SmallestSet | NotMeasured
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The stem of its file in the run's folder."""
        return self.variant

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        return tuple(name for row in self.rows for one in row.trials for name in one.trial.histograms.values())
