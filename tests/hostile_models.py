"""Fills any type of the model with what an attacker would choose: every free text is hostile, every variant real."""

from __future__ import annotations

import types
from datetime import UTC, date, datetime
from enum import Enum
from itertools import cycle
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from harness.engine import run_profiles
from harness.model import (
    AskedQuestion,
    AskedTable,
    CapacityResult,
    Experiment,
    Hardening,
    Interference,
    Model,
    NotMeasured,
    Results,
    RunProfile,
    SeccompProfile,
    SlicedComparison,
    Soak,
    StartSplit,
    StopTrial,
    Tuning,
)
from tests.results_factory import HOSTILE

T = TypeVar("T", bound=Model)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PARTS: dict[str, type[Model]] = {
    "asked": AskedQuestion,
    "capacities": CapacityResult,
    "experiments": Experiment,
    "hardenings": Hardening,
    "neighbours": Interference,
    "seccomps": SeccompProfile,
    "sliced": SlicedComparison,
    "soaks": Soak,
    "start_splits": StartSplit,
    "stop_trials": StopTrial,
    "tunings": Tuning,
}


class Filler:
    """Makes models whose every free text is one of the hostile ones, in turn.

    Args:
        variant: what stands wherever a variant is named.
        measured: whether figures are there, or the reason why they are not.

    """

    def __init__(self, variant: str, *, measured: bool = True) -> None:
        self._variant = variant
        self._measured = measured
        self._texts = cycle(HOSTILE)
        self._numbers = cycle((3.5, 2.25, 7.0, 0.5))

    def make(self, kind: type[T]) -> T:
        """Return an instance of a model."""
        values = {name: self._value(name, field.annotation) for name, field in kind.model_fields.items()}
        if kind is AskedTable:
            # A figure is found by its column's name.
            for row in values["rows"]:
                row.cells.update(zip((one.name for one in values["columns"]), list(row.cells.values()), strict=False))
        if {"low", "value", "high"} <= values.keys():
            values |= {"low": 0.8, "value": 1.1, "high": 1.4}
        return kind(**values)

    def _value(self, name: str, kind: Any) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if name == "variant":
            return self._variant
        if name in ("histograms", "endpoints"):
            return {}
        if origin is Annotated:
            return self._value(name, inner[0])
        if origin in (Union, types.UnionType):
            return self._choice(name, inner)
        if origin is Literal:
            return inner[-1] if self._measured else inner[0]
        if origin is tuple:
            return tuple(self._value("", inner[0]) for _ in range(2)) if inner[-1] is Ellipsis else ()
        if origin is dict:
            return {self._value("", inner[0]): self._value("", inner[1])}
        return self._plain(kind)

    def _choice(self, name: str, inner: tuple[Any, ...]) -> Any:
        if NotMeasured in inner and not self._measured:
            return NotMeasured(not_measured=next(self._texts))
        return self._value(name, next(one for one in inner if one not in (NotMeasured, type(None))))

    def _plain(self, kind: Any) -> Any:
        if kind is RunProfile:
            return run_profiles.load("hardened")
        if isinstance(kind, type) and issubclass(kind, Model):
            return self.make(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            # Not the first: a broken contract would take all of a variant's figures away.
            return list(kind)[1 if self._measured else -1]
        plain = {bool: self._measured, int: 4, datetime: NOON, date: NOON.date(), type(None): None}
        if kind is float:
            return next(self._numbers)
        return plain[kind] if kind in plain else next(self._texts)


def hostile_parts(results: Results) -> Results:
    """Return results that hold every kind of answer, measured and not, in hostile words."""
    parts: dict[str, Any] = {}
    first, second = results.variants[0].name, results.variants[-1].name
    for name, kind in PARTS.items():
        made: tuple[Model, ...] = (Filler(first).make(kind), Filler(second, measured=False).make(kind))
        if kind is SlicedComparison:
            # One that an experiment made stands there, and not by itself.
            made = tuple(one.model_copy(update={"id": f"duel-{n}"}) for n, one in enumerate(made))
        parts[name] = (*(getattr(results, name) if name == "stop_trials" else ()), *made)
    return results.model_copy(update=parts)
