"""`seatrial load`: start, load and stop of every built variant, in interleaved rounds."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.engine.builder import building
from harness.engine.client import Engine
from harness.errors import NoValidMeasurement, UsageError
from harness.model import CapacityResult, Image, RunInfo, Say
from images import bases as base_images
from images import wheels
from images.app_wheels import target
from images.bases import catalogue
from loadtests import generator, pending, schedule
from loadtests.capacity import estimate_s
from loadtests.setting import Setting, find_cores
from seatrial import options
from seatrial.capacity_search import search
from seatrial.compare import publish
from seatrial.outcome import exit_code, tell
from seatrial.record import opened, refuse_mixing, take_conditions
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images

GENERATOR_BASE = "python:3.13-slim-trixie"


def generator_image(workspace: Workspace, engine: Engine, say: Say) -> str:
    """Return the reference of the load generator's image, built where the engine lacks it.

    Raises:
        BuildFailed: it cannot be built.

    """
    settings = workspace.settings
    base = base_images.resolve(GENERATOR_BASE, engine, mode=settings.bases, say=say, heard=workspace.heard)
    place = target(GENERATOR_BASE, catalogue().get(GENERATOR_BASE), engine.machine)
    with building(engine) as builder:
        return generator.ensure_image(
            engine,
            base=base,
            wheels=lambda lock: wheels.fetch(lock, place, say=say).folder,
            builder=builder,
            log=workspace.folder.folder("logs") / "generator-build.log",
            say=say,
            contract=settings.contract,
        )


def usual_setting(workspace: Workspace, engine: Engine, screen: Screen) -> Setting:
    """Return where and how one variant after the other is loaded, as the workspace says; the generator is built.

    Raises:
        BuildFailed: the generator's image cannot be built.

    """
    generator = generator_image(workspace, engine, screen.say)
    return Setting(
        run_profile=workspace.run_profile,
        load_profile=workspace.load_profile,
        generator_image=generator,
        cores=find_cores(engine, generator),
        live=screen.rate,
    )


def load(workspace: Workspace, engine: Engine, screen: Screen, info: RunInfo, images: Sequence[Image]) -> None:
    """Make every trial of the load profile that the run's folder does not have yet.

    Raises:
        UsageError: the folder holds trials under other profiles or another contract.
        EngineMissing: the engine went away; the trials so far are kept.

    """
    info = take_conditions(workspace, info)
    plan = pending.Plan(
        images=images,
        run_profile=workspace.run_profile,
        load_profile=workspace.load_profile,
        seed=info.seed or 0,
        live=screen.rate,
    )
    done = workspace.folder.trials()
    steps = pending.steps_left(plan, done)
    screen.plan("load", steps, pending.estimate_s(plan, done) / max(1, steps))
    setting = schedule.run(
        plan,
        engine=engine,
        generator_image=generator_image(workspace, engine, screen.say),
        store=workspace.folder,
        progress=screen.phase("load"),
    )
    if plan.load_profile.capacity is not None:
        search(workspace, engine, screen, info, images, setting, plan.load_profile.capacity)


def plan_load(workspace: Workspace, screen: Screen) -> None:
    """Tell the screen how much there will be to load, before there is an image."""
    profile = workspace.load_profile
    if profile.capacity is not None:
        screen.plan("capacity", len(workspace.variants), estimate_s(profile.capacity))
    screen.plan("load", len(workspace.variants), profile.rounds * (profile.warmup_s + profile.measure_s + 4.0))


def forget_trials(workspace: Workspace) -> None:
    """Drop the trials of the chosen variants, which are about to be made anew."""
    chosen = {variant.name for variant in workspace.variants}
    for answer in workspace.folder.answers(CapacityResult):
        if answer.variant in chosen:
            workspace.folder.drop_answer(answer)
    for trial in workspace.folder.trials():
        if trial.variant in chosen:
            workspace.folder.drop_trial(trial)


@click.command()
@options.variants
@options.chosen
@click.option("--resume", is_flag=True, help="Keep the trials that are there and make the missing ones.")
@click.option(
    "--aa", metavar="VARIANT", help="Compare a built variant with itself by slices; tell how often it differs."
)
@click.option("--comparisons", type=click.IntRange(1, 1000), help="With --aa: how many comparisons. [default: 10]")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    chosen: options.Chosen,
    resume: bool,
    aa: str | None,
    comparisons: int | None,
) -> int:
    """Measure start, load and stop of every built VARIANT (names or patterns; all, if none is given).

    Rounds are interleaved in a random order that the run records. Trials that break a guard are repeated, and reported
    as invalid where that does not help.
    """
    if comparisons is not None and aa is None:
        raise UsageError("--comparisons means nothing without --aa.")
    if aa is not None and (variants or chosen.load_profile):
        raise UsageError("--aa compares one variant with itself; it takes no other VARIANT, and no load profile.")
    workspace = chosen.open((aa,) if aa else variants)
    if aa is not None:
        # Here, since that verb is built on this one.
        from seatrial.duel import tell_self_comparisons

        return tell_self_comparisons(workspace, terminal, times=comparisons or 10, resume=resume)
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, info):
        images = built_images(workspace, engine)
        if not resume:
            refuse_mixing(workspace, info)
            forget_trials(workspace)
        load(workspace, engine, screen, info, images)
    found = publish(workspace)
    tell(found, workspace, terminal)
    code = exit_code(found, {variant.name for variant in workspace.variants}, judged=False)
    if code == NoValidMeasurement.exit_code and not resume:
        terminal.say("The logs of invalid trials are in the run's folder, under logs/.")
    return code
