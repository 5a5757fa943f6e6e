"""`seatrial run`: the whole job: build, load, scan, attack, compare, report."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import SeatrialError, UsageError
from harness.results import RunFolder, now, open_existing
from seatrial import decide, options
from seatrial.build import build, plan_build
from seatrial.compare import compare, judging, limits
from seatrial.load import load, plan_load
from seatrial.outcome import exit_code, tell
from seatrial.probe import plan_probe, probe
from seatrial.record import opened
from seatrial.report import report
from seatrial.scan import plan_scan, scan
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, latest, new_workspace, resumed_workspace


def run(workspace: Workspace, screen: Screen, *, force: bool) -> None:
    """Build, load, scan and attack; every part is kept when it is done, and what is there is not done again."""
    plan_build(workspace, screen)
    plan_load(workspace, screen)
    plan_scan(workspace, screen)
    plan_probe(workspace, screen)
    with opened(workspace, screen, run_id=workspace.run_id) as (engine, info):
        images = build(workspace, engine, screen, force=force)
        load(workspace, engine, screen, info, images)
        scan(workspace, engine, screen, images)
        probe(workspace, engine, screen, images, resume=True, naive=True)
        info = workspace.folder.run_info()
        workspace.folder.write_run(info.model_copy(update={"finished_at": info.finished_at or now()}))


def earlier_run(workspace: Workspace) -> RunFolder | None:
    """Return the latest complete run, if it was of the same load profile and is whole: this one is set beside it."""
    try:
        found = open_existing(latest(workspace.settings))
        known = found.load()
        for trial in known.load_trials:
            for name in trial.histograms.values():
                found.histogram(name)
    except SeatrialError:
        return None
    same = found.path != workspace.folder.path and known.load_profile == workspace.settings.load_profile
    return found if same and known.finished_at else None


@click.command()
@options.variants
@options.settings
@options.bases
@options.load_profile
@options.run_profile
@options.baseline
@options.prefer
@click.option("--seed", type=click.IntRange(min=0), help="Orders the rounds and varies the inputs. [default: random]")
@click.option("--force", is_flag=True, help="Build anew what was built before from the same inputs.")
@click.option("--resume", is_flag=True, help="Go on with the newest run that was stopped half way.")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    settings_file: Path | None,
    bases: str | None,
    load_profile: str | None,
    run_profile: str | None,
    stored_baseline: Path | None,
    prefer: tuple[str, ...],
    seed: int | None,
    force: bool,
    resume: bool,
) -> int:
    """Build, load, scan, attack, compare and report every VARIANT (names or patterns; all, if none is given).

    The results are a folder of their own under results/; results/latest points to the newest complete run.
    """
    if resume:
        if variants or bases or load_profile or run_profile or seed is not None:
            raise UsageError("--resume goes on with a run as it was begun.", "Leave the other options out.")
        workspace = resumed_workspace(settings_file)
    else:
        workspace = new_workspace(
            settings_file,
            seed=seed,
            variants=variants,
            bases=bases,
            load_profile=load_profile,
            run_profile=run_profile,
        )
    screen = Screen(terminal)
    # What is wrong with budgets and decisions is told now, and not after the measuring.
    settings = judging(workspace.settings, stored_baseline, prefer)
    limits(settings, workspace.variants)
    decide.read(workspace.settings)
    try:
        run(workspace, screen, force=force)
        before = earlier_run(workspace)
        results = compare(workspace.folder, settings)
        page = report(workspace.folder, results, settings, before)
        workspace.folder.point_latest()
    except SeatrialError as error:
        if (workspace.folder.path / "run.json").exists():
            error.hint = f"{error.hint} What was measured is kept: `seatrial run --resume` goes on from there.".strip()
        raise
    tell(results, workspace, terminal)
    terminal.out.print(f"Report: {page}", markup=False, soft_wrap=True)
    return exit_code(results, {variant.name for variant in workspace.variants})
