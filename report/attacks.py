"""The matrix of attacks: what somebody inside each container could do, by variant and run profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import Failed, Hardening, ProbeResult, Results, Skipped
from report.text import csv_text, data_link, shortened

MARKS = {"stopped": "✓", "succeeded": "✕", "not tried": "?"}
MOST_EVIDENCE = 3


@dataclass(frozen=True, kw_only=True)
class AttackCell:
    """What came of one attack on one container.

    Args:
        kind: `stopped`, `succeeded` or `not tried`; the last also where the probe did not run.
        mark: the sign that stands for it.
        more: the evidence, the defence that stopped it, or why it was not tried.

    """

    kind: str
    mark: str
    more: str


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack over all containers."""

    id: str
    title: str
    severity: str
    cells: tuple[AttackCell, ...]
    remediation: str
    evidence: tuple[str, ...]
    """Where it succeeded and by what; empty where it did nowhere."""

    @property
    def succeeded(self) -> int:
        """On how many containers it succeeded."""
        return sum(one.kind == "succeeded" for one in self.cells)

    @property
    def stopped_everywhere(self) -> bool:
        """Whether every container stopped it."""
        return all(one.kind == "stopped" for one in self.cells)


@dataclass(frozen=True, kw_only=True)
class AttackMatrix:
    """All attacks by all containers, those that succeeded first."""

    columns: tuple[tuple[str, str], ...]
    """Variant and run profile."""
    profiles: tuple[tuple[str, int], ...]
    """Run profile, and how many columns stand under it."""
    totals: tuple[tuple[int, int, int], ...]
    """Of each column: succeeded, not tried, stopped."""
    attacks: tuple[Attack, ...]
    said: tuple[str, ...]
    download: str

    @property
    def telling(self) -> tuple[Attack, ...]:
        """The attacks that were not stopped everywhere."""
        return tuple(one for one in self.attacks if not one.stopped_everywhere)

    @property
    def harmless(self) -> tuple[Attack, ...]:
        """The attacks that every container stopped."""
        return tuple(one for one in self.attacks if one.stopped_everywhere)


def matrix(results: Results, order: Sequence[str]) -> AttackMatrix | None:
    """Read what attacks came to; None where no container was attacked."""
    found = [one for one in results.hardenings if one.probes]
    if not found:
        return None
    profiles = list(dict.fromkeys([*([results.run_profile] if results.run_profile else []), "article"]))

    def place(one: Hardening) -> tuple[int, str, int]:
        known = profiles.index(one.run_profile) if one.run_profile in profiles else len(profiles)
        return known, one.run_profile, order.index(one.variant) if one.variant in order else len(order)

    columns = sorted(found, key=place)
    ids = list(dict.fromkeys(probe.id for one in columns for probe in one.probes))
    attacks = sorted((_attack(name, columns) for name in ids), key=lambda one: (-one.succeeded, one.stopped_everywhere))
    used = list(dict.fromkeys(one.run_profile for one in columns))
    totals = [
        tuple(sum(one.cells[n].kind == kind for one in attacks) for kind in ("succeeded", "not tried", "stopped"))
        for n in range(len(columns))
    ]
    return AttackMatrix(
        columns=tuple((one.variant, one.run_profile) for one in columns),
        profiles=tuple((name, sum(one.run_profile == name for one in columns)) for name in used),
        totals=tuple((a, b, c) for a, b, c in totals),
        attacks=tuple(attacks),
        said=_said(used, columns, attacks),
        download=data_link(
            csv_text(
                ("attack", "severity", "variant", "run_profile", "result", "evidence"),
                [
                    (attack.id, attack.severity, one.variant, one.run_profile, cell.kind, cell.more)
                    for attack in attacks
                    for one, cell in zip(columns, attack.cells, strict=True)
                ],
            )
        ),
    )


def _attack(name: str, columns: Sequence[Hardening]) -> Attack:
    probes = [next((probe for probe in one.probes if probe.id == name), None) for one in columns]
    first = next(probe for probe in probes if probe is not None)
    cells = tuple(map(_cell, probes))
    evidence = [
        f"{one.variant} under {one.run_profile}: {cell.more}"
        for one, cell in zip(columns, cells, strict=True)
        if cell.kind == "succeeded"
    ]
    return Attack(
        id=name,
        title=shortened(first.title, 160),
        severity=first.severity.value,
        cells=cells,
        remediation=shortened(first.remediation, 300),
        evidence=tuple(evidence[:MOST_EVIDENCE]),
    )


def _cell(probe: ProbeResult | None) -> AttackCell:
    if probe is None:
        return AttackCell(kind="not tried", mark=MARKS["not tried"], more="this probe was not run here")
    if isinstance(probe.outcome, Skipped):
        return AttackCell(kind="not tried", mark=MARKS["not tried"], more=shortened(probe.outcome.reason, 160))
    if isinstance(probe.outcome, Failed):
        more = shortened("; ".join(probe.outcome.evidence), 160)
        return AttackCell(kind="succeeded", mark=MARKS["succeeded"], more=more)
    by = ", ".join(probe.stopped_by)
    return AttackCell(kind="stopped", mark=MARKS["stopped"], more=shortened(f"by {by}" if by else "", 160))


def _said(profiles: Sequence[str], columns: Sequence[Hardening], attacks: Sequence[Attack]) -> tuple[str, ...]:
    """Say of each run profile how many attacks succeed under it on any variant."""
    lines = []
    for profile in profiles:
        places = [n for n, one in enumerate(columns) if one.run_profile == profile]
        won = [one for one in attacks if any(one.cells[n].kind == "succeeded" for n in places)]
        untried = [one for one in attacks if any(one.cells[n].kind == "not tried" for n in places)]
        line = f"Under {profile}, {len(won)} of {len(attacks)} attacks succeed on at least one variant"
        lines.append(f"{line}{f', and {len(untried)} could not be tried on all' if untried else ''}.")
    return tuple(lines)
