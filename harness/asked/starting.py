"""Question 7: how long does a cold start take, and where does its time go?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median, quantiles

from harness import statistics
from harness.asked.tables import cells, column, difference, only
from harness.metrics import Measurements
from harness.model import (
    AskedCell,
    AskedColumn,
    AskedQuestion,
    AskedRow,
    AskedTable,
    NotMeasured,
    StartSplit,
    StartTrial,
)
from harness.samples import Sample, broken_contract

QUESTION = "How long does a cold start take, where does its time go, and what does compiled bytecode save?"
WANTED = 10
"""So many starts make a distribution."""
PARTS = tuple(
    column(name)
    for name in (
        "startup_seconds",
        "start_engine_seconds",
        "start_interpreter_seconds",
        "start_import_seconds",
        "start_import_without_bytecode_seconds",
    )
)
SPREAD = tuple(
    AskedColumn(name=name, title=title, unit="s", lower_is_better=True)
    for name, title in (
        ("fastest", "fastest"),
        ("lower_quartile", "lower quartile"),
        ("median", "median"),
        ("upper_quartile", "upper quartile"),
        ("slowest", "slowest"),
    )
)
EVERY = (column("startup_seconds"), column("start_engine_seconds"))


def answer(measured: Measurements) -> AskedQuestion:
    """Answer it.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    results = measured.results
    names = [one.name for one in results.variants]
    base = results.baseline_variant if results.baseline_variant in names else None
    starts = {name: _values(measured.sample("startup_seconds", name)) for name in names}
    split = {name: _split(results.start_splits, name) for name in names if not broken_contract(results, name)}
    parts = tuple(
        AskedRow(
            variant=name,
            against=None if name == base else base,
            cells=cells(measured, PARTS, name, base),
            facts=_imported(results.start_splits, name),
        )
        for name in names
    )
    few = [f"{name} ({len(values)})" for name, values in starts.items() if len(values) < WANTED]
    unsplit = [name for name in names if all(one.variant != name for one in results.start_splits)]
    listed, how = ", ".join, "`seatrial load` with a load profile that has more, as `full` does, makes them"
    return AskedQuestion(
        number=7,
        question=QUESTION,
        sentences=tuple(
            line for name, (compiled, source) in split.items() for line in _bytecode(name, compiled, source)
        ),
        tables=(
            AskedTable(
                title="Distribution of start-up, from the engine's run command to the first correct answer",
                columns=SPREAD,
                rows=tuple(_spread(name, values) for name, values in starts.items() if values),
            ),
            AskedTable(
                title="Distribution of interpreter and import within a start",
                columns=SPREAD,
                rows=tuple(
                    _spread(name, values, way)
                    for name, both in split.items()
                    for way, values in zip(("compiled bytecode", "without it"), both, strict=True)
                    if values
                ),
            ),
            AskedTable(title="Where a start's time goes", columns=PARTS, rows=parts),
            AskedTable(
                title="Every start",
                columns=EVERY,
                rows=tuple(_start(one) for one in results.start_trials),
                x_title="start",
                for_chart=True,
            ),
        ),
        missing=(
            *([f"Fewer than {WANTED} starts were made of {listed(few)}: {how}."] if few else []),
            *([f"The starts of {listed(unsplit)} were not split: {how}."] if unsplit else []),
        ),
    )


def _values(sample: Sample | NotMeasured) -> Mapping[int, float]:
    return {} if isinstance(sample, NotMeasured) else sample.values


def _spread(name: str, timed: Mapping[int, float], way: str = "") -> AskedRow:
    values = list(timed.values())
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    of = (min(values), low, median(values), high, max(values))
    found = {one.name: AskedCell(value=only(value)) for one, value in zip(SPREAD, of, strict=True)}
    return AskedRow(variant=name, way=way, series=way, cells=found, facts={"starts": str(len(values))})


def _start(one: StartTrial) -> AskedRow:
    seconds = one.seconds_to_first_answer
    return AskedRow(
        variant=one.variant,
        series=one.variant,
        x=float(one.index),
        cells={
            "startup_seconds": AskedCell(value=seconds if isinstance(seconds, NotMeasured) else only(seconds)),
            "start_engine_seconds": AskedCell(value=only(one.engine_seconds)),
        },
    )


def _imported(splits: tuple[StartSplit, ...], name: str) -> dict[str, str]:
    found = next((one.imported for one in splits if one.variant == name and one.imported), ())
    return {"imported": ", ".join(found)} if found else {}


def _split(splits: tuple[StartSplit, ...], name: str) -> tuple[dict[int, float], dict[int, float]]:
    """Return the seconds of interpreter and import together, by container: with compiled bytecode, and without it."""
    mine = [one for one in splits if one.variant == name]

    def whole(*read: Callable[[StartSplit], float | NotMeasured]) -> dict[int, float]:
        found = {one.index: [each(one) for each in read] for one in mine}
        return {
            index: sum(known)
            for index, values in found.items()
            if len(known := [value for value in values if not isinstance(value, NotMeasured)]) == len(values)
        }

    return (
        whole(lambda one: one.interpreter_seconds, lambda one: one.import_seconds),
        whole(lambda one: one.interpreter_seconds_without_bytecode, lambda one: one.import_seconds_without_bytecode),
    )


def _bytecode(name: str, compiled: Mapping[int, float], source: Mapping[int, float]) -> list[str]:
    """Say what compiled bytecode saves, by the containers that timed both."""
    if not compiled.keys() & source.keys():
        return []
    ratio = statistics.paired_ratio(source, compiled)
    ratio = ratio.model_copy(update={"method": ratio.method.replace("paired by round", "paired by container")})
    what = AskedColumn(name="start", title="interpreter and import", unit="s", lower_is_better=True)
    return [difference(f"{name} without compiled bytecode", what, ratio, "the same with it")]
