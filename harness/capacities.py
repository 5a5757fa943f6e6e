"""A variant's capacity as a figure: read from a run's searches, and compared by the size of their steps."""

from __future__ import annotations

from harness.model import CapacityResult, NotMeasured, Ratio, Results

NOT_SEARCHED = "the load profile does not search for capacity"
STEPS_APART = 2
"""Two capacities are called different where they are more steps apart than this.

In simulation, with a limit that moves by 5% from trial to trial and steps of 5%, two searches of one server ended more
than one step apart in 14% of pairs and more than two in under 1%; with a limit that moves by 10%, in 39% and 7%.
"""


def capacity_of(results: Results, variant: str) -> CapacityResult | NotMeasured:
    """Return a variant's search for capacity under the run's own run profile, where it came to a confirmed rate."""
    found = [one for one in results.capacities if one.variant == variant]
    mine = next((one for one in found if results.run_profile in (None, one.run_profile)), None)
    if mine is None:
        return NotMeasured(not_measured=NOT_SEARCHED)
    if not mine.finished:
        return NotMeasured(not_measured=f"its search for capacity was stopped after {len(mine.trials)} trials")
    if isinstance(mine.capacity_rps, NotMeasured):
        return mine.capacity_rps
    if not mine.confirmed:
        least = f"at least {mine.capacity_rps:.4g} requests a second, but " if mine.at_least else ""
        return NotMeasured(not_measured=f"{least}not confirmed: {mine.remark}")
    return mine


def stepped_ratio(value: float, baseline: float, step: float) -> Ratio:
    """Return the ratio of two rates that were each found to a step.

    Args:
        value: the first, above zero.
        baseline: the second, above zero.
        step: the larger of the two searches' steps, as a factor above 1.

    """
    ratio, reach = value / baseline, step**STEPS_APART
    low, high = ratio / reach, ratio * reach
    method = f"confirmed capacities, {STEPS_APART} steps of {step - 1:.0%} either way"
    return Ratio(value=ratio, low=low, high=high, significant=not low <= 1.0 <= high, method=method)
