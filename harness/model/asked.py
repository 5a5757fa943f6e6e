"""What a run is asked, and what it answers: tables whose figures a chart can take as they are."""

from __future__ import annotations

from harness.model.base import Model, NotMeasured
from harness.model.judged import Interval, Ratio


class AskedColumn(Model):
    """One figure of a table: its key in the rows' cells, its title, its unit, and which way is better."""

    name: str
    title: str
    unit: str
    """As `harness.figures` takes it: bytes, s, ms, share, req/s, ..."""
    lower_is_better: bool


class AskedCell(Model):
    """One figure of one row, and its ratio to that of the row's baseline."""

    value: Interval | NotMeasured
    ratio: Ratio | NotMeasured | None = None
    """None: the row has no baseline, or this figure is not compared. A ratio's `method` says what it rests on."""


class AskedRow(Model):
    """One row of a table: a variant, in one of several ways where there are several."""

    variant: str
    way: str = ""
    """Which way of running it: `0.5`, `4x8`, `+seccomp`; empty where there is but one."""
    what: str = ""
    """The same in words."""
    against: str | None = None
    """What the ratios are over, in words; None for a row that is a baseline."""
    series: str = ""
    """Rows of one series belong together in a chart: one line, or one group of bars."""
    x: float | None = None
    """Where the row stands on a chart's axis; None where the axis is made of names."""
    cells: dict[str, AskedCell]
    """By the columns' names; a figure that such a row cannot have is left out."""
    facts: dict[str, str] = {}
    """What stands beside the figures: interpreter, build flags, exit codes."""


class AskedTable(Model):
    """One table, and so one chart's data."""

    title: str
    columns: tuple[AskedColumn, ...]
    rows: tuple[AskedRow, ...]
    x_title: str = ""
    """What the rows' `x` counts; empty where they have none."""
    for_chart: bool = False
    """Whether it is a chart's data alone: each single trial, too long to be read."""


class AskedQuestion(Model):
    """One of the questions that Seatrial is there to answer."""

    number: int
    question: str
    sentences: tuple[str, ...]
    """What can be said. Each that says faster, slower or ~ names its method."""
    tables: tuple[AskedTable, ...]
    remarks: tuple[str, ...] = ()
    """What a reader has to know beside the figures."""
    missing: tuple[str, ...] = ()
    """What was not measured, and the command that measures it."""
