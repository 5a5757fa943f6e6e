"""Which findings and vulnerabilities do not count: the ignore file read, and applied with VEX statements; pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints, ValidationError

from harness.errors import UsageError
from harness.model import (
    DecisionReview,
    Finding,
    Model,
    NotMeasured,
    Scan,
    Skipped,
    StaleDecision,
    Suppression,
    Vulnerability,
)
from security.inventory import ecosystem
from security.scanners import hadolint
from security.vex import Statement, judge

HINT = "Each entry is an [[ignore]] with id, component, variant, reason and expiry (a date), all of them required."
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Ignore(Model):
    """One entry of the ignore file."""

    id: Words
    component: Words
    """A pattern of the package's name, or of the finding's place."""
    variant: Words
    """A pattern of variants' names."""
    reason: Words
    expiry: date
    """The last day on which it holds."""

    def covers(self, variant: str, names: Iterable[str], component: str) -> bool:
        """Say whether it is about one finding or vulnerability, its date apart."""
        return (
            fnmatchcase(variant, self.variant)
            and self.id.upper() in {name.upper() for name in names}
            and (component == self.component or fnmatchcase(component, self.component))
        )


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """All that was decided, and where it is written."""

    ignores: tuple[Ignore, ...] = ()
    ignore_file: str = "ignore.toml"
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Scans with every suppressed finding and vulnerability marked, and what became of the entries."""

    scans: tuple[Scan, ...]
    review: DecisionReview


def load(path: Path) -> tuple[Ignore, ...]:
    """Read an ignore file; one without entries is fine.

    Raises:
        UsageError: it is missing, is not TOML, or an entry lacks something, has something unknown, or no date.

    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"The ignore file {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"The ignore file {path} is not TOML: {str(error).splitlines()[0]}", HINT) from error
    entries = raw.pop("ignore", [])
    if raw:
        raise UsageError(f"{path} has the unknown entry {next(iter(raw))!r}.", HINT)
    if not isinstance(entries, list):
        raise UsageError(f"In {path}, `ignore` is not a list of [[ignore]] tables.", HINT)
    return tuple(_ignore(path, place, entry) for place, entry in enumerate(entries, start=1))


def _ignore(path: Path, place: int, entry: object) -> Ignore:
    try:
        return Ignore.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "the entry"
        raise UsageError(f"{path}, entry {place}: {name}: {first['msg']}.", HINT) from error


def apply(scans: Sequence[Scan], decisions: Decisions, *, today: date, variants: Collection[str]) -> Decided:
    """Mark what does not count, and review the entries.

    Marks of an earlier use are taken off first, so a decision that was withdrawn has no effect.

    Args:
        scans: what was found.
        decisions: the ignore file's entries and the VEX statements. Where both cover something, the entry is the mark.
        today: the day on which entries have to hold. On its day of expiry an entry still holds.
        variants: all variants there are, scanned here or not. An entry that names none of them is unused.

    Returns:
        The scans, and the entries that fail the gate: the expired ones, and those of known variants that cover
        nothing. Whether an entry is unused is only told where every variant it names was scanned, and where nothing
        that it may be about was left unlooked at.

    """
    used: set[int] = set()
    marked = tuple(_marked(scan, decisions, today, used) for scan in scans)
    stale = [
        found
        for place, one in enumerate(decisions.ignores)
        if (found := _stale(one, place in used, scans, today, variants)) is not None
    ]
    return Decided(scans=marked, review=DecisionReview(reviewed_on=today, stale=tuple(stale)))


def _marked(scan: Scan, decisions: Decisions, today: date, used: set[int]) -> Scan:
    def ignored(names: Sequence[str], place: str) -> Suppression | None:
        found = None
        for number, entry in enumerate(decisions.ignores):
            if entry.covers(scan.variant, names, place):
                used.add(number)
                if found is None and today <= entry.expiry:
                    found = Suppression(
                        kind="ignored", source=decisions.ignore_file, reason=entry.reason, expires=entry.expiry
                    )
        return found

    def of_finding(one: Finding) -> Finding:
        return one.model_copy(update={"suppressed": ignored((one.id,), one.where)})

    def of_vulnerability(one: Vulnerability) -> Vulnerability:
        mark = ignored((one.id, *one.aliases), one.component) or judge(decisions.statements, one, scan)
        return one.model_copy(update={"suppressed": mark})

    return scan.model_copy(
        update={
            "findings": tuple(of_finding(one) for one in scan.findings),
            "vulnerabilities": tuple(of_vulnerability(one) for one in scan.vulnerabilities),
        }
    )


def _stale(
    entry: Ignore, used: bool, scans: Sequence[Scan], today: date, variants: Collection[str]
) -> StaleDecision | None:
    if today > entry.expiry:
        again = "and what it was about counts again" if used else "and it matches nothing that was found"
        return _said(entry, "expired", f"it expired on {entry.expiry.isoformat()}, {again}")
    if used:
        return None
    named = [name for name in variants if fnmatchcase(name, entry.variant)]
    if not named:
        return _said(entry, "unused", f"no variant matches {entry.variant!r}")
    scanned = {scan.variant: scan for scan in scans}
    if any(name not in scanned or _may_have_missed(scanned[name], entry) for name in named):
        return None
    return _said(entry, "unused", "it matches nothing that was found: take it out, or mend its id, component, variant")


def _may_have_missed(scan: Scan, entry: Ignore) -> bool:
    """Say whether what an entry is about may be there and was not looked at."""
    skipped = {step.name for step in scan.steps if isinstance(step.outcome, Skipped)}
    if entry.id in skipped or (hadolint.NAME in skipped and entry.id.startswith(("DL", "SC"))):
        return True
    blind = {one.ecosystem for one in scan.assessments if one.assessed_by is None}
    if isinstance(scan.components, NotMeasured) or "all" in blind:
        return True
    return any(ecosystem(one) in blind for one in scan.components if blind and fnmatchcase(one.name, entry.component))


def _said(entry: Ignore, kind: Literal["expired", "unused"], message: str) -> StaleDecision:
    return StaleDecision(
        kind=kind,
        id=entry.id,
        component=entry.component,
        variant=entry.variant,
        expires=entry.expiry,
        message=message,
    )
