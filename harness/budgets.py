"""Reads the file of budgets: limits on metrics, and how much worse they may become, for variants by pattern."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness import toml_files
from harness.errors import UsageError
from harness.metric_kinds import MetricKind
from harness.metrics import REGISTRY, kind_of
from harness.model import Budget, Model, RegressionThreshold

HINT = (
    "An entry is a [[budget]] with a metric and max or min or both, or a [[regression]] with a metric and worse_by or "
    "more_by; both take variants and a reason."
)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file of budgets holds."""

    budgets: tuple[Budget, ...] = ()
    regressions: tuple[RegressionThreshold, ...] = ()


def load(path: Path, known: Iterable[str] | None = None) -> Limits:
    """Read a TOML file of `[[budget]]` and `[[regression]]` entries.

    Args:
        path: the file.
        known: names of all variants there are; with it, a budget that matches none of them is an error.

    Raises:
        UsageError: the file is missing, is not TOML, has no entry, an unknown key or metric, an entry without a limit,
            with a lower limit above its upper one, or one that matches no known variant.

    """
    raw = toml_files.table(path, "file of budgets", hint=HINT)
    entries = {kind: raw.pop(kind, []) for kind in ("budget", "regression")}
    if raw:
        raise UsageError(f"{path} has the unknown entry {next(iter(raw))!r}.", HINT)
    if not any(entries.values()) or not all(isinstance(one, list) for one in entries.values()):
        raise UsageError(f"{path} holds no [[budget]] and no [[regression]].", HINT)
    names = None if known is None else tuple(known)
    return Limits(
        budgets=tuple(
            _budget(f"{path}, budget {place}", entry, names) for place, entry in enumerate(entries["budget"], start=1)
        ),
        regressions=tuple(
            _regression(f"{path}, regression {place}", entry, names)
            for place, entry in enumerate(entries["regression"], start=1)
        ),
    )


def _budget(where: str, entry: object, known: tuple[str, ...] | None) -> Budget:
    budget = _read(where, entry, Budget)
    _check(where, budget.metric, budget.variants, known)
    limits = [limit for limit in (budget.min, budget.max) if limit is not None]
    if not limits or not all(math.isfinite(limit) for limit in limits) or limits != sorted(limits):
        raise UsageError(f"{where}: {budget.metric} needs max, min, or a min that is not above its max.", HINT)
    return budget


def _regression(where: str, entry: object, known: tuple[str, ...] | None) -> RegressionThreshold:
    threshold = _read(where, entry, RegressionThreshold)
    kind = _check(where, threshold.metric, threshold.variants, known)
    limits = [limit for limit in (threshold.worse_by, threshold.more_by) if limit is not None]
    if not limits or not all(math.isfinite(limit) and limit >= 0 for limit in limits):
        raise UsageError(f"{where}: {threshold.metric} needs worse_by or more_by, and neither below 0.", HINT)
    if threshold.more_by is not None and not kind.lower_is_better:
        raise UsageError(f"{where}: more {kind.title} is better; use worse_by, a share.", HINT)
    return threshold


def _read(where: str, entry: object, model: type[M]) -> M:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "the entry"
        raise UsageError(f"{where}: {name}: {first['msg']}.", HINT) from error


def _check(where: str, metric: str, pattern: str, known: tuple[str, ...] | None) -> MetricKind:
    kind = kind_of(metric)
    if kind is None:
        names = [one.name for one in REGISTRY]
        close = get_close_matches(metric, names, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Metrics are: {', '.join(names)}."
        raise UsageError(f"{where}: there is no metric {metric!r}.", hint)
    if known is not None and not any(fnmatchcase(name, pattern) for name in known):
        raise UsageError(
            f"{where}: {pattern!r} matches no variant.", f"Variants are: {', '.join(sorted(known)) or 'none'}."
        )
    return kind
