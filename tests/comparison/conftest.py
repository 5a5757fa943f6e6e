"""Judges one run's results folder as `seatrial compare` does, by the same functions: one test for each verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import verdicts
from harness.errors import SeatrialError
from harness.model import Verdict
from harness.results import open_existing
from report import github
from seatrial.compare import judged, says_github
from seatrial.decide import marked
from seatrial.workspace import latest, read_settings

VERDICTS = pytest.StashKey[tuple[Verdict, ...]]()
FILES = ("--results", "--settings", "--budgets", "--baseline")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("seatrial", "which results are judged, and by which budgets")
    group.addoption("--results", metavar="DIR", help="a run's folder [the settings' newest run]")
    group.addoption("--settings", metavar="FILE", help="the settings [seatrial.toml, where there is one]")
    group.addoption("--budgets", metavar="FILE", help="budgets and regression thresholds, as TOML [the settings' own]")
    group.addoption("--baseline", metavar="FILE", help="the stored baseline [the settings' own, where it is there]")
    group.addoption(
        "--github", action="store_true", help="end with GitHub's annotations, which a GitHub workflow gets anyway"
    )


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[VERDICTS] = _judge(*(_path(config, name) for name in FILES))
    except SeatrialError as error:
        raise pytest.UsageError(f"{error.message} {error.hint}".strip()) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "verdict" in metafunc.fixturenames:
        found = metafunc.config.stash[VERDICTS]
        metafunc.parametrize("verdict", found, ids=[verdicts.sentence(one) for one in found])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if says_github() or config.getoption("--github", False):
        found: tuple[Verdict, ...] = config.stash[VERDICTS]
        for line in github.commands(found):
            terminalreporter.write_line(line)


def _path(config: pytest.Config, name: str) -> Path | None:
    """Return an option's path; where this folder is only a part of what is collected, pytest never asked for it."""
    value = config.getoption(name, None)
    return Path(value) if value else None


def _judge(
    folder: Path | None, settings_file: Path | None, limits: Path | None, baseline: Path | None
) -> tuple[Verdict, ...]:
    settings = read_settings(settings_file, budgets=limits, stored_baseline=baseline)
    run = open_existing(folder or latest(settings))
    found = judged(marked(run.load(), settings), settings, run.histogram)
    if not found:
        raise pytest.UsageError(f"No limit of {settings.budgets} is about a variant of {run.path}.")
    return found
