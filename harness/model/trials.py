"""What one trial measures: starts, stops, load, and the guards that void it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from harness.model.base import Model, NotMeasured


class Guard(StrEnum):
    """Why a trial is invalid; the values are part of the results."""

    CONTRACT_BROKEN = "contract broken"
    FAILURES = "failures over the limit"
    GENERATOR_SATURATED = "generator saturated while the target was not"
    RATE_NOT_MET = "offered rate not met"
    OFF_SCHEDULE = "generator off its schedule"
    LITTLES_LAW = "Little's law violated"
    RESTARTED = "container restarted"
    EXITED = "container exited"
    OUT_OF_MEMORY = "container ran out of memory"
    THROTTLED = "container throttled without a CPU limit"
    CLOCK_STEPPED = "clock stepped"
    CORE_SHARED = "target's core was shared with other programs"
    TIMED_OUT = "trial took longer than it may"


class BrokenGuard(Model):
    """A guard that a trial broke, with the evidence in a sentence."""

    guard: Guard
    evidence: str


class StartTrial(Model):
    """One start: from the engine's run command to the first correct answer."""

    id: str
    variant: str
    image_digest: str
    run_profile: str
    index: int
    started_at: datetime
    seconds_to_first_answer: float | NotMeasured
    engine_seconds: float | None = None
    """Part of it: the engine's create and start, until it says that the process runs. None in older records."""


class StartSplit(Model):
    """Where a start's time goes, timed inside a fresh container of the image: interpreter, then import of the app."""

    id: str
    variant: str
    image_digest: str
    run_profile: str
    index: int
    started_at: datetime
    imported: tuple[str, ...]
    """What was imported: the modules or the script that the image's command begins with."""
    interpreter_seconds: float | NotMeasured
    """From starting the interpreter to the first line of code."""
    import_seconds: float | NotMeasured
    interpreter_seconds_without_bytecode: float | NotMeasured
    """The same where compiled bytecode is left aside, and every module compiled from its source."""
    import_seconds_without_bytecode: float | NotMeasured


class StopLoad(Model):
    """What became of the requests of closed users while their target was stopped."""

    users: int
    answered: int
    """Rightly, before the stop and after it."""
    lost: int
    """Sent on a connection that was taken, and never answered whole."""
    lost_on_kept_connections: int
    """Of those, on a kept connection that was closed without a byte of an answer: clients mostly send these again."""
    wrong: int
    refused: int
    """Never taken, since nothing listened any more: no loss where a load balancer sends them elsewhere."""
    examples: tuple[str, ...]


class StopTrial(Model):
    """One graceful stop of a container: SIGTERM, then up to `timeout_s` before the engine kills it."""

    id: str
    variant: str
    image_digest: str
    run_profile: str
    index: int
    started_at: datetime
    timeout_s: float
    seconds: float
    exit_code: int
    killed: bool
    """True where the process ignored SIGTERM until the engine killed it."""
    load: StopLoad | NotMeasured | None = None
    """None: the container was idle."""


class Percentiles(Model):
    """Latencies in milliseconds, read from one merged histogram."""

    p50_ms: float
    p75_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float
    mean_ms: float


class EndpointFigures(Model):
    """One journey step's share of a trial."""

    requests: int
    failures: int
    throughput_rps: float
    latency: Percentiles | NotMeasured


class ResourceUse(Model):
    """What the target's cgroup said over the measured part of a trial, through the engine's API."""

    cpu_seconds: float | NotMeasured
    cpu_seconds_per_request: float | NotMeasured
    cpu_share: float | NotMeasured
    """CPU seconds over wall seconds; 1.0 is one core."""
    throttled_seconds: float
    memory_samples: int
    anonymous_memory_bytes: int | NotMeasured
    """The largest sample of `rss` (cgroup v1) or `anon` (v2)."""
    peak_memory_bytes: int | NotMeasured
    """The kernel's own peak; includes shared page cache, so it depends on who read a layer first."""


class GeneratorUse(Model):
    """The load generator's own state over the measured part of a trial."""

    cpu_share: float
    """CPU seconds over wall seconds: of all its processes over its cores, or of the busiest over one, which is more.

    Without the time in which it only looked for answers. Over 0.9 it was the bottleneck, unless the target was as busy.
    """
    processes: int
    client: str
    """What sent the requests: `lean` is Seatrial's own client; older records have Locust's `FastHttpUser`."""
    looking_share: float | None = None
    """CPU seconds in which it only looked for answers, over wall seconds and its cores; 0: the kernel woke it for each.

    Older records do not say.
    """


class LoadTrial(Model):
    """One trial: one fresh container of one variant under one load profile, once."""

    id: str
    variant: str
    image_digest: str
    round: int
    attempt: int
    load_profile: str
    run_profile: str
    model: Literal["closed", "open"]
    started_at: datetime
    warmup_seconds: float
    measured_seconds: float
    users: int
    """Closed model; 0 in the open one."""
    offered_rps: float | None = None
    """Open model: arrivals a second that were due."""
    requests: int
    failures: int
    throughput_rps: float
    """Answers that were no failure, a second; an invalid trial's is no measurement."""
    latency: Percentiles | NotMeasured
    """Closed model: from sending to the last byte. Open model: from the moment the request was due."""
    service_latency: Percentiles | NotMeasured | None = None
    """Open model: from sending to the last byte; None in the closed one, where `latency` is that."""
    endpoints: dict[str, EndpointFigures]
    histograms: dict[str, str]
    """Endpoint (and `all`) -> file in the run's `histograms/`: an HdrHistogram, V2 compressed, in microseconds.

    An open trial's response times; its service times are under `all (service time)`.
    """
    resources: ResourceUse | NotMeasured
    generator: GeneratorUse | NotMeasured
    foreign_cpu_share: float | NotMeasured | None = None
    """Share of the target's core that other programs took while it was measured, or other machines on the same host.

    The engine's own work is in it, interrupts are not. Where the generator has the same core, it is one of them.
    """
    answers_verified: int
    """How many answers were compared whole with the contract: before, during and after the load."""
    broken_guards: tuple[BrokenGuard, ...] = ()
    target_cpus: str
    generator_cpus: str
    user: str | None = None
    """Whom the target ran as, by its image or the run profile; empty for root. None in older records."""

    @property
    def valid(self) -> bool:
        """Whether the trial's figures may be used."""
        return not self.broken_guards


Trial = StartTrial | StartSplit | StopTrial | LoadTrial
