"""`seatrial tune`: the configuration of gunicorn with the highest capacity under given limits."""

from __future__ import annotations

import math
from collections.abc import Callable

import click

from harness.asked.scaling import advice, tuned
from harness.engine.client import Engine
from harness.errors import NoValidMeasurement, UsageError
from harness.model import Image, LoadTrial, Tuning
from loadtests import capacity, questions, tuning
from loadtests.setting import Cores, Setting, all_cores
from seatrial import options
from seatrial.answers import beside, of_table
from seatrial.capacity import plan_of
from seatrial.compare import publish
from seatrial.load import generator_image
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images

SHARED = "The container may use every core, the generator's too: they take each other's time, and the figures are low."
MEGABYTE = 1 << 20


def cores_for(cpus: float | None, there: list[int]) -> Cores:
    """Return the cores of a target that may use `cpus`, and the generator's: the last one, its own where it can be."""
    wanted = min(len(there), max(1, math.ceil(cpus or 1)))
    return Cores(target=",".join(str(core) for core in there[:wanted]), generator=str(there[-1]))


def plan(
    workspace: Workspace,
    engine: Engine,
    image: Image,
    generator: str,
    *,
    cpus: float | None,
    memory_bytes: int | None,
    p99_ms: float | None,
    tolerance: float | None,
    workers: tuple[int, ...],
    threads: tuple[int, ...],
    seed: int,
    known: Tuning | None,
    live: Callable[[float], None] | None = None,
) -> tuning.Plan:
    """Return the tuning of one image under the run profile, with the command line's limits over its own."""
    profile, how = workspace.load_profile, workspace.run_profile
    limits = {"cpus": cpus, "memory_bytes": memory_bytes}
    how = how.model_copy(update={name: value for name, value in limits.items() if value is not None})
    there = all_cores(engine, generator)
    cores = cores_for(how.cpus, there)
    wanted = plan_of(profile, p99_ms, tolerance)
    measured = [one for one in workspace.folder.trials() if isinstance(one, LoadTrial)]
    start = capacity.start_rate(wanted, image, measured)
    return tuning.Plan(
        image=image,
        setting=Setting(run_profile=how, load_profile=profile, generator_image=generator, cores=cores, live=live),
        capacity=wanted.model_copy(update={"start_rps": start}),
        host_cores=len(there),
        seed=seed,
        workers=workers,
        threads=threads,
        known=known,
        remarks=(SHARED,) if cores.shared else (),
    )


@click.command()
@click.argument("variant")
@options.chosen
@click.option("--cpus", type=click.FloatRange(min=0.1, max=1024), help="CPU limit. [default: the run profile's]")
@click.option(
    "--memory",
    type=click.IntRange(min=16, max=1 << 20),
    metavar="MB",
    help="Memory limit. [default: the run profile's]",
)
@options.p99_ms
@options.tolerance
@options.workers
@options.threads
@click.option("--resume", is_flag=True, help="Go on with the same tuning where it was stopped.")
@click.pass_obj
def command(
    terminal: Terminal,
    variant: str,
    chosen: options.Chosen,
    cpus: float | None,
    memory: int | None,
    p99_ms: float | None,
    tolerance: float | None,
    workers: tuple[int, ...],
    threads: tuple[int, ...],
    resume: bool,
) -> int:
    """Find the workers, threads and worker class with which gunicorn serves most of VARIANT under its limits.

    Configurations race up a ladder of rates; the last ones, and gunicorn's usual advice of 2n + 1 workers, are then
    searched for their capacity in turns.
    """
    workspace = chosen.open((variant,))
    if len(workspace.variants) != 1:
        raise UsageError(f"{variant!r} names {len(workspace.variants)} variants.", "Tune one at a time.")
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, info):
        (image,) = built_images(workspace, engine)
        questions.refuse_no_gunicorn(image)
        mine = (image.variant, workspace.run_profile.name)
        tunings = workspace.folder.answers(Tuning)
        known = next((one for one in tunings if (one.variant, one.run_profile) == mine), None)
        if known is not None and not resume:
            workspace.folder.drop_answer(known)
            known = None
        wanted = plan(
            workspace, engine, image, generator_image(workspace, engine, screen.say), cpus=cpus,
            memory_bytes=None if memory is None else memory * MEGABYTE, p99_ms=p99_ms,
            tolerance=tolerance, workers=workers, threads=threads, seed=info.seed or 0, known=known,
            live=screen.rate,
        )  # fmt: skip
        screen.plan("tune", 2, tuning.estimate_s(wanted.capacity))
        found = tuning.run(wanted, engine=engine, store=workspace.folder, progress=screen.phase("tune"))
    publish(workspace)
    terminal.give(found)
    shown = tuned(found)
    terminal.out.print(of_table(shown))
    for line in beside(shown):
        terminal.out.print(line, markup=False, soft_wrap=True)
    for line in (*advice(found), *found.remarks):
        terminal.out.print(line, markup=False, soft_wrap=True)
    return 0 if found.best is not None else NoValidMeasurement.exit_code
