"""A start's parts as figures: what the engine, the interpreter and the import of the app take of it."""

from __future__ import annotations

from collections.abc import Callable

from harness.model import NotMeasured, Results, StartSplit
from harness.samples import Latency, Sample, Source, truthful

NOT_SPLIT = "the load profile does not split starts"

Read = Callable[[StartSplit], float | NotMeasured]


@truthful
def engine(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
    """Read the seconds that the engine takes to create and start a container."""
    starts = [one for one in results.start_trials if one.variant == variant]
    values = {one.index: one.engine_seconds for one in starts if one.engine_seconds is not None}
    return Sample(values=values) if values else NotMeasured(not_measured=NOT_SPLIT)


def part(read: Read) -> Source:
    """Return a source of one part of a variant's split starts, in seconds."""

    def source(results: Results, variant: str, _: Latency) -> Sample | NotMeasured:
        mine = [one for one in results.start_splits if one.variant == variant]
        if not mine:
            return NotMeasured(not_measured=NOT_SPLIT)
        found = {one.index: read(one) for one in mine}
        values = {index: seconds for index, seconds in found.items() if not isinstance(seconds, NotMeasured)}
        reasons = [seconds.not_measured for seconds in found.values() if isinstance(seconds, NotMeasured)]
        return Sample(values=values) if values else NotMeasured(not_measured=reasons[0])

    return truthful(source)
