"""`seatrial compare`: a run judged by its budgets and thresholds, or two sides laid beside each other."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from harness import budgets, preferences, stored_baselines
from harness.budgets import Limits
from harness.errors import BudgetExceeded, UsageError
from harness.metrics import Measurements
from harness.model import Baseline, Results, RunComparison, Variant, Verdict, VerdictKind
from harness.results import RunFolder, open_existing
from harness.samples import Histogram
from harness.settings import Settings
from harness.verdicts import judge, sentence
from images import variants as variant_files
from report import github, side_by_side
from report.conclusion import Conclusion, conclude
from report.text import clean
from seatrial import options
from seatrial.decide import decide
from seatrial.operands import compared
from seatrial.outcome import DONE, exit_code
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, latest, read_settings

FORMATS = ("text", "markdown", "json", "github")


def compare(folder: RunFolder, settings: Settings) -> Results:
    """Apply the decisions to a run, judge it by the settings' budgets, and write its results.json.

    Raises:
        UsageError: the budgets, the stored baseline, the ignore file or a VEX document cannot be read, or what is
            preferred is no metric.
        UnreadableOutput: a part of the run cannot be read.

    """
    results = decide(folder, settings).model_copy(update={"preference": preferences.read(settings.prefer)})
    return folder.assemble(judged(results, settings, folder.histogram), whole=results)


def judged(results: Results, settings: Settings, histogram: Histogram | None) -> tuple[Verdict, ...]:
    """Judge a run, whose findings are marked, by the settings' budgets and thresholds; the one way for all.

    Raises:
        UsageError: the budgets or the stored baseline cannot be read, or one of the user's own matches no variant.
        UnreadableOutput: a histogram file or the stored baseline is missing or damaged.

    """
    found = limits(settings, results.variants)
    return judge(results, found.budgets, histogram, found.regressions, baseline_of(settings))


def judging(settings: Settings, stored_baseline: Path | None, prefer: Sequence[str]) -> Settings:
    """Return the settings with what the command line said of judging over them; wrong names are told now.

    Raises:
        UsageError: what is preferred is no metric, or a stored baseline that is named cannot be read.
        UnreadableOutput: it is no baseline.

    """
    said: dict[str, object] = {}
    if stored_baseline is not None:
        said["stored_baseline"] = stored_baseline
    if prefer:
        said["prefer"] = preferences.parse(prefer)
    found = settings.model_copy(update=said)
    preferences.read(found.prefer)
    baseline_of(found)
    return found


def limits(settings: Settings, variants: Sequence[Variant]) -> Limits:
    """Return the settings' budgets and thresholds. Those that come with Seatrial need not match another app's variants.

    Raises:
        UsageError: the budgets cannot be read, or one of the user's own matches no variant.

    """
    if settings.budgets == Settings().budgets:
        return budgets.load(settings.budgets)
    known = {variant.name for variant in (*variants, *variant_files.discover(settings.images))}
    return budgets.load(settings.budgets, known)


def baseline_of(settings: Settings) -> Baseline | None:
    """Return the stored baseline; None where there is none in the usual place, which nobody has to have.

    Raises:
        UsageError: the settings or the command line name one, and it is not there.
        UnreadableOutput: it cannot be read.

    """
    if "stored_baseline" not in settings.model_fields_set and not settings.stored_baseline.exists():
        return None
    return stored_baselines.load(settings.stored_baseline)


def publish(workspace: Workspace) -> Results:
    """Judge what a single verb added to, and let `latest` point to it where there is no latest yet."""
    results = compare(workspace.folder, workspace.settings)
    if not latest(workspace.settings).exists():
        workspace.folder.point_latest()
    return results


def says_github() -> bool:
    """Say whether this runs in a GitHub workflow, where what went wrong is told as annotations too."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@click.command()
@click.argument("sides", nargs=-1, metavar="[A B]")
@options.settings
@options.results
@options.baseline
@options.prefer
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How it is told. [default: text; in a GitHub workflow, text and annotations]",
)
@click.pass_obj
def command(
    terminal: Terminal,
    sides: tuple[str, ...],
    settings_file: Path | None,
    results: Path | None,
    stored_baseline: Path | None,
    prefer: tuple[str, ...],
    form: str | None,
) -> int:
    """Judge a run by its budgets and regression thresholds; or lay A and B side by side.

    A and B are two runs (folders or ids), two variants of the run that --results names, variants of two runs
    (RUN:VARIANT), a stored baseline (a .json file) and a run, or two images that the engine has.
    Every ratio is of B over A.

    The exit code is 1 where a budget or a regression threshold is exceeded; without A and B, 5 or 6 where there are no
    figures to judge.
    """
    settings = judging(read_settings(settings_file), stored_baseline, prefer)
    if terminal.as_json and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} are two forms.", "Leave one of them out.")
    form = "json" if terminal.as_json else form
    if not sides:
        return _judge_run(terminal, settings, results, form)
    if len(sides) != 2:
        raise UsageError(f"There {'is one side' if len(sides) == 1 else f'are {len(sides)} sides'}, not two.",
                         "Name two runs, two variants, or two images.")  # fmt: skip
    # What the patterns match is known from the sides, and need not be a variant of this project.
    thresholds = budgets.load(settings.budgets).regressions
    found = compared(*sides, settings=settings, results=results, thresholds=thresholds, terminal=terminal)
    _tell(found, terminal, form)
    if not found.verdicts:
        why = "of which none is about what was compared" if thresholds else "which are none"
        terminal.say(f"Judged by the [[regression]] thresholds of {settings.budgets}, {why}: nothing was judged.")
    return BudgetExceeded.exit_code if any(_exceeded(one) for one in found.verdicts) else DONE


def _judge_run(terminal: Terminal, settings: Settings, results: Path | None, form: str | None) -> int:
    folder = open_existing(results or latest(settings))
    found = compare(folder, settings)
    pick = conclude(Measurements(found, folder.histogram))
    if form == "json":
        terminal.json(_json_of(found.verdicts, pick))
    elif form == "markdown":
        terminal.json(side_by_side.verdicts_markdown(found.verdicts).rstrip("\n"))
    elif form != "github":
        for one in found.verdicts:
            line = clean(f"{side_by_side.MARKS[one.kind]:12}  {sentence(one)}: {one.message}")
            terminal.out.print(shown(line), markup=False, soft_wrap=True)
        said = " ".join(part for part in (pick.headline, pick.why, pick.gives_up) if part)
        terminal.out.print(shown(clean(said)), markup=False, soft_wrap=True)
    _annotate(found.verdicts, terminal, form)
    idle = len(limits(settings, found.variants).regressions) if baseline_of(settings) is None else 0
    if idle:
        terminal.say(
            f"No baseline is stored, so {idle} regression thresholds were not applied: `seatrial baseline save`."
        )
    # What was never loaded is told as not measured; what was loaded must have figures.
    return exit_code(found, {trial.variant for trial in found.load_trials})


def _tell(found: RunComparison, terminal: Terminal, form: str | None) -> None:
    if form == "json":
        terminal.json(found.model_dump_json(indent=2))
    elif form == "markdown":
        terminal.json(side_by_side.markdown(found).rstrip("\n"))
    elif form != "github":
        terminal.json(shown(side_by_side.text(found).rstrip("\n")))
    _annotate(found.verdicts, terminal, form)


def _annotate(judged: Sequence[Verdict], terminal: Terminal, form: str | None) -> None:
    if form == "github" or (form in (None, "text") and says_github()):
        for line in github.commands(judged):
            terminal.json(line)


def shown(text: str) -> str:
    """Return text as it may be printed: a workflow's log takes some of it for commands."""
    return github.defused(text) if says_github() else text


def _exceeded(one: Verdict) -> bool:
    return one.kind is VerdictKind.EXCEEDED


def _json_of(judged: Sequence[Verdict], pick: Conclusion) -> str:
    rows: list[dict[str, Any]] = [one.model_dump(mode="json") for one in judged]
    chosen = {name: getattr(pick, name) for name in ("pick", "headline", "why", "gives_up", "standings", "rule")}
    return json.dumps({"verdicts": rows, "recommendation": chosen}, indent=2)
