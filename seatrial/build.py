"""`seatrial build`: an image of every variant, built in parallel and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from harness.engine.client import Engine
from harness.errors import UsageError
from harness.model import BaseImage, Image
from images import bases as base_images
from images.app_wheels import locked_for
from images.build import build_all
from seatrial import options
from seatrial.compare import publish
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, open_workspace

BUILD_S = 12.0


def build(
    workspace: Workspace, engine: Engine, screen: Screen, *, force: bool = False, replace: bool = False
) -> list[Image]:
    """Build the chosen variants and keep each image's record in the run's folder.

    Args:
        workspace: what is worked on.
        engine: where.
        screen: where progress is told.
        force: build anew what is there.
        replace: drop what the run measured of other images of the same variants.

    Raises:
        BuildFailed: a base or an image could not be made; the other images were still tried.
        UsageError: the run measured another image of a variant, and `replace` is not set.

    """
    settings = workspace.settings
    plan_build(workspace, screen)
    progress = screen.phase("build")

    def bases(publics: Sequence[str]) -> Mapping[str, BaseImage]:
        return base_images.resolve_all(publics, engine, mode=settings.bases, say=screen.say, heard=workspace.heard)

    def built(image: Image) -> None:
        if not replace and workspace.folder.measured_another(image):
            raise UsageError(
                f"{workspace.folder.path} holds measurements of another image of {image.variant}.",
                "Begin a new run with `seatrial run`, name another folder with --results, or drop them with --replace.",
            )
        workspace.folder.write_image(image)
        progress.advance()

    return build_all(
        workspace.variants,
        engine,
        bases=bases,
        wheels=locked_for(engine, say=screen.say, lock=settings.app / "requirements.txt"),
        app=settings.app,
        log_dir=workspace.folder.folder("logs"),
        force=force,
        say=screen.say,
        on_line=lambda variant, line: screen.line(f"{variant}: {line}"),
        on_built=built,
    )


def plan_build(workspace: Workspace, screen: Screen) -> None:
    """Tell the screen how much there is to build."""
    screen.plan("build", len(workspace.variants), BUILD_S)


@click.command()
@options.variants
@options.settings
@options.results
@options.bases
@click.option("--force", is_flag=True, help="Build anew what was built before from the same inputs.")
@click.option("--replace", is_flag=True, help="Drop what the run measured of other images of the same variants.")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    settings_file: Path | None,
    results: Path | None,
    bases: str | None,
    force: bool,
    replace: bool,
) -> int:
    """Build the image of every VARIANT (names or patterns; all, if none is given).

    Each is built twice: without cache and with it. Images that are there from the same inputs are left as they are.
    """
    workspace = open_workspace(settings_file, results, may_begin=True, variants=variants, bases=bases)
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, _):
        built = build(workspace, engine, screen, force=force, replace=replace)
    publish(workspace)
    terminal.give(built)
    for image in built:
        terminal.out.print(f"{image.variant:20} {image.size_bytes / 1e6:6.0f} MB  {image.digest}")
    return 0
