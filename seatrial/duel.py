"""`seatrial duel`: is B slower than A? The sliced comparison of two built variants, or of two ways to start them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import click
from rich.table import Table
from rich.text import Text

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.errors import ContractBroken, NoValidMeasurement, UsageError
from harness.model import Guard, Image, NotMeasured, Ratio, SlicedComparison
from loadtests import slices
from loadtests.setting import find_cores
from loadtests.slicing_sides import Side, check
from seatrial import options
from seatrial.compare import publish
from seatrial.load import generator_image
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images, open_workspace

FIGURES = (
    ("request_time", "request time (median)", "judged by this"),
    ("throughput", "requests per busy second", "slices trimmed"),
    ("throughput_untrimmed", "requests per busy second", "all slices"),
    ("latency_p99", "latency p99", "all requests"),
    ("cpu_seconds_per_request", "CPU time per request", "the cgroup's"),
)


def compare(
    plan: slices.Plan, workspace: Workspace, engine: Engine, screen: Screen, *, times: int = 1, resume: bool = False
) -> list[SlicedComparison]:
    """Make a sliced comparison, or several of the same, each kept in the run's folder.

    Args:
        plan: what is compared.
        workspace: where it is kept.
        engine: where it runs.
        screen: shows how far it is.
        times: how often, with fresh seeds.
        resume: whether pairs that are kept of the same comparison are taken over.

    Raises:
        UsageError: slices cannot compare the two.

    """
    check(plan.a, plan.b, engine)
    image = generator_image(workspace, engine, screen.say)
    cores = find_cores(engine, image)
    if cores.shared:
        screen.say("There is one core only: the generator takes its time from both sides alike.")
    screen.plan("duel", times * plan.pairs, plan.seconds / plan.pairs + slices.SECONDS_AROUND_PAIR)
    random = Random(plan.seed)  # noqa: S311 - an order, no secret
    plans = [replace(plan, id=plan.id if times == 1 else f"{plan.id}-{n}", seed=random.randrange(1 << 31))
             for n in range(1, times + 1)]  # fmt: skip
    ids = {one.id for one in plans}
    known = {one.id: one for one in workspace.folder.sliced() if one.id in ids}
    for one in () if resume else known.values():
        workspace.folder.drop_sliced(one)
    return [
        slices.compare(
            one, engine=engine, generator_image=image, cores=cores, store=workspace.folder,
            progress=screen.phase("duel"), known=known.get(one.id) if resume else None,
        )
        for one in plans
    ]  # fmt: skip


def self_comparisons(
    workspace: Workspace, engine: Engine, screen: Screen, image: Image, *, seed: int, times: int, resume: bool = False
) -> list[SlicedComparison]:
    """Compare a variant with itself, its run profile's CPU limit taken off, and return all comparisons."""
    side = Side(image=image, run_profile=run_profiles.load(workspace.settings.run_profile))
    plan = slices.Plan(id=f"{image.variant}-itself", a=side, b=side, seed=seed).without_quota()
    return compare(plan, workspace, engine, screen, times=times, resume=resume)


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@options.settings
@options.results
@options.bases
@options.run_profile
@click.option("--run-profile-b", metavar="NAME", help="The run profile of side B. [default: the same as A's]")
@click.option(
    "--without-quota", is_flag=True, help="Take the run profiles' CPU limits off on both sides; slices hide them."
)
@click.option("--pairs", type=click.IntRange(1, 1000), default=slices.PAIRS, show_default=True,
              help="Pairs of fresh containers; fewer than 6 give no judgement.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(1, 36_000), default=slices.SECONDS, show_default=True,
              help="Measured time, all pairs and both sides together.")  # fmt: skip
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME",
              help="An endpoint of the contract; several for a mix. [default: the first one asked]")  # fmt: skip
@click.option("--connections", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Connections kept to each side and used in turn, never at once. One sees one worker.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the same comparison from the pairs that are kept of it.")
@click.pass_obj
def command(
    terminal: Terminal,
    a: str,
    b: str,
    settings_file: Path | None,
    results: Path | None,
    bases: str | None,
    run_profile: str | None,
    run_profile_b: str | None,
    without_quota: bool,
    pairs: int,
    seconds: float,
    endpoints: tuple[str, ...],
    connections: int,
    resume: bool,
) -> int:
    """Tell whether variant B is slower than variant A, on a machine that is not quiet.

    Both run at once on one core, and one generator asks them in turn, in slices of 20 ms. What disturbs the machine
    disturbs both alike. A and B may be the same variant under two run profiles.
    """
    workspace = open_workspace(
        settings_file, results, variants=tuple(dict.fromkeys((a, b))), bases=bases, run_profile=run_profile
    )
    screen = Screen(terminal)
    first = workspace.run_profile
    second = run_profiles.load(run_profile_b) if run_profile_b else first
    with opened(workspace, screen) as (engine, info):
        built = {image.variant: image for image in built_images(workspace, engine)}
        plan = slices.Plan(
            id="", a=Side(image=built[a], run_profile=first), b=Side(image=built[b], run_profile=second),
            seed=info.seed or 0, pairs=pairs, seconds=seconds, endpoints=dict(Counter(endpoints)),
            connections=connections,
        )  # fmt: skip
        plan = plan.without_quota() if without_quota else plan
        names = (a, plan.a.run_profile.name, b, plan.b.run_profile.name)
        plan = replace(plan, id=re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(names)))
        (found,) = compare(plan, workspace, engine, screen, resume=resume)
    publish(workspace)
    terminal.give(found)
    terminal.out.print(table(found))
    for line in sentences(found):
        terminal.out.print(Text(line), soft_wrap=True)
    return exit_code(found)


def tell_self_comparisons(workspace: Workspace, terminal: Terminal, *, times: int, resume: bool = False) -> int:
    """Compare the workspace's one variant with itself, tell how often it differed, and return the exit code."""
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, info):
        image, *more = built_images(workspace, engine)
        if more:
            raise UsageError("--aa takes one variant, and its pattern matches several.")
        found = self_comparisons(workspace, engine, screen, image, seed=info.seed or 0, times=times, resume=resume)
    publish(workspace)
    terminal.give(found)
    for line in called(found):
        terminal.out.print(Text(line), soft_wrap=True)
    return max(exit_code(one) for one in found)


def exit_code(found: SlicedComparison) -> int:
    """Return the exit code that a comparison asks for."""
    if any(one.guard is Guard.CONTRACT_BROKEN for pair in found.pairs for one in pair.broken_guards):
        return ContractBroken.exit_code
    return NoValidMeasurement.exit_code if isinstance(found.request_time, NotMeasured) else 0


def table(found: SlicedComparison) -> Table:
    """Return the figures of one comparison, B over A."""
    shown = Table("B over A", "", "ratio", "95% interval", "differs")
    for name, title, how in FIGURES:
        value: Ratio | NotMeasured = getattr(found, name)
        if isinstance(value, NotMeasured):
            shown.add_row(title, how, "not measured", value.not_measured, "")
        else:
            shown.add_row(title, how, f"{value.value:.4f}", interval(value), mark(value))
    return shown


def sentences(found: SlicedComparison) -> list[str]:
    """Return what a comparison says, with the method that it rests on, and what limits it."""
    a, b = (f"{side.variant} ({side.run_profile})" for side in found.sides)
    said = [f"{verdict(a, b, found.request_time)}."]
    if isinstance(found.request_time, Ratio):
        said.append(
            f"Method: {found.request_time.method}; request times in slices of {found.slice_seconds * 1e3:g} ms."
        )
    if found.without_quota:
        said.append("CPU limits were taken off on both sides: what a limit costs is not in this.")
    if found.a.interpreter != found.b.interpreter:
        said.append(f"The two run other interpreters. A: {found.a.interpreter}. B: {found.b.interpreter}.")
    standing_in = {side.base: side.stand_in_for for side in found.sides if side.stand_in_for}
    if len({side.base for side in found.sides}) > 1:
        said += [why for why in standing_in.values() if why]
    invalid = [pair for pair in found.pairs if not pair.valid]
    said += [
        f"Pair {one.index} is invalid: {each.guard}: {each.evidence}" for one in invalid for each in one.broken_guards
    ]
    return said


def verdict(a: str, b: str, ratio: Ratio | NotMeasured) -> str:
    """Return the judgement in a sentence."""
    if isinstance(ratio, NotMeasured):
        return f"{b} against {a}: not measured: {ratio.not_measured}"
    percent = abs(ratio.value - 1) * 100
    if ratio.significant is None:
        return f"{b} takes {ratio.value:.4f} of the time of {a}, without a judgement: too few pairs"
    if not ratio.significant:
        return f"{b} ~ {a}: no difference is found; its time is {interval(ratio)} of the other's"
    return f"{b} is {'slower' if ratio.value > 1 else 'faster'} than {a}: its requests take {percent:.1f}% " + (
        f"{'more' if ratio.value > 1 else 'less'} time ({interval(ratio)})"
    )


def interval(ratio: Ratio) -> str:
    """Return a ratio's interval."""
    return "none" if ratio.low is None or ratio.high is None else f"{ratio.low:.4f} to {ratio.high:.4f}"


def mark(ratio: Ratio) -> str:
    """Return whether a ratio differs from 1: yes, ~ or not judged."""
    return "not judged" if ratio.significant is None else "yes" if ratio.significant else "~"


def called(comparisons: list[SlicedComparison]) -> list[str]:
    """Return how often comparisons of a variant with itself called a difference, and how wide they were."""
    judged = [one.request_time for one in comparisons if isinstance(one.request_time, Ratio)]
    wrong = [one for one in judged if one.significant]
    halves = sorted((one.high - one.low) / 2 for one in judged if one.low is not None and one.high is not None)
    variant = comparisons[0].a.variant
    said = [
        f"A difference was called in {len(wrong)} of {len(judged)} comparisons of {variant} with itself, by slices."
    ]
    if halves:
        said.append(f"Half widths of the intervals: median {halves[len(halves) // 2]:.2%}, largest {halves[-1]:.2%}.")
    if len(judged) < len(comparisons):
        said.append(f"{len(comparisons) - len(judged)} more gave no judgement.")
    return said
