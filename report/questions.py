"""The questions that a run answers, in sentences, with their tables for who wants to see the figures."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import AskedCell, AskedQuestion, AskedTable, Interval, NotMeasured, Ratio, Results
from report.tables import Cell, Column, Table, axis_of, measured, ratio, table, words
from report.text import several


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question with its answer."""

    number: int
    question: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]
    missing: tuple[str, ...]


def questions(results: Results) -> tuple[Question, ...]:
    """Read the questions that have an answer; what has none is a gap, see `unanswered`."""
    return tuple(
        Question(
            number=one.number,
            question=one.question,
            sentences=one.sentences,
            tables=tuple(_table(one, each) for each in one.tables if each.rows),
            remarks=one.remarks,
            missing=one.missing,
        )
        for one in sorted(results.asked, key=lambda one: one.number)
        if one.sentences or any(each.rows for each in one.tables)
    )


def unanswered(results: Results) -> tuple[tuple[str, str], ...]:
    """Return the questions without an answer, and what would answer them."""
    return tuple(
        (one.question, " ".join(one.missing))
        for one in results.asked
        if not one.sentences and not any(each.rows for each in one.tables)
    )


def _table(question: AskedQuestion, found: AskedTable) -> Table:
    compared = {column.name: _axis(found, column.name) for column in found.columns}
    ways = any(row.way for row in found.rows)
    against = any(row.against for row in found.rows)
    facts = any(row.facts for row in found.rows)
    columns = [Column(title="Variant"), *([Column(title="Way")] if ways else [])]
    for column in found.columns:
        columns.append(Column(title=column.title, below=column.unit, number=True))
        if compared[column.name] is not None:
            columns.append(Column(title=column.title, below="ratio", number=True))
    columns += [
        *([Column(title="Against")] if against else []),
        *([Column(title="Besides", wide=True)] if facts else []),
    ]
    rows = []
    for row in found.rows:
        cells: list[Cell] = [words(row.variant), *([words(row.way, more=row.what)] if ways else [])]
        for column in found.columns:
            cell = row.cells.get(column.name)
            cells.append(measured(None if cell is None else cell.value, column.unit))
            if (axis := compared[column.name]) is not None:
                over = None if cell is None else cell.ratio
                cells.append(ratio(over, lower_is_better=column.lower_is_better, axis=axis))
        cells += [words(row.against or "")] if against else []
        cells += [words("; ".join(f"{name}: {value}" for name, value in row.facts.items()))] if facts else []
        rows.append(cells)
    return table(
        found.title,
        columns,
        rows,
        caption=f"{_n(found)}Figures with their 95% intervals, in the units that stand above them.",
        file=f"question-{question.number}",
        title=found.title,
    )


def _axis(found: AskedTable, column: str) -> float | None:
    """Return the axis of a column's ratios; None where it has none."""
    ratios = [cell.ratio for row in found.rows if (cell := row.cells.get(column)) is not None]
    return axis_of(ratios) if any(isinstance(one, Ratio | NotMeasured) for one in ratios) else None


def _n(found: AskedTable) -> str:
    cells: list[AskedCell] = [cell for row in found.rows for cell in row.cells.values()]
    counts = [cell.value.n for cell in cells if isinstance(cell.value, Interval)]
    return f"n = {several(counts)}. " if counts else ""
