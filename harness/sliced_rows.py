"""What sliced comparisons of two variants of a run say of them, as rows beside those of their own trials."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import FigureChange, NotMeasured, Ratio, SlicedComparison
from harness.model.compared import Judged

NO_VALUE = NotMeasured(not_measured="slices measure the ratio, and no figure of either")
ROWS = (
    ("sliced_request_time", "request time, in slices", True, "request_time"),
    ("sliced_throughput", "throughput, in slices", False, "throughput"),
    ("sliced_cpu", "CPU per request, in slices", True, "cpu_seconds_per_request"),
)
"""A row's name and title, whether less is better, and the comparison's field."""


def rows(sliced: Sequence[SlicedComparison], before: str, after: str) -> tuple[FigureChange, ...]:
    """Return the rows of the last sliced comparison that set these two variants against each other, alike started."""
    found = [
        one
        for one in sliced
        if {one.a.variant, one.b.variant} == {before, after} and one.a.run_profile == one.b.run_profile
    ]
    if before == after or not found:
        return ()
    one = found[-1]
    return tuple(
        _row(name, title, lower, _over(getattr(one, field), turned=one.a.variant == after))
        for name, title, lower, field in ROWS
    )


def _over(ratio: Ratio | NotMeasured, *, turned: bool) -> Ratio | NotMeasured:
    """Return a ratio of the second over the first, where the comparison had the two the other way round."""
    if isinstance(ratio, NotMeasured) or not turned:
        return ratio
    low, high = (None if one is None else 1 / one for one in (ratio.high, ratio.low))
    return ratio.model_copy(update={"value": 1 / ratio.value, "low": low, "high": high})


def _row(name: str, title: str, lower_is_better: bool, ratio: Ratio | NotMeasured) -> FigureChange:
    judged: Judged = "not compared"
    if isinstance(ratio, Ratio):
        if ratio.significant is None:
            judged = "?"
        elif not ratio.significant:
            judged = "~"
        else:
            judged = "worse" if (ratio.value > 1) == lower_is_better else "better"
    return FigureChange(
        metric=name,
        title=title,
        unit="",
        lower_is_better=lower_is_better,
        before=NO_VALUE,
        after=NO_VALUE,
        ratio=ratio,
        judged=judged,
    )
