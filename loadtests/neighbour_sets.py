"""The smallest set of limits on a neighbour that keeps a victim's p99 within a factor of undisturbed. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, combinations

from harness.model import NeighbourKind, NeighbourRow, NotMeasured, Ratio, SmallestSet


def keeps(row: NeighbourRow, factor: float) -> bool:
    """Say whether a row's p99 lies within the factor; one that was not held does not."""
    return isinstance(row.p99_ratio, Ratio) and row.p99_ratio.value <= factor


def smallest(
    rows: Sequence[NeighbourRow], kinds: Collection[NeighbourKind], limits: Sequence[str], factor: float
) -> SmallestSet:
    """Return the fewest limits under which every kind is kept, by what was measured of each alone and of all.

    It rests on this: what a limit keeps, it keeps with others beside it too. So the set is confirmed by fresh trials.
    Of sets of one size it is the one whose worst ratio is the lowest.
    """
    for one in rows:
        if one.kind is None and not one.victim_limited and isinstance(one.p99_ms, NotMeasured):
            none = f"the undisturbed victim has no figure at {one.share:.0%}: {one.p99_ms.not_measured}"
            return SmallestSet(factor=factor, limits=NotMeasured(not_measured=none))
    ways = {kind: _ways(rows, kind, factor) for kind in kinds}
    by_kind = {kind: min(found, key=lambda one: (len(one), found[one])) for kind, found in ways.items() if found}
    unheld = tuple(kind for kind, found in ways.items() if not found)
    if not unheld:
        for size in range(len(limits) + 1):
            sets = [
                (max(_least(ways[kind], chosen) for kind in kinds), chosen)
                for chosen in combinations(limits, size)
                if all(any(set(way) <= set(chosen) for way in ways[kind]) for kind in kinds)
            ]
            if sets:
                return SmallestSet(factor=factor, limits=min(sets)[1], by_kind=by_kind)
    both = {kind: _rows_of(rows, kind, limited=True, limits=limits) for kind in kinds}
    if all(found and all(keeps(one, factor) for one in found) for found in both.values()):
        return SmallestSet(
            factor=factor, limits=tuple(limits), victim_limited=True, by_kind=by_kind, unheld=unheld,
            remark="only with the victim's own limits too",
        )  # fmt: skip
    named = ", ".join(unheld)
    why = NotMeasured(
        not_measured=f"nothing that was tried keeps p99 within {factor:g} beside a neighbour that {named}"
        + _kept_by_all(both.values())
    )
    return SmallestSet(factor=factor, limits=why, by_kind=by_kind, unheld=unheld)


def confirmed(found: SmallestSet, rows: Sequence[NeighbourRow]) -> SmallestSet:
    """Return a set with what the rows that were measured under just it say of it."""
    failed = [one for one in rows if not keeps(one, found.factor)]
    high = [one.p99_ratio.high for one in rows if isinstance(one.p99_ratio, Ratio)]
    certain = bool(rows) and not failed and all(one is not None and one <= found.factor for one in high)
    said = [found.remark] if found.remark else []
    if failed:
        said.append("; ".join(f"under it, one that {one.kind} at {one.share:.0%}: {_told(one)}" for one in failed))
    elif not certain:
        said.append("the values lie within the factor, their intervals reach beyond it: more rounds would tell")
    return found.model_copy(update={"confirmed": not failed, "certain": certain, "remark": "; ".join(said)})


def rows_under(rows: Sequence[NeighbourRow], found: SmallestSet, purpose: str) -> list[NeighbourRow]:
    """Return the rows beside neighbours of one purpose that were measured under just a set of limits."""
    wanted = set() if isinstance(found.limits, NotMeasured) else set(found.limits)
    return [
        one
        for one in rows
        if one.kind is not None and one.purpose == purpose
        and (set(one.limits), one.victim_limited) == (wanted, found.victim_limited)
    ]  # fmt: skip


def _ways(rows: Sequence[NeighbourRow], kind: NeighbourKind, factor: float) -> dict[tuple[str, ...], float]:
    """Return the choices of limits that keep a kind at every load at which they were tried, with their worst ratio."""
    tried: dict[tuple[str, ...], list[NeighbourRow]] = {}
    for one in rows:
        if one.kind is kind and not one.victim_limited and one.purpose != "smallest set":
            tried.setdefault(one.limits, []).append(one)
    return {
        limits: max(one.p99_ratio.value for one in mine if isinstance(one.p99_ratio, Ratio))
        for limits, mine in tried.items()
        if all(keeps(one, factor) for one in mine)
    }


def _kept_by_all(rows_of_kinds: Iterable[Sequence[NeighbourRow]]) -> str:
    """Say within what all limits on both sides keep it, at each load at which they keep it within anything."""
    worst: dict[float, float] = {}
    for row in chain.from_iterable(rows_of_kinds):
        value = row.p99_ratio.value if isinstance(row.p99_ratio, Ratio) else math.inf
        worst[row.share] = max(value, worst.get(row.share, 0.0))
    kept = [f"{ratio:.2f} at {share:.0%}" for share, ratio in sorted(worst.items()) if math.isfinite(ratio)]
    return f"; every limit on both keeps it within {' and '.join(kept)} of capacity" if kept else ""


def _least(ways: dict[tuple[str, ...], float], chosen: Sequence[str]) -> float:
    return min(ratio for way, ratio in ways.items() if set(way) <= set(chosen))


def _rows_of(
    rows: Sequence[NeighbourRow], kind: NeighbourKind, *, limited: bool, limits: Collection[str]
) -> list[NeighbourRow]:
    return [
        one
        for one in rows
        if one.kind is kind and one.victim_limited is limited and set(one.limits) == set(limits)
        and one.purpose != "smallest set"
    ]  # fmt: skip


def _told(row: NeighbourRow) -> str:
    if isinstance(row.p99_ratio, Ratio):
        return f"{row.p99_ratio.value:.2f} times"
    return row.p99_ratio.not_measured if row.p99_ratio is not None else "not measured"
