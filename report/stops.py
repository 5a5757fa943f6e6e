"""Stops under load: what became of the requests that were on their way when a container was told to stop."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import NotMeasured, Results, StopLoad, StopTrial
from report.tables import Cell, Column, Section, number, table, words
from report.text import shortened

ABOUT = (
    "While closed users asked without a pause, the container got SIGTERM. Lost is what it took and never answered "
    "whole; of that, what was on a kept connection that closed without a byte is mostly sent again by clients."
)


def section(results: Results, order: Sequence[str]) -> Section:
    """Read every stop under load."""
    loaded = [one for one in results.stop_trials if one.load is not None]
    names = [name for name in order if any(one.variant == name for one in loaded)]
    if not names:
        return Section(anchor="stops", title="Stopped under load", about=ABOUT)
    columns = (
        Column(title="Variant"),
        Column(title="Lost", below="requests a stop", number=True),
        Column(title="of these retried", below="kept connections", number=True),
        Column(title="Wrong", below="answers", number=True),
        Column(title="Took", below="seconds, at most", number=True),
        Column(title="Stops", below="n", number=True),
        Column(title="What it says", wide=True),
    )
    shown = table(
        "Requests lost when a container is stopped under load",
        columns,
        [_row(name, [one for one in loaded if one.variant == name]) for name in names],
        caption="n = stops a variant; requests are counted over all of them, so there is no interval.",
        file="stops",
    )
    return Section(anchor="stops", title="Stopped under load", about=ABOUT, tables=(shown,))


def _row(variant: str, stops: Sequence[StopTrial]) -> tuple[Cell, ...]:
    loads = [one.load for one in stops if isinstance(one.load, StopLoad)]
    why = next((one.load.not_measured for one in stops if isinstance(one.load, NotMeasured)), "")
    if not loads:
        blank = Cell(text="", data=(("", None),))
        return (words(variant), words("not measured", "missing"), blank, blank, blank, number(0, ""), words(why))
    lost = sum(one.lost for one in loads)
    wrong = sum(one.wrong for one in loads)
    answered = sum(one.answered for one in loads)
    killed = sum(one.killed for one in stops)
    example = next((text for one in loads for text in one.examples), "")
    said = f"{answered:,} answered rightly." if not lost else f"{lost:,} of {lost + answered:,} lost."
    if killed:
        said += f" Killed in {killed} of {len(stops)} stops, since it ignored SIGTERM."
    return (
        words(variant),
        _counted(lost / len(loads)),
        _counted(sum(one.lost_on_kept_connections for one in loads) / len(loads)),
        _counted(wrong / len(loads)),
        number(max(one.seconds for one in stops), "s"),
        number(len(loads), ""),
        words(
            said,
            "bad" if killed else "",
            more=shortened(example, 90),
        ),
    )


def _counted(value: float) -> Cell:
    return Cell(text=f"{value:g}" if value < 100 else f"{value:,.0f}", tone="bad" if value else "", data=(("", value),))
