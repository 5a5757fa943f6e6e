"""`seatrial report`: a run's report.html, summary.md, junit.xml and security files, made from its folder."""

from __future__ import annotations

from pathlib import Path

import click

from harness.comparison import compare_runs
from harness.errors import SeatrialError, UsageError
from harness.model import Results, RunComparison
from harness.results import RunFolder, open_existing
from harness.settings import Settings
from harness.sides import Run
from report import html, junit, summary, trend
from seatrial import options
from seatrial.compare import compare, judging
from seatrial.decide import marked
from seatrial.security_files import write_security_files
from seatrial.terminal import Terminal
from seatrial.workspace import latest, read_settings
from security.version_order import order


def report(folder: RunFolder, results: Results, settings: Settings, previous: RunFolder | None = None) -> Path:
    """Write a run's report, its summary, its verdicts as JUnit XML and its security files; return the report's path.

    What is accepted today is marked in the earlier run too: else a new entry of the ignore file would look like a fix.

    Raises:
        UsageError: a file cannot be written.
        UnreadableOutput: a part of either run cannot be read.

    """
    page = folder.path / "report.html"
    before = marked(previous.load(), settings) if previous else None
    html.write(
        results,
        page,
        histogram=folder.histogram,
        previous=before,
        previous_histogram=previous.histogram if previous else None,
        compared=None if previous is None or before is None else _compared(previous, before, folder, results),
    )
    folder.write_text("summary.md", summary.render(results, histogram=folder.histogram))
    folder.write_text("junit.xml", junit.render(results))
    write_security_files(folder, results)
    return page


def _compared(previous: RunFolder, before: Results, folder: RunFolder, results: Results) -> RunComparison:
    return compare_runs(
        Run(results=before, histogram=previous.histogram, listing=previous.listing),
        Run(results=results, histogram=folder.histogram, listing=folder.listing),
        order=order,
    )


def write_trend(runs: Path) -> Path:
    """Write trend.html into a folder of runs, of all of them that are complete, and return its path.

    Raises:
        UsageError: it is no folder, holds no run that can be read, or cannot be written to.

    """
    if not runs.is_dir():
        raise UsageError(f"{runs} is no folder.", "Name the folder that holds one folder a run.")
    found: list[trend.TrendRun] = []
    unread: list[tuple[str, str]] = []
    for path in sorted(one for one in runs.iterdir() if one.is_dir() and not one.is_symlink()):
        if not (path / "run.json").exists() and not (path / "results.json").exists():
            continue
        try:
            folder = open_existing(path)
            read = folder.load()
            if read.finished_at is None:
                unread.append((path.name, "it did not finish"))
                continue
            one = trend.TrendRun(results=read, histogram=folder.histogram)
            trend.of([one])  # A run whose histograms are gone is named, and does not take the others' page away.
            found.append(one)
        except SeatrialError as error:
            unread.append((path.name, error.message))
    if not found:
        why = "; ".join(f"{name}: {reason}" for name, reason in unread)
        raise UsageError(
            f"{runs} holds no complete run{f' ({why})' if why else ''}.", "`seatrial run` puts one folder a run there."
        )
    page = runs / "trend.html"
    try:
        page.write_text(html.render_trend(trend.of(found, unread)), "utf-8")
    except OSError as error:
        raise UsageError(f"{page} cannot be written: {error.strerror}.") from error
    return page


@click.command()
@options.settings
@options.results
@options.baseline
@options.prefer
@click.option(
    "--against", type=click.Path(path_type=Path), metavar="DIR", help="Another run's folder, to stand beside this one."
)
@click.option(
    "--trend",
    "trend_of",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write trend.html of all runs in FOLDER instead.",
)
@click.pass_obj
def command(
    terminal: Terminal,
    settings_file: Path | None,
    results: Path | None,
    stored_baseline: Path | None,
    prefer: tuple[str, ...],
    against: Path | None,
    trend_of: Path | None,
) -> int:
    """Write report.html, summary.md, junit.xml, findings.sarif and the other security files of a run anew.

    The run is judged anew as well, so what a run was given by --baseline or --prefer has to be given here too.
    """
    if trend_of is not None:
        if results or against or stored_baseline or prefer:
            raise UsageError("--trend shows all runs of a folder; it takes none of the options about one run.")
        page = write_trend(trend_of)
        terminal.give({"trend": str(page)})
        terminal.out.print(str(page), markup=False, soft_wrap=True)
        return 0
    settings = judging(read_settings(settings_file), stored_baseline, prefer)
    folder = open_existing(results or latest(settings))
    page = report(folder, compare(folder, settings), settings, open_existing(against) if against else None)
    terminal.give({"report": str(page)})
    terminal.out.print(str(page), markup=False, soft_wrap=True)
    return 0
