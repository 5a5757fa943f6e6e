"""What a check is, and how the checks in `security/checks/` are found."""

from __future__ import annotations

import importlib
import pkgutil
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from harness.model import Failed, Outcome, Passed, Severity, Skipped

OUTCOMES = (Passed, Failed, Skipped)


class BrokenCheck(Exception):
    """A module among the checks is not one: a fault of this program, not of the user."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a check says about itself.

    Each line of its evidence reads `where: what`.
    """

    id: str
    """In the scheme of the table that it is from (CIS-4.1, DKL-LI-0001), or SEA- for this project's own."""
    title: str
    severity: Severity
    rationale: str
    remediation: str
    good: Sequence[Any]
    """Subjects that must pass."""
    bad: Sequence[Any]
    """Subjects that must fail."""
    unclear: Sequence[Any] = field(default=())
    """Subjects that must be skipped, with a reason."""
    one_finding_each: bool = False
    """Each line of evidence is a finding of its own, since each has a remedy of its own."""


@dataclass(frozen=True, kw_only=True)
class LoadedCheck:
    """A check with its test and the type of what the test reads."""

    check: Check
    subject: type
    test: Callable[[Any], Outcome]


def discover(package: ModuleType | None = None) -> tuple[LoadedCheck, ...]:
    """Return every check of the package (default: `security.checks`), by id.

    Raises:
        BrokenCheck: a module there has no CHECK or no `test`, or two checks share an id.

    """
    folder = package or importlib.import_module("security.checks")
    found: dict[str, LoadedCheck] = {}
    for info in pkgutil.iter_modules(folder.__path__):
        loaded = _load(importlib.import_module(f"{folder.__name__}.{info.name}"))
        if loaded.check.id in found:
            raise BrokenCheck(f"Two checks have the id {loaded.check.id}; one is in {info.name}.py.")
        found[loaded.check.id] = loaded
    return tuple(found[key] for key in sorted(found, key=_order))


def failed_or_passed(evidence: Sequence[str]) -> Passed | Failed:
    """Return Failed with the evidence, sorted and without doubles, or Passed where there is none."""
    return Failed(evidence=tuple(sorted(set(evidence)))) if evidence else Passed()


def _load(module: ModuleType) -> LoadedCheck:
    check = getattr(module, "CHECK", None)
    test = getattr(module, "test", None)
    if not isinstance(check, Check) or not callable(test):
        raise BrokenCheck(f"{module.__name__} needs `CHECK = Check(...)` and a function `test(subject)`.")
    hints = {name: hint for name, hint in typing.get_type_hints(test).items() if name != "return"}
    if len(hints) != 1:
        raise BrokenCheck(f"{module.__name__}.test takes one subject, with its type.")
    if not check.good or not check.bad:
        raise BrokenCheck(f"{module.__name__} needs good and bad examples: they are its tests.")
    return LoadedCheck(check=check, subject=next(iter(hints.values())), test=test)


def _order(identifier: str) -> tuple[tuple[int, int | str], ...]:
    """Sort CIS-4.10 after CIS-4.9."""
    words = identifier.replace("-", ".").split(".")
    return tuple((0, int(word)) if word.isdigit() else (1, word) for word in words)
