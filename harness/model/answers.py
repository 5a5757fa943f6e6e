"""What several trials together answer: capacity, costs, tuning, soaks."""

from __future__ import annotations

from typing import Literal

from harness.model.base import Model, NotMeasured
from harness.model.judged import Interval, Ratio
from harness.model.trials import LoadTrial, Percentiles, StartTrial


class RateTrial(Model):
    """One open trial of a search for capacity, and what it said of its rate."""

    purpose: Literal["search", "confirm", "step up"]
    outcome: Literal["held", "missed", "beyond the generator", "void", "wrong answers"]
    reason: str
    """Why it was not held; empty where it was."""
    trial: LoadTrial


class Answer(Model):
    """What was found out about one variant by more than a round of trials; kept as it comes, so that it can go on."""

    variant: str
    image_digest: str
    run_profile: str
    conditions: str = ""
    """SHA-256 of how its trials are made: those made otherwise are no part of it. Empty in older records."""
    finished: bool

    @property
    def name(self) -> str:
        """The stem of its file in the run's folder."""
        return f"{self.variant}-{self.run_profile}"

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        return ()


class CapacityResult(Answer):
    """The highest rate that a variant holds: p99 stays within the objective, and no request fails."""

    load_profile: str
    configuration: str = ""
    """Which of several configurations of the variant; empty where there is only its own."""
    objective_p99_ms: float
    """From the moment at which a request was due."""
    tolerance: float
    """The size of a step, as a share of the rate."""
    start_rps: float
    capacity_rps: float | NotMeasured
    """The highest rate that held in three fresh trials."""
    step_up_rps: float | None = None
    """The next step up, which was missed in two of three trials; None where it was not."""
    confirmed: bool = False
    """Whether both are so: held three times, and the step up missed in two of three."""
    at_least: bool = False
    """The generator was at its end before the variant was: its capacity is this or more."""
    remark: str = ""
    """Why it is not confirmed; empty where it is."""
    trials: tuple[RateTrial, ...] = ()

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        return tuple(name for one in self.trials for name in one.trial.histograms.values())


class ArmResult(Model):
    """One row of an experiment: one way to start or reach a variant, and what it costs."""

    name: str
    what: str
    """What it differs in, in words."""
    baseline: str | None
    """The row that it is set against; None for one that is itself such a row."""
    method: Literal["rounds", "slices"]
    trials: tuple[LoadTrial, ...] = ()
    """By rounds; invalid ones among them."""
    sliced: str | None = None
    """By slices: the id of the comparison."""
    throughput_rps: Interval | NotMeasured
    latency: Percentiles | NotMeasured
    """Of all valid trials together."""
    cpu_ms_per_request: Interval | NotMeasured
    throughput_ratio: Ratio | NotMeasured | None = None
    """Over the baseline row; None for that row itself."""
    cpu_ratio: Ratio | NotMeasured | None = None
    p99_ratio: Ratio | NotMeasured | None = None
    endpoint: str = ""
    """The one endpoint that was asked; empty for the load profile's mix."""
    memory_bytes: Interval | NotMeasured | None = None
    """Anonymous memory; None in older records, and by slices."""
    memory_ratio: Ratio | NotMeasured | None = None
    starts: tuple[StartTrial, ...] = ()
    """From the engine's run command to the first correct answer, where they belong to the question."""
    startup_seconds: Interval | NotMeasured | None = None
    startup_ratio: Ratio | NotMeasured | None = None


class Experiment(Answer):
    """One variant in several ways, one thing changed at a time: what hardening, the network path or a limit costs."""

    question: Literal["hardening", "path", "cpus", "workers", "classes", "process"]
    title: str
    load_profile: str
    users: int
    rounds: int
    arms: tuple[ArmResult, ...]
    remarks: tuple[str, ...] = ()
    """What a reader has to know beside the figures."""

    @property
    def name(self) -> str:
        """The stem of its file in the run's folder."""
        return f"{self.question}-{self.variant}"

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        return tuple(name for arm in self.arms for one in arm.trials for name in one.histograms.values())


class Configuration(Model):
    """One way to set gunicorn's workers: what a container finds in GUNICORN_CMD_ARGS; empty for the image's own way."""

    name: str
    arguments: str
    why: str = ""
    """Whose advice it is."""


class RaceTrial(Model):
    """One trial of a race between configurations."""

    configuration: str
    outcome: Literal["held", "missed", "beyond the generator", "void", "wrong answers"]
    reason: str
    trial: LoadTrial


class Tuning(Answer):
    """The search for the configuration of gunicorn with the highest capacity under given limits."""

    cpus: float | None
    memory_bytes: int | None
    objective_p99_ms: float
    tolerance: float
    start_rps: float
    seed: int
    configurations: tuple[Configuration, ...]
    advice: str
    """The configuration that gunicorn's usual advice gives: the one that the gain is over."""
    race: tuple[RaceTrial, ...] = ()
    finals: dict[str, CapacityResult] = {}
    """Configuration -> its capacity: those that were left in the race, and the advice's."""
    best: str | None = None
    """The configuration with the highest confirmed capacity."""
    gain: Ratio | NotMeasured
    """Its capacity over that of the advice."""
    remarks: tuple[str, ...] = ()

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        race = (name for one in self.race for name in one.trial.histograms.values())
        return (*race, *(name for one in self.finals.values() for name in one.histogram_files))


class MemorySample(Model):
    """One reading of a container's anonymous memory; seconds since the measured window began."""

    seconds: float
    anonymous_bytes: int


class Soak(Answer):
    """One container under an open load for long: whether its memory grows with the requests that it answers."""

    load_profile: str
    offered_rps: float
    share_of_capacity: float | None
    """None where the rate was given."""
    bytes_per_thousand_requests: Interval | NotMeasured
    """Growth of anonymous memory; `leaks` and this rest on the offered rate, so a thousand requests that were due."""
    bytes_per_thousand_requests_later: Interval | NotMeasured
    """The same in the second half alone."""
    leaks: bool | None
    """Whether both are above zero; None where that cannot be told."""
    method: str
    samples: tuple[MemorySample, ...]
    trial: LoadTrial

    @property
    def histogram_files(self) -> tuple[str, ...]:
        """The files in the run's `histograms/` that belong to it."""
        return tuple(self.trial.histograms.values())
