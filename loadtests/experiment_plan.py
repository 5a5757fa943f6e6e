"""What an experiment is: its question, its arms, its rounds; which trials are its own, and how long it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.engine.client import Engine
from harness.model import Experiment, Image
from loadtests import slices
from loadtests.judging import Measured, Order
from loadtests.questions import Arm
from loadtests.setting import Setting, fingerprint

ROUNDS = 6
LEAST_MEASURED_S = 5.0
"""What drifts within a round moves a shorter trial too much, and a CPU limit shows only over many of its periods."""
DEFAULT_USERS = 32
SLICED_PAIRS = 8
SLICED_SECONDS = 40.0

Question = Literal["hardening", "path", "cpus", "workers", "classes", "process"]
TrialRunner = Callable[[Order, Setting, Engine], Measured]

TITLES: Mapping[Question, str] = {
    "hardening": "What each flag of hardening costs",
    "path": "What the way from client to container costs",
    "cpus": "How it scales with its CPU limit",
    "workers": "How it scales with workers and threads",
    "classes": "What gunicorn's worker classes do",
    "process": "What the container costs against a plain process",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One experiment."""

    question: Question
    image: Image
    arms: Sequence[Arm]
    seed: int
    rounds: int = ROUNDS
    measure_s: float = LEAST_MEASURED_S
    pairs: int = SLICED_PAIRS
    """Of fresh containers, for each arm that goes by slices."""
    sliced_s: float = SLICED_SECONDS
    """Their measured time together."""
    remarks: tuple[str, ...] = ()
    known: Experiment | None = None
    """How far an earlier attempt came."""
    runners: Mapping[str, TrialRunner] = field(default_factory=dict)
    """Arm -> what makes its trials, where that is not a container."""


@dataclass(frozen=True, kw_only=True)
class ArmOrder(Order):
    """A trial of one arm."""

    question: str
    arm: str

    @property
    def id(self) -> str:
        """The trial's name, unique in a run."""
        arm = re.sub(r"[^A-Za-z0-9.]+", "_", self.arm)
        return f"{self.question}-{self.image.variant}-{arm}-r{self.round}-a{self.attempt}"


def steps(plan: Plan) -> int:
    """Return how many steps `run` announces."""
    return plan.rounds * any(arm.method == "rounds" for arm in plan.arms) + sum(
        arm.method == "slices" for arm in plan.arms
    )


def estimate_s(plan: Plan) -> float:
    """Return about how many seconds a step takes, for the user's patience only."""
    by_rounds = sum(arm.method == "rounds" for arm in plan.arms)
    by_slices = sum(arm.method == "slices" for arm in plan.arms)
    whole = plan.rounds * by_rounds * (plan.measure_s + 5.0)
    whole += by_slices * (plan.sliced_s + plan.pairs * slices.SECONDS_AROUND_PAIR)
    return whole / max(1, steps(plan))


def same(plan: Plan, known: Experiment) -> bool:
    """Say whether a kept experiment is the same one: only then its trials are taken over."""
    if known.image_digest != plan.image.digest or known.question != plan.question or known.rounds != plan.rounds:
        return False
    # An older record does not say under which conditions; its names have to do.
    if known.conditions not in ("", conditions(plan)):
        return False
    return [(one.name, one.what) for one in known.arms] == [(one.name, one.what) for one in plan.arms]


def conditions(plan: Plan) -> str:
    """Return the SHA-256 of how an experiment's trials are made."""
    return fingerprint([plan.measure_s, *(arm.setting.conditions for arm in plan.arms)])
