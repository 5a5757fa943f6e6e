"""A table of figures as every section shows it: cells with a tone, intervals drawn about a middle, and its data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness import figures
from harness.model import Interval, NotMeasured, Ratio
from report.text import csv_text, data_link

WIDEST = 16.0
"""A whisker's axis reaches no farther than to this factor; what lies beyond is cut off at its end."""
LEAST = 1.05
"""And no less far than to this one, so that a hair's breadth does not look like a chasm."""

Data = tuple[tuple[str, float | str | None], ...]
"""What a cell's data file says: the end of the column's name, and the value."""


@dataclass(frozen=True, kw_only=True)
class Whisker:
    """A ratio on a logarithmic axis; all places are percent of its length.

    Args:
        at: where the ratio is.
        low, high: the interval's ends; None where there is none.
        middle: where no difference is.

    """

    at: float
    low: float | None
    high: float | None
    middle: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its words, how they are meant, and what the data file says.

    Args:
        tone: `better`, `worse`, `same`, `missing`, `bad`, `good`, `warn`, or nothing.
        more: a second line, smaller.

    """

    text: str
    tone: str = ""
    more: str = ""
    whisker: Whisker | None = None
    data: Data = ()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column's heading, and whether it holds figures."""

    title: str
    below: str = ""
    number: bool = False
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells, of which the first names the row.

    Args:
        label: what the table is, for a screen reader.
        caption: n, interval and unit.
        file: the data file's name.
        download: a link that holds the data.

    """

    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    file: str
    title: str = ""
    download: str = field(default="")


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page that is text and tables.

    Args:
        anchor: its id on the page.
        about: what the figures are, in a sentence or two.
        notes: what was found, in sentences; those that begin with a variant's name bear on it.

    """

    anchor: str
    title: str
    about: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether the run holds anything of it."""
        return bool(self.tables)


def table(
    label: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, caption: str, file: str, title: str = ""
) -> Table:
    """Make a table, and its data file from the cells' data, or their words where they have none."""
    kept = tuple(tuple(row) for row in rows)
    header: list[str] = []
    picks: list[tuple[int, str | None]] = []
    for place, column in enumerate(columns):
        name = " ".join(part for part in (column.title, column.below) if part)
        suffixes: list[str | None] = list(dict.fromkeys(suffix for row in kept for suffix, _ in row[place].data))
        for suffix in suffixes or [None]:
            header.append(f"{name} {suffix}" if suffix else name)
            picks.append((place, suffix))
    lines = [[_datum(row[place], suffix) for place, suffix in picks] for row in kept]
    return Table(
        label=label,
        columns=tuple(columns),
        rows=kept,
        caption=caption,
        file=file,
        title=title,
        download=data_link(csv_text(header, lines)),
    )


def words(text: str, tone: str = "", more: str = "") -> Cell:
    """Return a cell of words."""
    return Cell(text=text, tone=tone, more=more)


def number(value: float | None, unit: str, *, none: str = "") -> Cell:
    """Return a cell of one figure that has no interval."""
    if value is None:
        return Cell(text=none, tone="missing", data=(("", None),))
    return Cell(text=figures.figure(value, unit), data=(("", value),))


def measured(value: Interval | NotMeasured | None, unit: str) -> Cell:
    """Return a cell of a figure with its interval below it, or of why there is none."""
    if value is None:
        return Cell(text="", data=_blank())
    if isinstance(value, NotMeasured):
        return Cell(text="not measured", tone="missing", more=value.not_measured, data=_blank())
    reach = ""
    if value.low is not None and value.high is not None and value.low != value.high:
        reach = f"{figures.figure(value.low, unit)} to {figures.figure(value.high, unit)}"
    more = f"{reach}, n = {value.n}" if reach else f"n = {value.n}"
    data = (("", value.value), ("low", value.low), ("high", value.high), ("n", value.n))
    return Cell(text=figures.figure(value.value, unit), more=more, data=data)


def ratio(value: Ratio | NotMeasured | None, *, lower_is_better: bool, axis: float | None = None) -> Cell:
    """Return a cell of a ratio with its mark and interval, drawn where an axis is given; see `axis_of`."""
    if value is None:
        return Cell(text="", data=(("", None), ("low", None), ("high", None)))
    if isinstance(value, NotMeasured):
        return Cell(text="not measured", tone="missing", more=value.not_measured, data=(("", None),))
    more = ""
    if value.low is not None and value.high is not None:
        more = f"{figures.times(value.low)} to {figures.times(value.high)}"
    return Cell(
        text=figures.ratio(value),
        tone=tone_of(value, lower_is_better=lower_is_better),
        more=more,
        whisker=None if axis is None else whisker(value, axis),
        data=(("", value.value), ("low", value.low), ("high", value.high)),
    )


def tone_of(value: Ratio, *, lower_is_better: bool) -> str:
    """Say how a ratio is to be taken."""
    if not value.significant:
        return "same"
    return "better" if (value.value < 1) == lower_is_better else "worse"


def axis_of(values: Iterable[Ratio | NotMeasured | None]) -> float:
    """Return the factor that an axis about 1 must reach, either way, to hold ratios and their intervals."""
    found = [one for one in values if isinstance(one, Ratio)]
    ends = [end for one in found for end in (one.value, one.low, one.high) if end is not None and end > 0]
    far = max((abs(math.log(end)) for end in ends), default=0.0)
    return min(max(math.exp(far), LEAST), WIDEST)


def whisker(value: Ratio, axis: float) -> Whisker:
    """Place a ratio on an axis that reaches from one over `axis` to `axis`."""

    def place(at: float) -> float:
        share = math.log(max(at, 1e-9)) / math.log(axis)
        return 50 + 50 * min(max(share, -1.0), 1.0)

    return Whisker(
        at=place(value.value),
        low=None if value.low is None else place(value.low),
        high=None if value.high is None else place(value.high),
        middle=50.0,
    )


def _blank() -> Data:
    return (("", None), ("low", None), ("high", None), ("n", None))


def _datum(cell: Cell, suffix: str | None) -> float | str | None:
    if suffix is None:
        return cell.text
    return dict(cell.data).get(suffix)
