"""The eight questions that Seatrial is there to answer, answered from a run's results: one file a question. Pure."""

from __future__ import annotations

from harness.asked import base_and_server, most, one_thing, scaling, starting, stopping
from harness.metrics import Measurements
from harness.model import AskedQuestion, Results
from harness.samples import Histogram


def answered(results: Results, histogram: Histogram | None) -> tuple[AskedQuestion, ...]:
    """Answer all questions, in their order; what was not measured is said, with the command that measures it.

    Args:
        results: the run.
        histogram: gives the bytes of a file in the run's `histograms/`; without it no percentile is told.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    measured = Measurements(results, histogram)
    found = [
        most.answer(measured),
        base_and_server.answer(measured),
        *one_thing.answers(measured),
        scaling.answer(measured),
        starting.answer(measured),
        stopping.answer(measured),
    ]
    return tuple(sorted(found, key=lambda one: one.number))
