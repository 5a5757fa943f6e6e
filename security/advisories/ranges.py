"""Whether an OSV record affects a version: the evaluation that the OSV schema (1.6, "evaluation") prescribes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

from security.advisories.versions import InvalidVersion, Scheme

EventKind = Literal["introduced", "fixed", "last_affected", "limit"]
EVENT_KINDS: tuple[EventKind, ...] = ("introduced", "fixed", "last_affected", "limit")


@dataclass(frozen=True, slots=True)
class Event:
    """One turn in a range: from this version on it is affected, or no longer."""

    kind: EventKind
    version: str


@dataclass(frozen=True, slots=True)
class Affected:
    """What one record says of one package: versions that it lists, and ranges of them (never GIT's)."""

    versions: tuple[str, ...] = ()
    ranges: tuple[tuple[Event, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer: is the version affected, by which part of the record, and where does that end."""

    affected: bool
    fixed_version: str | None = None
    """The end of the range that the version lies in; None where it has none or only a last affected version."""
    why: str = ""
    unreadable: tuple[str, ...] = ()
    """Bounds that are no versions in the scheme: their ranges could not be evaluated."""


def evaluate(version: str, affected: Affected, scheme: Scheme) -> Evaluation:
    """Say whether a version is affected.

    Raises:
        InvalidVersion: the version is none in the scheme, and the record's list does not hold it as it is written.

    """
    unreadable: list[str] = []
    try:
        mine = scheme(version)
    except InvalidVersion:
        if version in affected.versions:
            return Evaluation(affected=True, why=f"lists {version}")
        raise
    for events in affected.ranges:
        try:
            turns = _in_order(events, scheme)
            inside, end = _inside(mine, events, turns, scheme)
        except InvalidVersion as error:
            unreadable.append(str(error))
            continue
        if inside:
            return Evaluation(
                affected=True,
                fixed_version=end,
                why=_written(event for _, event in turns),
                unreadable=tuple(unreadable),
            )
    if _listed(version, mine, affected.versions, scheme):
        end = _next_fix(mine, affected.ranges, scheme)
        return Evaluation(affected=True, fixed_version=end, why=f"lists {version}", unreadable=tuple(unreadable))
    return Evaluation(affected=False, unreadable=tuple(unreadable))


def describe(events: Sequence[Event], scheme: Scheme) -> str:
    """Write a range as a person would: `< 1.26.17, or >= 2.0.0, < 2.0.6`.

    Raises:
        InvalidVersion: an event's version is none in the scheme.

    """
    return _written(event for _, event in _in_order(events, scheme))


def _written(events: Iterable[Event]) -> str:
    signs = {"introduced": ">=", "fixed": "<", "last_affected": "<="}
    spans: list[list[str]] = []
    for event in events:
        if event.kind == "introduced":
            spans.append([] if event.version == "0" else [f">= {event.version}"])
        elif spans:
            spans[-1].append(f"{signs[event.kind]} {event.version}")
    return ", or ".join(", ".join(span) or "all versions" for span in spans)


def _inside(
    mine: Any, events: Sequence[Event], turns: Sequence[tuple[_Bound, Event]], scheme: Scheme
) -> tuple[bool, str | None]:
    limits = [event.version for event in events if event.kind == "limit"]
    if limits and not any(limit == "*" or mine < scheme(limit) for limit in limits):
        return False, None
    inside, end = False, None
    for bound, event in turns:
        reached = bound.at_or_before(mine)
        if event.kind == "introduced" and reached:
            inside, end = True, None
        elif event.kind == "fixed":
            if reached:
                inside = False
            elif inside and end is None:
                end = event.version
        elif event.kind == "last_affected":
            if reached and not bound.equals(mine):
                inside = False
            elif inside and end is None:
                # It ends here, but nobody says with which version.
                return True, None
    return inside, end if inside else None


def _in_order(events: Sequence[Event], scheme: Scheme) -> list[tuple[_Bound, Event]]:
    """Sort by version, limits left out. Of two events at one version, the one written last has the last word."""
    turns = [(_Bound(event.version, scheme), event) for event in events if event.kind != "limit"]
    return sorted(turns, key=itemgetter(0))


class _Bound:
    """A range's bound, ordered; `0` as a bound is before every version."""

    __slots__ = ("_version",)

    def __init__(self, text: str, scheme: Scheme) -> None:
        self._version = None if text == "0" else scheme(text)

    def __lt__(self, other: _Bound) -> bool:
        if self._version is None or other._version is None:
            return self._version is None and other._version is not None
        return bool(self._version < other._version)

    def at_or_before(self, version: Any) -> bool:
        return self._version is None or bool(self._version <= version)

    def equals(self, version: Any) -> bool:
        return self._version is not None and bool(self._version == version)


def _listed(version: str, mine: Any, versions: Sequence[str], scheme: Scheme) -> bool:
    if version in versions:
        return True
    # A local build (2.1.0+cpu) is affected as the public version is.
    own = (mine, scheme(mine.public)) if getattr(mine, "local", None) else (mine,)
    for text in versions:
        try:
            listed = scheme(text)
            if any(listed == one for one in own):
                return True
        except InvalidVersion:
            # A listed text that is no version cannot be equal to one.
            continue
    return False


def _next_fix(mine: Any, ranges: Sequence[Sequence[Event]], scheme: Scheme) -> str | None:
    later = []
    for event in (event for events in ranges for event in events if event.kind == "fixed"):
        try:
            bound = scheme(event.version)
        except InvalidVersion:
            continue
        if bound > mine:
            later.append((bound, event.version))
    return min(later, key=lambda one: one[0])[1] if later else None
