"""Load profiles: how much load, how long, how often; TOML files in `loadtests/profiles/`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from harness import toml_files
from harness.model import Model

FOLDER = Path(__file__).resolve().parent / "profiles"


class CapacityPlan(Model):
    """How a variant's capacity is searched for."""

    p99_ms: float = Field(gt=0, le=60_000)
    """The objective: p99 from the moment a request was due, and not one request fails."""
    tolerance: float = Field(default=0.05, ge=0.01, le=0.5)
    """The size of a step, as a share."""
    start_rps: float = Field(default=200.0, gt=0, le=100_000)
    """The first rate, where no closed trial gives a better guess."""
    least_rps: float = Field(default=5.0, gt=0, le=100_000)
    """Where the search gives up."""
    warmup_s: float = Field(default=2.0, ge=0, le=3600)
    measure_s: float = Field(default=10.0, gt=0, le=86_400)
    """Of one trial, at the least."""
    least_requests: int = Field(default=1000, ge=1, le=10_000_000)
    """So many are wanted in a window, for a p99 that a hundredth of them lies above; a low rate takes longer for it."""
    most_trials: int = Field(default=40, ge=8, le=1000)


class LoadProfile(Model):
    """What one run does to each variant. At least one of `users` and `rate` is given."""

    name: str
    title: str
    rounds: int = Field(default=3, ge=1, le=1000)
    """Trials of each variant and model, interleaved."""
    users: int | None = Field(default=None, ge=1, le=4096)
    """Closed model: how many ask without a pause."""
    rate: float | None = Field(default=None, gt=0, le=100_000)
    """Open model: arrivals a second."""
    arrivals: Literal["constant", "poisson"] = "constant"
    warmup_s: float = Field(default=1.0, ge=0, le=3600)
    measure_s: float = Field(default=5.0, gt=0, le=86_400)
    starts: int = Field(default=5, ge=0, le=1000)
    """Start-up trials a variant."""
    splits: int = Field(default=0, ge=0, le=1000)
    """Starts a variant whose time is split into interpreter and import."""
    stops: int = Field(default=1, ge=0, le=100)
    """Graceful stops a variant."""
    loaded_stops: int = Field(default=0, ge=0, le=100)
    """Graceful stops a variant under the closed load."""
    stop_timeout_s: int = Field(default=10, ge=1, le=600)
    """Seconds after SIGTERM until the engine kills."""
    capacity: CapacityPlan | None = None
    """None: capacity is not searched for."""
    journeys: dict[str, int] = Field(default_factory=dict)
    """Endpoint of the contract -> weight; empty: the contract's own mix."""
    failure_share_max: float = Field(default=0.001, ge=0, le=1)
    foreign_share_max: float = Field(default=0.25, ge=0, le=1)
    """Share of the target's core that other programs may take before a trial is invalid; 1 is any."""
    repeats: int = Field(default=2, ge=0, le=100)
    """How often an invalid trial is repeated."""
    sample_share: float = Field(default=0.05, gt=0, le=1)
    """Share of the answers under load that are compared whole with the contract."""
    ready_timeout_s: float = Field(default=30.0, gt=0, le=3600)
    request_timeout_s: float = Field(default=10.0, gt=0, le=3600)

    @model_validator(mode="after")
    def _loads(self) -> LoadProfile:
        if self.users is None and self.rate is None:
            raise ValueError("`users` (closed model), `rate` (open model) or both must be given")
        if any(weight < 0 for weight in self.journeys.values()) or (self.journeys and not any(self.journeys.values())):
            raise ValueError("the weights of `journeys` must not be negative, nor all zero")
        return self

    @property
    def models(self) -> tuple[Literal["closed", "open"], ...]:
        """The models of load that it asks for."""
        closed: tuple[Literal["closed"], ...] = ("closed",) if self.users is not None else ()
        return (*closed, "open") if self.rate is not None else closed


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the load profiles that there are."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str, folder: Path = FOLDER) -> LoadProfile:
    """Read a load profile by name, or by the path of a TOML file.

    Raises:
        UsageError: there is no such profile, or it cannot be used.

    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    return toml_files.read(
        path, LoadProfile, "load profile", given={"name": path.stem}, missing=f"There are: {', '.join(names(folder))}."
    )
