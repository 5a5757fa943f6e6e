"""`seatrial capacity`: the highest rate that each built variant holds within an objective."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table

from harness.errors import ContractBroken, NoValidMeasurement
from harness.figures import digits
from harness.model import CapacityResult, NotMeasured
from loadtests import load_profile as load_profiles
from loadtests.load_profile import CapacityPlan
from seatrial import options
from seatrial.capacity_search import search
from seatrial.compare import publish
from seatrial.load import usual_setting
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import built_images

DEFAULT_P99_MS = 100.0


def plan_of(profile: load_profiles.LoadProfile, p99_ms: float | None, tolerance: float | None) -> CapacityPlan:
    """Return the load profile's plan, or the usual one, with what the command line said over it."""
    plan = profile.capacity or CapacityPlan(p99_ms=DEFAULT_P99_MS)
    said = {"p99_ms": p99_ms, "tolerance": tolerance}
    return plan.model_copy(update={name: value for name, value in said.items() if value is not None})


def table(found: Sequence[CapacityResult]) -> Table:
    """Return what the searches came to, a line each."""
    shown = Table(title="Capacity: p99 within the objective, not one request failed", title_justify="left")
    for column in ("variant", "requests a second", "next step up", "p99 objective", "trials", "remark"):
        shown.add_column(column, justify="left" if column in ("variant", "remark") else "right")
    for one in found:
        none = isinstance(one.capacity_rps, NotMeasured)
        at_least = "at least " if one.at_least else ""
        rate = "-" if isinstance(one.capacity_rps, NotMeasured) else f"{at_least}{digits(one.capacity_rps)}"
        up = "-" if one.step_up_rps is None else f"{digits(one.step_up_rps)} missed"
        remark = "" if one.confirmed else f"not confirmed: {one.remark}"
        if none and isinstance(one.capacity_rps, NotMeasured):
            remark = one.capacity_rps.not_measured
        shown.add_row(one.variant, rate, up, f"{one.objective_p99_ms:g} ms", str(len(one.trials)), remark)
    return shown


def exit_code(found: Sequence[CapacityResult]) -> int:
    """Return 5 where a variant answers wrongly, 6 where one has no confirmed capacity, else 0."""
    if any(trial.outcome == "wrong answers" for one in found for trial in one.trials):
        return ContractBroken.exit_code
    return 0 if all(one.confirmed for one in found) else NoValidMeasurement.exit_code


@click.command()
@options.variants
@options.chosen
@options.p99_ms
@options.tolerance
@click.option("--resume", is_flag=True, help="Go on with searches of the same objective that were stopped.")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    chosen: options.Chosen,
    p99_ms: float | None,
    tolerance: float | None,
    resume: bool,
) -> int:
    """Find the highest rate at which p99 of each built VARIANT stays within the objective and no request fails.

    A rate counts once three fresh trials hold it and two of three miss the next step up.
    """
    workspace = chosen.open(variants)
    profile = workspace.load_profile
    plan = plan_of(profile, p99_ms, tolerance)
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, info):
        images = built_images(workspace, engine)
        searched = {(image.variant, workspace.run_profile.name) for image in images}
        for answer in () if resume else workspace.folder.answers(CapacityResult):
            if (answer.variant, answer.run_profile) in searched:
                workspace.folder.drop_answer(answer)
        setting = usual_setting(workspace, engine, screen)
        found = search(workspace, engine, screen, info, images, setting, plan)
    publish(workspace)
    terminal.give(found)
    terminal.out.print(table(found))
    return exit_code(found)
