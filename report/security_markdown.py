"""Writes one variant's security report as Markdown: what was looked at, is wrong, is accepted, and is inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness import figures
from harness import vulnerability_counts as counts
from harness.model import (
    Failed,
    Finding,
    Image,
    NotMeasured,
    Passed,
    Results,
    Scan,
    Skipped,
    Suppression,
    Vulnerability,
)
from harness.samples import image_of
from report import facts
from report.text import markdown, shortened

EFFICIENCY = "SEA-IMG-0001"
MOST_LAYERS = 10
MOST_PACKAGES = 6


def render(results: Results, scan: Scan) -> str:
    """Return the security report of one variant. Everything out of the image is shown as text and nothing else."""
    image = image_of(results, scan.variant)
    parts = [
        f"# Security of {_safe(scan.variant)}",
        _head(scan, image),
        _looked_at(scan),
        _vulnerabilities(scan, image),
        _findings([one for one in scan.findings if one.suppressed is None]),
        _suppressed(scan),
        _licences(scan),
        _layers(scan, image),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(scan: Scan, image: Image | None) -> str:
    every = counts.counted(scan)
    known = _count(len(every), "known vulnerability", "known vulnerabilities")
    known += f" ({counts.number(every, fixable=True)} fixable)"
    if not counts.is_assessed(scan):
        known = "its known vulnerabilities were not assessed"
    elif counts.unassessed(scan):
        known += ", of the ecosystems that were assessed"
    wrong = _count(sum(one.suppressed is None for one in scan.findings), "finding", "findings")
    lines = [
        f"**{wrong}; {known}.**",
        "",
        f"Image `{_code(scan.image_digest)}`, scanned {scan.scanned_at:%Y-%m-%d %H:%M} UTC.",
    ]
    if image is not None and image.base.stand_in_for:
        lines.append(f"Its base is a stand-in. {_safe(image.base.stand_in_for)}")
    return "\n".join(lines)


def _looked_at(scan: Scan) -> str:
    rows = [
        (
            _safe(one.ecosystem),
            f"{_safe(one.assessed_by)}, data of {_safe(one.as_of or 'unknown date')}"
            if one.assessed_by
            else "**not assessed**",
            "<br>".join(_safe(text) for text in ((one.reason,) if one.assessed_by is None else one.remarks)),
        )
        for one in sorted(scan.assessments, key=lambda one: (one.ecosystem, one.assessed_by or ""))
    ]
    skipped = [one for one in scan.steps if isinstance(one.outcome, Skipped)]
    lines = [f"- {_safe(s.name)}: {_safe(s.outcome.reason)}" for s in skipped if isinstance(s.outcome, Skipped)]
    done = Counter(type(one.outcome) for one in scan.steps)
    tools = [f"{one.name} {one.version}" for one in scan.steps if one.version]
    said = f"{done[Passed]} steps found nothing, {done[Failed]} found something, {done[Skipped]} could not look."
    return "\n\n".join(
        part
        for part in (
            "## What was looked at",
            said + (f" Programs: {_safe(', '.join(tools))}." if tools else ""),
            "What was not assessed is not clean.",
            _table(("Ecosystem", "Known vulnerabilities assessed by", "Remarks"), rows),
            "**Not looked at:**\n\n" + "\n".join(lines) if lines else "Every step could look.",
        )
        if part
    )


def _vulnerabilities(scan: Scan, image: Image | None) -> str:
    layers = (
        {one.diff_id: f"{n}: {facts.made_by(image, one)}" for n, one in enumerate(image.layers, start=1)}
        if image
        else {}
    )
    titles = ("Severity", "Vulnerability", "Component", "Installed → fixed", "Sources", "First layer", "What it is")
    blocks = ["## Known vulnerabilities"]
    for title, fixable in (("A fixed version is there", True), ("No fixed version is known", False)):
        chosen = [one for one in scan.vulnerabilities if one.suppressed is None and one.fixable is fixable]
        if chosen:
            rows = _rows(chosen, layers)
            blocks.append(f"### {title}: {len({one.id for one in chosen})}")
            blocks.append(_table(titles, rows))
    if len(blocks) == 1:
        assessed = counts.is_assessed(scan)
        blocks.append("None in what was assessed." if assessed else "Not assessed: this is not an all-clear.")
    return "\n\n".join(blocks)


def _rows(chosen: Iterable[Vulnerability], layers: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return a row for each vulnerability; packages of one version that have it share the row."""
    groups: dict[tuple[object, ...], list[Vulnerability]] = {}
    for one in sorted(chosen, key=_gravest_first):
        key = (one.id, one.severity, one.installed_version, one.fixed_version, one.layer_diff_id, one.sources)
        groups.setdefault(key, []).append(one)
    return [_row(group, layers) for group in groups.values()]


def _row(group: Sequence[Vulnerability], layers: Mapping[str, str]) -> tuple[str, ...]:
    one = group[0]
    said = one.summary or next((said.evidence for said in one.advisories if said.evidence), "")
    return (
        one.severity.value + (f" {one.cvss_score:.1f}" if one.cvss_score is not None else ""),
        _safe(one.id, 60),
        _safe(", ".join(dict.fromkeys(each.component for each in group)), 160),
        f"{_safe(one.installed_version, 60)} → {_safe(one.fixed_version or 'none known', 60)}",
        _safe(", ".join(one.sources)),
        _safe(layers.get(one.layer_diff_id or "", "not known"), 100),
        _safe(said, 160),
    )


def _findings(counting: Sequence[Finding]) -> str:
    blocks = ["## Findings", "" if counting else "None."]
    for one in sorted(counting, key=lambda one: (-one.severity.rank, one.id, one.where)):
        blocks.append(
            f"### {one.severity.value}: {_safe(one.title)} ({_safe(one.id, 60)})\n\n"
            f"- **Where:** {_safe(one.where)}\n"
            f"- **What:** {_safe(one.evidence)}\n"
            f"- **What to do:** {_safe(one.remediation)}\n"
            f"- **Said by:** {_safe(', '.join(one.sources))}"
        )
    return "\n\n".join(block for block in blocks if block)


def _suppressed(scan: Scan) -> str:
    found: list[tuple[Finding | Vulnerability, str]] = [(one, one.where) for one in scan.findings]
    found += [(one, f"{one.component} {one.installed_version}") for one in scan.vulnerabilities]
    rows = [
        (one.severity.value, _safe(one.id, 60), _safe(place), *_decision(one.suppressed))
        for one, place in found
        if one.suppressed is not None
    ]
    if not rows:
        return "## Suppressed\n\nNothing."
    titles = ("Severity", "Id", "What", "Decision", "Reason", "Until", "Decided in")
    return f"## Suppressed\n\nThese do not count; they are {len(rows)}.\n\n{_table(titles, rows)}"


def _decision(one: Suppression) -> tuple[str, ...]:
    until = one.expires.isoformat() if one.expires else "no end"
    return (one.kind, _safe(one.reason), until, _safe(one.source, 120))


def _licences(scan: Scan) -> str:
    if isinstance(scan.components, NotMeasured):
        return f"## Licences\n\nNot known: {_safe(scan.components.not_measured)}"
    together: dict[str, list[str]] = {}
    for one in scan.components:
        for licence in one.licences or ("unknown",):
            together.setdefault(licence, []).append(one.name)
    rows = [
        (_safe(licence, 80), str(len(names)), _safe(_some(sorted(names))))
        for licence, names in sorted(together.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    count = _count(len(scan.components), "component", "components")
    return f"## Licences\n\n{count}.\n\n{_table(('Licence', 'Components', 'Which'), rows)}"


def _layers(scan: Scan, image: Image | None) -> str:
    blocks = []
    if image is not None:
        largest = sorted(enumerate(image.layers, start=1), key=lambda pair: -pair[1].size_bytes)[:MOST_LAYERS]
        rows = [
            (str(n), figures.figure(one.size_bytes, "bytes"), _safe(facts.made_by(image, one), 160))
            for n, one in largest
        ]
        blocks.append(_table(("Layer", "Size", "Made by"), rows))
    wasted = next((one.outcome for one in scan.steps if one.name == EFFICIENCY), None)
    if isinstance(wasted, Failed):
        blocks.append("**Wasted:**\n\n" + "\n".join(f"- {_safe(line)}" for line in wasted.evidence))
    elif isinstance(wasted, Passed):
        blocks.append("The layers' efficiency is within its limit.")
        if scan.files is not None and scan.files.most_wasted:
            rows = [
                (_safe(f"/{one.path}"), figures.figure(one.bytes, "bytes"), str(one.copies))
                for one in scan.files.most_wasted
            ]
            blocks.append(_table(("What is wasted most", "Size", "Layers"), rows))
    return "\n\n".join(["## Largest layers", *blocks]) if blocks else ""


def _gravest_first(one: Vulnerability) -> tuple[int, float, str, str]:
    return (-one.severity.rank, -(one.cvss_score or 0.0), one.id, one.component)


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST_PACKAGES} more" if len(names) > MOST_PACKAGES else ""
    return ", ".join(names[:MOST_PACKAGES]) + rest


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows)])


def _code(text: str) -> str:
    return shortened(text, 100).replace("`", "'")


def _safe(text: str, length: int = 400) -> str:
    return markdown(shortened(text, length))
