"""`seatrial export`: one variant's measured configuration, as a file that starts it."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import UsageError
from harness.results import open_existing
from report.deployments import deployment
from report.deployments.formats import FORMATS
from seatrial import options
from seatrial.terminal import Terminal
from seatrial.workspace import latest, read_settings


@click.command()
@click.argument("variant")
@click.option("--format", "how", type=click.Choice(list(FORMATS)), required=True, help="What is to start it.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where it goes, with what belongs beside it. [default: standard output]",
)
@click.option(
    "--image", metavar="NAME@DIGEST", help="The image as a registry knows it. [default: the engine's image id]"
)
@click.option("--run-profile", metavar="NAME", help="Measured under which run profile. [default: the run's]")
@options.settings
@options.results
@click.pass_obj
def command(
    terminal: Terminal,
    variant: str,
    how: str,
    output: Path | None,
    image: str | None,
    run_profile: str | None,
    settings_file: Path | None,
    results: Path | None,
) -> int:
    """Write how VARIANT was started when it was measured: image, flags that were proved, limits, health, gunicorn.

    What proved each flag stands beside it. A flag that nothing proved is left out, and named. No engine is needed.
    """
    folder = open_existing(results or latest(read_settings(settings_file)))
    found = deployment.of(
        folder.load(), variant, run_profile=_name(run_profile), image=image, histogram=folder.histogram
    )
    (main, text), *beside = FORMATS[how](found).items()
    terminal.give({"files": {main: text, **dict(beside)}})
    if output is None:
        if not terminal.as_json:
            click.echo(text, nl=False)
        for name, _ in beside if not terminal.as_json else ():
            terminal.err.print(f"{name} belongs beside it: with -o {main} it is written too.", markup=False)
        return 0
    if output.name in dict(beside):
        raise UsageError(f"{output.name} is the name of what belongs beside it.", f"Write -o {main}.")
    for path, content in ((output, text), *((output.parent / name, content) for name, content in beside)):
        try:
            path.write_text(content, "utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
        terminal.err.print(f"Written: {path}", markup=False, soft_wrap=True)
    return 0


def _name(run_profile: str | None) -> str | None:
    """Return a run profile's name, where its file was named."""
    return Path(run_profile).stem if run_profile and run_profile.endswith(".toml") else run_profile
