"""Writes a comparison of two sides as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness import figures, verdicts
from harness.model import (
    Comparison,
    FigureChange,
    FileChange,
    Interval,
    LayerChange,
    NotMeasured,
    PackageChange,
    Ratio,
    RunComparison,
    SettingChange,
    Verdict,
    VerdictKind,
    VulnerabilityChange,
)
from report.text import clean, shortened
from report.text import markdown as escaped

T = TypeVar("T")
MOST_ROWS = 25
"""Of a table that may be long, as of files; the rest is counted. The JSON has all."""
WIDEST = 48
"""Of a cell in a terminal."""
MARKS = {VerdictKind.KEPT: "kept", VerdictKind.EXCEEDED: "EXCEEDED", VerdictKind.NOT_MEASURED: "not measured"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a comparison: its title, header and rows, and lines that stand below it."""

    title: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


def text(found: RunComparison) -> str:
    """Return a comparison as plain text, its columns aligned."""
    return _render(found, _text_table, lambda title: f"{title}\n{'=' * len(title)}", clean)


def markdown(found: RunComparison) -> str:
    """Return a comparison as Markdown; whatever is named in an image stays text."""
    return _render(found, _markdown_table, lambda title: f"## {title}", escaped)


def verdicts_markdown(judged: Sequence[Verdict]) -> str:
    """Return the verdicts of budgets and thresholds as Markdown."""
    return _markdown_table(_verdict_table(judged), escaped)


def tables(one: Comparison) -> tuple[Table, ...]:
    """Return what differs between two sides, one table for each subject; what is equal is said in a line."""
    return (
        _figures(one.figures),
        _section("Packages", _in_order(one.packages), ("package", "type", "change", "before", "after"), _package),
        _section(
            "Vulnerabilities",
            one.vulnerabilities,
            ("vulnerability", "severity", "component", "change", "fixed in"),
            _vulnerability,
        ),
        _section("Programs with setuid or setgid", one.setuid, ("path", "change", "before", "after"), _file),
        _section("Files", one.files, ("path", "change", "before", "after"), _file),
        _section("Configuration", one.settings, ("setting", "before", "after"), _setting),
        _layers(one.layers),
    )


def _render(
    found: RunComparison,
    table: Callable[[Table, Callable[[str], str]], str],
    heading: Callable[[str], str],
    safe: Callable[[str], str],
) -> str:
    parts = [heading(safe(f"{found.before} → {found.after}")) if len(found.comparisons) > 1 else ""]
    parts += [safe(remark) for remark in found.remarks] if len(found.comparisons) > 1 else []
    for words, names in (("Only in the first", found.only_before), ("Only in the second", found.only_after)):
        parts += [safe(f"{words}: {', '.join(names)}.")] if names else []
    if found.verdicts:
        parts.append(table(_verdict_table(found.verdicts), safe))
    for one in found.comparisons:
        parts.append(heading(safe(f"{one.before.label} → {one.after.label}")))
        parts += [safe(remark) for remark in one.remarks if remark not in found.remarks or len(found.comparisons) == 1]
        parts += [table(each, safe) for each in tables(one)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict_table(judged: Sequence[Verdict]) -> Table:
    rank = {VerdictKind.EXCEEDED: 0, VerdictKind.NOT_MEASURED: 1, VerdictKind.KEPT: 2}
    ordered = sorted(judged, key=lambda one: rank[one.kind])
    return Table(
        title="Verdicts",
        header=("verdict", "limit", "why"),
        rows=tuple((MARKS[one.kind], verdicts.sentence(one), one.message) for one in ordered),
    )


def _figures(changes: Sequence[FigureChange]) -> Table:
    shown = [one for one in changes if one.judged != "not compared"]
    methods = list(dict.fromkeys(one.method for one in shown))
    rows = tuple(
        (
            one.title,
            _value(one.before, one.unit),
            _value(one.after, one.unit),
            _change(one),
            {"better": "better", "worse": "WORSE", "~": "~", "?": "too few trials", "same": "same"}[one.judged],
            f"[{methods.index(one.method) + 1}]",
        )
        for one in shown
    )
    gaps: dict[str, list[str]] = {}
    for one in changes:
        if one.judged == "not compared":
            gaps.setdefault(one.method, []).append(one.title)
    return Table(
        title="Figures",
        header=("metric", "before", "after", "after over before", "", "method"),
        rows=rows,
        notes=(
            *(f"[{number}] {method}" for number, method in enumerate(methods, start=1)),
            *(f"not compared: {', '.join(names)}: {why}" for why, names in gaps.items()),
        ),
    )


def _value(measured: Interval | NotMeasured, unit: str) -> str:
    if isinstance(measured, NotMeasured):
        return "-"
    return figures.figure(measured.value, unit)


def _change(one: FigureChange) -> str:
    if one.judged == "same":
        return "1×"  # noqa: RUF001
    if isinstance(one.ratio, Ratio):
        low, high = one.ratio.low, one.ratio.high
        reach = f" ({figures.times(low)} to {figures.times(high)})" if low and high and low != high else ""
        return f"{figures.ratio(one.ratio)}{reach}"
    if one.difference is None:
        return "-"
    more = one.difference
    mark = {True: "", False: figures.NOT_SIGNIFICANT, None: "?"}[more.significant] if more.value else ""
    return f"{mark}{'+' if more.value > 0 else ''}{figures.figure(more.value, one.unit)}"


def _section(
    title: str, found: Sequence[T] | NotMeasured, header: tuple[str, ...], row: Callable[[T], tuple[str, ...]]
) -> Table:
    if isinstance(found, NotMeasured):
        return Table(title=title, notes=(f"not compared: {found.not_measured}",))
    if not found:
        return Table(title=title, notes=("no difference",))
    left = len(found) - MOST_ROWS
    different = len({one.id for one in found if isinstance(one, VulnerabilityChange)})
    ids = f" ({different:,} different)" if different else ""
    notes = (f"and {left:,} more; --format json has all of them",) if left > 0 else ()
    return Table(
        title=f"{title}: {_summary(found)}{ids}",
        header=header,
        rows=tuple(map(row, found[:MOST_ROWS])),
        notes=notes,
    )


def _summary(found: Iterable[object]) -> str:
    counts: dict[str, int] = {}
    for one in found:
        word = getattr(one, "change", "changed")
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count:,} {word}" for word, count in counts.items())


def _in_order(found: Sequence[PackageChange] | NotMeasured) -> Sequence[PackageChange] | NotMeasured:
    """Put first what has another version: what is only on one side is mostly told by the base."""
    if isinstance(found, NotMeasured):
        return found
    return sorted(found, key=lambda one: (one.change in ("added", "removed"), one.change))


def _package(one: PackageChange) -> tuple[str, ...]:
    return one.name, one.type, one.change, one.before or "", one.after or ""


def _vulnerability(one: VulnerabilityChange) -> tuple[str, ...]:
    return one.id, one.severity.value, f"{one.component} {one.version}", one.change, one.fixed_version or "no fix"


def _file(one: FileChange) -> tuple[str, ...]:
    return f"/{one.path}", one.change, one.before or "", one.after or ""


def _setting(one: SettingChange) -> tuple[str, ...]:
    return one.name, one.before or "", one.after or ""


def _layers(found: Sequence[LayerChange] | NotMeasured) -> Table:
    if isinstance(found, NotMeasured):
        return Table(title="Size by layer", notes=(f"not compared: {found.not_measured}",))
    return Table(
        title="Size by layer",
        header=("instruction", "before", "after", "compressed", "then", ""),
        rows=tuple(
            (
                one.created_by or "(unknown)",
                _bytes(one.before_bytes),
                _bytes(one.after_bytes),
                _bytes(one.before_compressed_bytes),
                _bytes(one.after_compressed_bytes),
                "same" if one.same else "",
            )
            for one in found
        ),
    )


def _bytes(size: int | None) -> str:
    return "-" if size is None else figures.figure(size, "bytes")


def _text_table(table: Table, safe: Callable[[str], str]) -> str:
    lines = [safe(table.title)]
    if table.rows:
        cells = [[shortened(cell, WIDEST) if table.title != "Verdicts" else safe(cell) for cell in row]
                 for row in (table.header, *table.rows)]  # fmt: skip
        widths = [max(len(row[number]) for row in cells) for number in range(len(table.header))]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                  for row in cells]  # fmt: skip
    return "\n".join([*lines, *(f"  {safe(note)}" for note in table.notes)])


def _markdown_table(table: Table, safe: Callable[[str], str]) -> str:
    lines = [f"### {safe(table.title)}", ""]
    if table.rows:
        lines += [_row(table.header, safe), "|" + " --- |" * len(table.header)]
        lines += [_row([shortened(cell) for cell in row], safe) for row in table.rows]
        lines.append("")
    return "\n".join([*lines, *(f"- {safe(note)}" for note in table.notes)]).rstrip()


def _row(cells: Iterable[str], safe: Callable[[str], str]) -> str:
    return "| " + " | ".join(safe(cell) for cell in cells) + " |"
