"""`seatrial neighbours`: what other containers on its core do to a variant, and which limits keep them from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.errors import ContractBroken, NoValidMeasurement
from harness.figures import digits
from harness.model import CapacityResult, Image, Interference, Interval, NeighbourKind, NotMeasured, RunInfo, RunProfile
from loadtests import neighbours
from loadtests.neighbour_limits import caps, limits_of
from loadtests.neighbour_plan import SIZES, Plan, Size, begun, estimate_s, steps
from loadtests.setting import Setting
from seatrial import options
from seatrial.capacity import plan_of
from seatrial.capacity_search import search
from seatrial.compare import publish
from seatrial.load import usual_setting
from seatrial.neighbours_table import tell
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images, open_workspace

DEFAULT_VARIANT = "slim-gunicorn"
DEFAULT_FACTOR = 2.0
NAMES = {kind.name.lower().replace("_", "-"): kind for kind in NeighbourKind}


def capacity_of(
    workspace: Workspace,
    engine: Engine,
    screen: Screen,
    info: RunInfo,
    image: Image,
    setting: Setting,
    rate: float | None,
) -> tuple[float, str]:
    """Return a variant's capacity, and where it is from: stated, in the run's folder already, or searched for now.

    Raises:
        NoValidMeasurement: the search came to nothing.

    """
    if rate is not None:
        return rate, "as stated with --rate"
    known = next((one for one in workspace.folder.answers(CapacityResult) if _same(one, image, setting)), None)
    if known is None:
        plan = plan_of(workspace.load_profile, None, None)
        known = search(workspace, engine, screen, info, [image], setting, plan)[0]
    if isinstance(known.capacity_rps, NotMeasured):
        raise NoValidMeasurement(
            f"The capacity of {image.variant} is not known: {known.capacity_rps.not_measured}",
            "State it with --rate, or measure when the machine is quiet.",
        )
    words = "searched for" if known.confirmed else f"searched for, and not confirmed: {known.remark}"
    return known.capacity_rps, f"{words}: p99 within {known.objective_p99_ms:g} ms"


def _same(one: CapacityResult, image: Image, setting: Setting) -> bool:
    asked = (image.variant, image.digest, setting.run_profile.name, setting.load_profile.name, "")
    found = (one.variant, one.image_digest, one.run_profile, one.load_profile, one.configuration)
    return one.finished and found == asked


def exit_code(found: Interference) -> int:
    """Return 5 where the undisturbed variant answers wrongly, 6 where nothing is set against it, else 0."""
    alone = [one for row in found.rows if row.kind is None for one in row.trials]
    if any(one.outcome == "wrong answers" for one in alone):
        return ContractBroken.exit_code
    measured = any(row.kind is None and isinstance(row.p99_ms, Interval) for row in found.rows)
    beside = any(row.kind is not None and row.held + row.not_held for row in found.rows)
    return 0 if measured and beside else NoValidMeasurement.exit_code


@click.command()
@click.argument("variant", default=DEFAULT_VARIANT)
@options.settings
@options.results
@options.bases
@options.load_profile
@options.run_profile
@click.option(
    "--kind", "kinds", type=click.Choice(list(NAMES)), multiple=True, help="What the neighbour does. [default: each]"
)
@click.option(
    "--size",
    type=click.Choice(list(SIZES)),
    default="quick",
    show_default=True,
    help="smoke: a minute or two; quick: under half an hour; full: hours.",
)
@click.option("--rounds", type=click.IntRange(1, 1000), help="In place of the size's own.")
@click.option(
    "--rate", type=click.FloatRange(min=1, max=100_000), help="The variant's capacity, where it is not to be searched."
)
@click.option(
    "--factor",
    type=click.FloatRange(min=1, min_open=True, max=1000),
    default=DEFAULT_FACTOR,
    show_default=True,
    help="Of its undisturbed p99, that the smallest set of limits is to keep.",
)
@click.option(
    "--neighbour-profile",
    metavar="NAME",
    default="neighbour",
    show_default=True,
    help="The run profile whose limits the neighbour is given.",
)
@click.option("--resume", is_flag=True, help="Keep the trials of the same comparison that are there.")
@click.pass_obj
def command(
    terminal: Terminal,
    variant: str,
    settings_file: Path | None,
    results: Path | None,
    bases: str | None,
    load_profile: str | None,
    run_profile: str | None,
    kinds: tuple[str, ...],
    size: str,
    rounds: int | None,
    rate: float | None,
    factor: float,
    neighbour_profile: str,
    resume: bool,
) -> int:
    """Load a built VARIANT at half and at four fifths of its capacity beside a neighbour on its core.

    The neighbour burns CPU, allocates memory, forks, writes to disk, fills the page cache, opens sockets or floods the
    variant with requests; each with and without limits on either. "Without limits" is within the harness's own, which
    the result names.

    The exit code is 5 where the undisturbed VARIANT answers wrongly, and 6 where it, or all beside a neighbour, have
    no valid trial.
    """
    workspace = open_workspace(
        settings_file, results, variants=(variant,), bases=bases, load_profile=load_profile, run_profile=run_profile
    )
    beside = run_profiles.load(neighbour_profile)
    # Before an engine is asked for anything: it may be what cannot be used.
    limits_of(beside, caps(0, 1.0))
    much = SIZES[size] if rounds is None else dataclasses.replace(SIZES[size], rounds=rounds)
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, info):
        plans = _plans(workspace, engine, screen, info, much, rate=rate, factor=factor, beside=beside, resume=resume,
                       kinds=tuple(NAMES[name] for name in dict.fromkeys(kinds or NAMES)))  # fmt: skip
        found = []
        for plan in plans:
            screen.plan("neighbours", steps(plan), estimate_s(plan))
            found.append(
                neighbours.run(plan, engine=engine, store=workspace.folder, progress=screen.phase("neighbours"))
            )
    publish(workspace)
    terminal.give(found)
    for one in found:
        tell(one, terminal)
    return max(exit_code(one) for one in found)


def _plans(
    workspace: Workspace,
    engine: Engine,
    screen: Screen,
    info: RunInfo,
    size: Size,
    *,
    kinds: tuple[NeighbourKind, ...],
    rate: float | None,
    factor: float,
    beside: RunProfile,
    resume: bool,
) -> list[Plan]:
    images = built_images(workspace, engine)
    setting = usual_setting(workspace, engine, screen)
    known = {one.variant: one for one in workspace.folder.answers(Interference)}
    plans = []
    for image in images:
        if not resume and image.variant in known:
            workspace.folder.drop_answer(known.pop(image.variant))
        capacity, source = capacity_of(workspace, engine, screen, info, image, setting, rate)
        screen.say(f"{image.variant}: its capacity is {digits(capacity)} requests a second, {source}")
        plan = Plan(
            image=image,
            setting=setting,
            neighbour_profile=beside,
            size=size,
            kinds=kinds,
            capacity_rps=capacity,
            capacity_from=source,
            factor=factor,
            machine_memory_bytes=int(engine.info().get("MemTotal") or 0),
            seed=info.seed or 0,
            known=known.get(image.variant),
        )
        if plan.known is not None and not begun(plan).rows:
            screen.say(f"{image.variant}: what is there was measured under other settings, and is begun anew")
            workspace.folder.drop_answer(plan.known)
        plans.append(plan)
    return plans
