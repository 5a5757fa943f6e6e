"""A whole run: where it was measured, and all of its parts."""

from __future__ import annotations

from datetime import datetime

from harness.model.answers import CapacityResult, Experiment, Soak, Tuning
from harness.model.asked import AskedQuestion
from harness.model.base import SCHEMA_VERSION, Model
from harness.model.findings import DecisionReview, Scan
from harness.model.hardening import Hardening
from harness.model.images import Image, Variant
from harness.model.judged import Preference, Verdict
from harness.model.neighbours import Interference
from harness.model.running import RunProfile
from harness.model.seccomp import SeccompProfile
from harness.model.sliced import SlicedComparison
from harness.model.trials import LoadTrial, StartSplit, StartTrial, StopTrial


class Environment(Model):
    """The machine, the engine and the programs of a run."""

    seatrial_version: str
    python: str
    engine: str
    engine_version: str
    engine_api: str
    engine_source: str
    """How the engine was found: DOCKER_HOST, context, running, podman, own."""
    storage_driver: str
    cgroup_version: str
    architecture: str
    kernel: str
    operating_system: str
    cores: int
    memory_bytes: int
    tools: dict[str, str]
    """Scanner or browser -> version; an absent one is not in it."""
    engine_id: str = ""
    """The engine's own id, hashed: it tells one machine from its twin. Empty in older records."""


class Calibration(Model):
    """A fixed pure-Python loop, timed on the target's core before each round: the machine's own drift."""

    round: int
    seconds: float


class RunInfo(Model):
    """What one use of the command is about, and where it was measured."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    started_at: datetime
    finished_at: datetime | None
    """None while the run goes on, or where it was stopped."""
    load_profile: str | None
    run_profile: str | None
    run_profile_used: RunProfile | None = None
    """The run profile itself, as it was read; None in older records and where nothing was started."""
    conditions: dict[str, str] = {}
    """SHA-256 of the load profile, the run profile and the contract: trials under others are no part of this run."""
    seed: int | None
    baseline_variant: str | None
    environment: Environment
    settings: dict[str, str]


class Results(RunInfo):
    """A whole run, assembled from its parts; enough to redo comparison and report without an engine."""

    variants: tuple[Variant, ...]
    images: tuple[Image, ...]
    start_trials: tuple[StartTrial, ...]
    start_splits: tuple[StartSplit, ...] = ()
    stop_trials: tuple[StopTrial, ...]
    load_trials: tuple[LoadTrial, ...]
    calibrations: tuple[Calibration, ...]
    capacities: tuple[CapacityResult, ...] = ()
    scans: tuple[Scan, ...]
    hardenings: tuple[Hardening, ...] = ()
    seccomps: tuple[SeccompProfile, ...] = ()
    sliced: tuple[SlicedComparison, ...] = ()
    soaks: tuple[Soak, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    tunings: tuple[Tuning, ...] = ()
    neighbours: tuple[Interference, ...] = ()
    decisions: DecisionReview | None = None
    """None where no decision was applied yet."""
    verdicts: tuple[Verdict, ...]
    preference: Preference | None = None
    """What the pick was asked to weigh; None: Seatrial's own rule."""
    asked: tuple[AskedQuestion, ...] = ()
    """What it answers, made from all of the above; empty in older records."""
