"""Options that several verbs share, so that they are called and explained alike everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from seatrial.workspace import Workspace, open_workspace

settings = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The settings file. [default: seatrial.toml, where there is one]",
)
results = click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The run's folder that is read or added to. [default: results/latest]",
)
baseline = click.option(
    "--baseline",
    "stored_baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The stored baseline for regression thresholds. [default: seatrial-baseline.json, where there is one]",
)
prefer = click.option(
    "--prefer",
    multiple=True,
    metavar="METRIC[=WEIGHT]",
    help="What the pick weighs, and how much; may be given several times. [default: six metrics, all the same]",
)
bases = click.option(
    "--bases",
    type=click.Choice(["auto", "registry", "packages"]),
    help="Pull the public base images, make their like from packages, or see which works. [default: auto]",
)
load_profile = click.option(
    "--load-profile", metavar="NAME", help="smoke, quick, full, or a TOML file: how much load. [default: quick]"
)
run_profile = click.option(
    "--run-profile", metavar="NAME", help="hardened, article, or a TOML file: how containers are started."
)
advisories = click.option(
    "--advisories",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="OSV data to look components up in. [default: what `seatrial advisories update` fetched]",
)
p99_ms = click.option(
    "--p99-ms", type=click.FloatRange(min=0, min_open=True, max=60_000),
    help="The objective. [default: the load profile's, else 100]",
)  # fmt: skip
tolerance = click.option(
    "--tolerance", type=click.FloatRange(min=0.01, max=0.5), help="The size of a step, as a share. [default: 0.05]"
)
workers = click.option(
    "--workers", type=click.IntRange(1, 256), multiple=True, metavar="N",
    help="A number of gunicorn's workers to try; may be given several times.",
)  # fmt: skip
threads = click.option(
    "--threads", type=click.IntRange(1, 1024), multiple=True, metavar="N",
    help="A number of threads a worker to try; may be given several times.",
)  # fmt: skip
variants = click.argument("variants", nargs=-1, metavar="[VARIANT]...")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the shared options of the verbs that measure say: where, by which profiles, and into which folder."""

    settings_file: Path | None
    results: Path | None
    bases: str | None
    load_profile: str | None
    run_profile: str | None

    def open(self, variants: Sequence[str]) -> Workspace:
        """Return what the verb works on.

        Args:
            variants: names or patterns; those of the settings, if none is given.

        Raises:
            UsageError: the settings, a profile or a variant's name cannot be used.
            UnreadableOutput: there is no such run.

        """
        return open_workspace(
            self.settings_file,
            self.results,
            variants=tuple(variants),
            bases=self.bases,
            load_profile=self.load_profile,
            run_profile=self.run_profile,
        )


def chosen(command: Callable[..., int]) -> Callable[..., int]:
    """Give a verb that measures the options that all of them have, as one argument: `chosen`."""

    @functools.wraps(command)
    def with_chosen(*words: Any, **said: Any) -> int:
        names = ("settings_file", "results", "bases", "load_profile", "run_profile")
        return command(*words, chosen=Chosen(**{name: said.pop(name) for name in names}), **said)

    for option in (run_profile, load_profile, bases, results, settings):
        with_chosen = option(with_chosen)
    return with_chosen
