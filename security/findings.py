"""From outcomes and remarks to findings: one line for what two sources say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from harness.model import Failed, Finding
from security.check import Check
from security.scanners.hadolint import SEVERITIES, Remark

SAME = {
    "DL3002": "CIS-4.1",
    "DL3004": "DKL-DI-0001",
    "DL3005": "DKL-DI-0003",
    "DL3006": "DKL-DI-0006",
    "DL3007": "DKL-DI-0006",
    "DL3009": "DKL-DI-0005",
    "DL3019": "DKL-DI-0004",
    "DL3020": "CIS-4.9",
    "DL3057": "CIS-4.6",
    "DL3064": "CIS-4.10",
}
"""hadolint's rule -> the check that says the same of the same image."""
SETTLED = ("DL3002", "DL3057")
"""Rules that guess from every stage what a check reads from the built image; where it passed, they are no findings."""
OWN = "seatrial"
NAMED = 12
"""As many places as a finding names; the step's outcome keeps all."""


def of_check(check: Check, outcome: Failed, variant: str) -> list[Finding]:
    """Return a failed check's findings: one, or one for each line where each has a remedy of its own."""
    groups = [(line,) for line in outcome.evidence] if check.one_finding_each else [outcome.evidence]
    return [
        Finding(
            id=check.id,
            title=check.title,
            severity=check.severity,
            variant=variant,
            where=_places([line.partition(": ")[0] for line in lines]),
            evidence=_shortened(lines),
            remediation=check.remediation,
            sources=(OWN,),
        )
        for lines in groups
    ]


def of_hadolint(remarks: Iterable[Remark], variant: str) -> list[Finding]:
    """Return one finding for each rule that hadolint saw broken, with all the lines."""
    found = []
    for rule, group in groupby(
        sorted(remarks, key=lambda remark: (remark.rule, remark.line)), key=lambda remark: remark.rule
    ):
        lines = list(group)
        found.append(
            Finding(
                id=rule,
                title=lines[0].message,
                severity=max((SEVERITIES[one.level] for one in lines), key=lambda severity: severity.rank),
                variant=variant,
                where=_places([f"Dockerfile:{one.line}" for one in lines]),
                evidence=_shortened([f"Dockerfile:{one.line}: {one.message} ({one.level})" for one in lines]),
                remediation=f"See {_page(rule)}",
                sources=("hadolint",),
            )
        )
    return found


def merged(found: Iterable[Finding], *, passed: Collection[str] = ()) -> tuple[Finding, ...]:
    """Join findings that say the same, and sort: the worst first, then by id and place.

    Args:
        found: what all sources found.
        passed: ids of the checks that passed; they settle what hadolint guessed.

    """
    kept: dict[tuple[str, str], Finding] = {}
    later = []
    for one in found:
        if one.id in SETTLED and SAME[one.id] in passed:
            continue
        if one.id in SAME:
            later.append(one)
        elif (same := kept.get((one.id, one.where))) is None:
            kept[one.id, one.where] = one
        elif one.evidence not in same.evidence:
            kept[one.id, one.where] = same.model_copy(update={"evidence": f"{same.evidence}; {one.evidence}"})
    for one in later:
        key = next((key for key in kept if key[0] == SAME[one.id]), None)
        if key is None:
            kept[one.id, one.where] = one
            continue
        first = kept[key]
        kept[key] = first.model_copy(
            update={
                "sources": tuple(sorted({*first.sources, *one.sources})),
                "severity": max(first.severity, one.severity, key=lambda severity: severity.rank),
                "evidence": f"{first.evidence}; {one.id}: {one.evidence}",
            }
        )
    return tuple(sorted(kept.values(), key=lambda one: (-one.severity.rank, one.id, one.where)))


def _places(places: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(places))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} and {len(distinct) - 1} more"


def _shortened(lines: Sequence[str]) -> str:
    rest = f"; and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return "; ".join(lines[:NAMED]) + rest


def _page(rule: str) -> str:
    if rule.startswith("SC"):
        return f"https://www.shellcheck.net/wiki/{rule}"
    return f"https://github.com/hadolint/hadolint/wiki/{rule}"
