"""`seatrial baseline save`: keeps a run's figures in a file that a team commits and later runs are judged against."""

from __future__ import annotations

from pathlib import Path

import click

from harness import stored_baselines
from harness.errors import UsageError
from harness.results import open_existing
from harness.sides import Run
from seatrial import options
from seatrial.decide import marked
from seatrial.terminal import Terminal
from seatrial.workspace import latest, read_settings


@click.group()
def command() -> None:
    """Keep a run's figures, so that later runs are judged against them by the [[regression]] thresholds."""


@command.command()
@options.settings
@click.option(
    "--from", "source", type=click.Path(path_type=Path), metavar="RUN", help="A run's folder or id. [default: latest]"
)
@options.baseline
@click.pass_obj
def save(terminal: Terminal, settings_file: Path | None, source: Path | None, stored_baseline: Path | None) -> int:
    """Write a run's figures, with their trials, to the stored baseline. It is small; commit it.

    What was not measured is kept as that. Figures of load compare only under the same load profile, run profile and
    contract; on another machine, times and rates compare as ratios to the baseline variant.
    """
    settings = read_settings(settings_file, stored_baseline=stored_baseline)
    path = source or latest(settings)
    folder = open_existing(path if path.exists() else settings.results / path)
    results = marked(folder.load(), settings)
    if results.finished_at is None and not results.verdicts and not results.load_trials and not results.scans:
        raise UsageError(f"The run {results.run_id} has measured nothing yet.")
    baseline = stored_baselines.of_run(Run(results=results, histogram=folder.histogram))
    stored_baselines.save(baseline, settings.stored_baseline)
    size = settings.stored_baseline.stat().st_size
    terminal.give(
        {"baseline": str(settings.stored_baseline), "run_id": baseline.run_id, "variants": list(baseline.variants)}
    )
    terminal.out.print(
        f"{settings.stored_baseline}: {len(baseline.variants)} variants of {baseline.run_id}, {size / 1000:.0f} kB",
        markup=False,
        soft_wrap=True,
    )
    return 0
