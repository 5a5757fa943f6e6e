"""`seatrial cost`: what hardening, network path, limits or workers cost a variant, one thing changed at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

import click

from harness.asked.one_thing import experiment_table, gaps
from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.errors import NoValidMeasurement, UsageError
from harness.model import Experiment, Image, Interval, Ratio
from harness.results import RunFolder
from loadtests import experiment_plan, experiments, journeys, questions
from loadtests.experiment_plan import Plan, Question
from loadtests.plain_process import PlainRunner, exported_root, reason_against
from loadtests.ports import free_ports
from loadtests.questions import Arm
from loadtests.setting import Setting, all_cores
from seatrial import options
from seatrial.answers import beside, of_table
from seatrial.compare import publish
from seatrial.load import usual_setting
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import built_images

PLAIN_PROFILE = "article"
HOSTS_NETWORK = "On the host's network the container can be reached from elsewhere too, for as long as a trial takes."
SHARED_CORES = "With all cores, target and generator take each other's time: the figure is the least that it can be."
CHROOT = "The process has no cgroup: its CPU time is that of its processes, and its memory is not read."
READ_FLAGS = "A flag's cost is over the plain flags with that flag alone; costs need not add up."


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured, and of what."""

    rounds: int
    pairs: int
    seconds: float
    endpoints: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()


def plan(
    question: Question,
    image: Image,
    setting: Setting,
    engine: Engine,
    seed: int,
    extent: Extent,
    known: Experiment | None,
) -> Plan:
    """Return one experiment on one image.

    Raises:
        UsageError: the image does not fit the question.
        SeatrialError: the engine could not say which cores or ports there are.

    """
    arms: Sequence[Arm]
    remarks: tuple[str, ...] = ()
    if question == "hardening":
        arms = questions.hardening(setting, run_profiles.load(PLAIN_PROFILE), setting.run_profile)
        remarks = (READ_FLAGS,)
    elif question == "path":
        ports = free_ports(engine, setting.generator_image, 2)
        arms, remarks = questions.path(setting, *ports), (HOSTS_NETWORK,)
    elif question == "process":
        arms = questions.plain_process(setting, *free_ports(engine, setting.generator_image, 1))
        remarks = (HOSTS_NETWORK, CHROOT)
    elif question == "cpus":
        cores = all_cores(engine, setting.generator_image)
        arms, remarks = questions.cpus(setting, cores), (SHARED_CORES,) if len(cores) > 1 else ()
    elif question == "classes":
        questions.refuse_no_gunicorn(image)
        arms = questions.classes(setting, journeys.telling(engine, setting.generator_image, extent.endpoints))
    else:
        questions.refuse_no_gunicorn(image)
        arms = questions.workers(
            setting, extent.workers or questions.WORKER_STEPS, extent.threads or questions.THREAD_STEPS
        )
    return Plan(
        question=question,
        image=image,
        arms=arms,
        seed=seed,
        rounds=extent.rounds,
        pairs=extent.pairs,
        sliced_s=extent.seconds,
        remarks=remarks,
        known=known,
    )


@contextmanager
def plain_process(one: Plan, engine: Engine) -> Iterator[Plan]:
    """Lend a plan whose plain process can be started; other plans as they are.

    Raises:
        UsageError: there can be none here.

    """
    if one.question != "process":
        yield one
        return
    refuse_no_process(engine)
    with exported_root(engine, one.image) as root:
        document = engine.image(one.image.digest) or {}
        runner = PlainRunner(root=root, config=document.get("Config") or {})
        yield dataclasses.replace(one, runners={"process": runner})


def refuse_no_process(engine: Engine) -> None:
    """Refuse where there is no plain process to compare with.

    Raises:
        UsageError: the engine is elsewhere, or this user is not root.

    """
    why = reason_against(engine)
    if why is not None:
        raise UsageError(f"The container cannot be set against a plain process: {why}.")


def forget(folder: RunFolder, known: Experiment) -> None:
    """Drop an experiment with its sliced comparisons."""
    mine = {row.sliced for row in known.arms}
    for one in folder.sliced():
        if one.id in mine:
            folder.drop_sliced(one)
    folder.drop_answer(known)


def measured(found: Experiment) -> bool:
    """Say whether any row has a figure."""
    return any(
        isinstance(row.throughput_rps, Interval) or isinstance(row.throughput_ratio, Ratio) for row in found.arms
    )


@click.command()
@options.variants
@options.chosen
@click.option(
    "--of",
    "asked",
    type=click.Choice(get_args(Question)),
    multiple=True,
    required=True,
    help="What is varied; may be given several times.",
)
@click.option("--rounds", type=click.IntRange(1, 1000), default=experiment_plan.ROUNDS, show_default=True,
              help="Rounds of 5 s and more; fewer than 3 give no judgement.")  # fmt: skip
@click.option("--pairs", type=click.IntRange(1, 1000), default=experiment_plan.SLICED_PAIRS, show_default=True,
              help="Pairs of fresh containers where it goes by slices; fewer than 6 give no judgement.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(1, 36_000), default=experiment_plan.SLICED_SECONDS, show_default=True,
              help="Measured time of all such pairs of a flag together.")  # fmt: skip
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME",
              help="With --of classes: what is asked. [default: what the contract names, else its mix]")  # fmt: skip
@options.workers
@options.threads
@click.option("--resume", is_flag=True, help="Keep the trials of the same experiment that are there.")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    chosen: options.Chosen,
    asked: tuple[Question, ...],
    rounds: int,
    pairs: int,
    seconds: float,
    endpoints: tuple[str, ...],
    workers: tuple[int, ...],
    threads: tuple[int, ...],
    resume: bool,
) -> int:
    """Tell what one thing at a time costs each built VARIANT.

    hardening: each flag of the run profile alone on top of the article's, all together, and the CPU limit by itself.
    path: in one namespace, on the host's network, through a published port on 127.0.0.1.
    cpus: half a core, one, all. workers: gunicorn's workers and threads.
    classes: gunicorn's worker classes, on endpoints that wait and that compute.
    process: the container against the same files as a plain process; as root, with the engine on this machine.

    Flags are compared in slices, as `seatrial duel` does; the rest by interleaved rounds of 5 s and more.
    """
    extent = Extent(rounds=rounds, pairs=pairs, seconds=seconds, endpoints=endpoints, workers=workers, threads=threads)
    workspace = chosen.open(variants)
    screen = Screen(terminal)
    found: list[Experiment] = []
    with opened(workspace, screen) as (engine, info):
        images = built_images(workspace, engine)
        setting = usual_setting(workspace, engine, screen)
        known = {one.name: one for one in workspace.folder.answers(Experiment)}
        plans = []
        if "process" in asked:
            refuse_no_process(engine)
        for image in images:
            for question in asked:
                name = f"{question}-{image.variant}"
                if not resume and name in known:
                    forget(workspace.folder, known.pop(name))
                plans.append(plan(question, image, setting, engine, info.seed or 0, extent, known.get(name)))
        for number, one in enumerate(plans):
            screen.plan(f"cost {number + 1}", experiment_plan.steps(one), experiment_plan.estimate_s(one))
        for number, one in enumerate(plans):
            progress = screen.phase(f"cost {number + 1}")
            with plain_process(one, engine) as ready:
                found.append(
                    experiments.run(
                        ready,
                        engine=engine,
                        generator_image=setting.generator_image,
                        store=workspace.folder,
                        progress=progress,
                    )
                )
    publish(workspace)
    terminal.give(found)
    for experiment in found:
        shown = experiment_table(experiment)
        terminal.out.print(of_table(shown))
        for line in beside(shown):
            terminal.out.print(line, markup=False, soft_wrap=True)
        for row in experiment.arms:
            terminal.out.print(f"{row.name}: {row.what}", markup=False, soft_wrap=True)
        for remark in experiment.remarks:
            terminal.out.print(remark, markup=False, soft_wrap=True)
        for gap in gaps(experiment):
            terminal.err.print(gap, markup=False, soft_wrap=True)
    return 0 if all(measured(one) for one in found) else NoValidMeasurement.exit_code
