"""`seatrial answers`: what a run answers to each of the eight questions, in tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness import figures
from harness.asked import answered
from harness.model import AskedCell, AskedColumn, AskedQuestion, AskedRow, AskedTable, NotMeasured, Ratio
from harness.results import open_existing
from report.text import clean
from seatrial import options
from seatrial.terminal import Terminal
from seatrial.workspace import latest, read_settings

LONGEST_IN_A_COLUMN = 20


def rendered(one: AskedQuestion) -> Iterator[RenderableType]:
    """Return a question with its tables, what can be said, and what is missing, for rich's console."""
    yield Text(f"{one.number}. {one.question}", style="bold")
    for table in (one for one in one.tables if not one.for_chart):
        yield of_table(table)
        yield from (Text(clean(line), style="dim") for line in beside(table))
    yield from (Text(clean(line)) for line in one.sentences)
    yield from (Text(clean(line), style="dim") for line in (*one.remarks, *one.missing))
    yield Text()


def of_table(table: AskedTable) -> Table:
    """Return one table; figures that no row has are left out."""
    shown = Table(title=table.title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    columns = [one for one in table.columns if any(one.name in row.cells for row in table.rows)]
    facts = _facts(table, long=False)
    shown.add_column("", no_wrap=True)
    for one in columns:
        shown.add_column(one.title, justify="right")
    against = any(row.against for row in table.rows)
    for name in (*(("against",) if against else ()), *facts):
        shown.add_column(name)
    for row in table.rows:
        figures_of = (_cell(row, one) for one in columns)
        over = (Text(row.against or ""),) if against else ()
        shown.add_row(Text(_name(row)), *figures_of, *over, *(Text(clean(row.facts.get(name, ""))) for name in facts))
    return shown


def beside(table: AskedTable) -> list[str]:
    """Return what stands below a table: facts that are too long for a column, and what its ratios rest on."""
    long = _facts(table, long=True)
    lines = [f"{_name(row)}: {name}: {row.facts[name]}" for row in table.rows for name in long if row.facts.get(name)]
    cells = [cell for row in table.rows for cell in row.cells.values()]
    methods = dict.fromkeys(cell.ratio.method for cell in cells if isinstance(cell.ratio, Ratio))
    return [*lines, *([f"Ratios: {'; '.join(methods)}."] if methods else [])]


def _facts(table: AskedTable, *, long: bool) -> list[str]:
    lengths: dict[str, int] = {}
    for row in table.rows:
        for name, value in row.facts.items():
            lengths[name] = max(lengths.get(name, 0), len(value))
    return [name for name, length in lengths.items() if length and (length > LONGEST_IN_A_COLUMN) is long]


def _name(row: AskedRow) -> str:
    return ", ".join(filter(None, (row.variant, row.way)))


def _cell(row: AskedRow, what: AskedColumn) -> Text:
    cell = row.cells.get(what.name)
    if cell is None:
        return Text("")
    value = "-" if isinstance(cell.value, NotMeasured) else figures.figure(cell.value.value, what.unit)
    return Text("\n".join(filter(None, (value, _ratio(cell)))))


def _ratio(cell: AskedCell) -> str:
    return "" if cell.ratio is None else figures.ratio(cell.ratio)


@click.command()
@options.settings
@options.results
@click.option("--of", "numbers", type=click.IntRange(1, 8), multiple=True, help="A question's number. [default: all]")
@click.pass_obj
def command(terminal: Terminal, settings_file: Path | None, results: Path | None, numbers: tuple[int, ...]) -> int:
    """Show what a run answers to each of the eight questions, and what was not measured for them.

    1 which variant serves most. 2 base and server. 3 hardening. 4 network path. 5 container against plain process.
    6 CPU limit, workers and threads. 7 cold start. 8 graceful stop. The same tables are in results.json, as `asked`.
    """
    settings = read_settings(settings_file)
    folder = open_existing(results or latest(settings))
    found = [one for one in answered(folder.load(), folder.histogram) if not numbers or one.number in numbers]
    terminal.give(found)
    for one in found:
        for line in rendered(one):
            terminal.out.print(line)
    return 0
