"""`seatrial scan`: what is inside every image, what is wrong with it, and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from harness.engine.client import Engine
from harness.model import Image, Scan
from images.variants import dockerfile_path
from report import security_table
from seatrial import decide, options
from seatrial.assessing import assessor
from seatrial.compare import publish
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.security_files import write_security_files
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images, open_workspace
from security.listing import FOLDER as FILES
from security.scan import scan_image

AT_ONCE = 2
SCAN_S = 4.0


def scan(
    workspace: Workspace, engine: Engine, screen: Screen, images: Sequence[Image], *, use_cache: bool = True
) -> list[Scan]:
    """Scan images, two at a time, and keep each scan in the run's folder.

    Raises:
        UnreadableOutput: an image or a scanner's output is not what it should be.

    """
    plan_scan(workspace, screen)
    progress = screen.phase("scan")
    dockerfiles = {variant.name: dockerfile_path(variant) for variant in workspace.variants}
    sboms, listings = workspace.folder.folder("sbom"), workspace.folder.folder(FILES)
    assess = assessor(workspace.settings, screen.say)

    def one(image: Image) -> Scan:
        progress.step(f"{image.variant}: scan")
        found = scan_image(
            image,
            dockerfile=dockerfiles[image.variant],
            engine=engine,
            sbom_dir=sboms,
            files_dir=listings,
            use_cache=use_cache,
            licences=workspace.settings.licences,
            allowed_bases=workspace.settings.allowed_bases,
            assess=assess,
        )
        workspace.folder.write_scan(found)
        progress.advance()
        return found

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scan") as pool:
        return list(pool.map(one, images))


def plan_scan(workspace: Workspace, screen: Screen) -> None:
    """Tell the screen how much there is to scan."""
    screen.plan("scan", len(workspace.variants), SCAN_S / AT_ONCE)


@click.command()
@options.variants
@options.settings
@options.results
@click.option("--fresh", is_flag=True, help="Scan anew what was scanned before with the same programs and checks.")
@options.advisories
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    settings_file: Path | None,
    results: Path | None,
    fresh: bool,
    advisories: Path | None,
) -> int:
    """List what is inside every built VARIANT (names or patterns; all, if none is given) and what is wrong with it."""
    workspace = open_workspace(settings_file, results, variants=variants, advisories=advisories)
    decide.read(workspace.settings)  # what is wrong with the decisions is told before the work, and not after it
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, _):
        found = scan(workspace, engine, screen, built_images(workspace, engine), use_cache=not fresh)
    judged = publish(workspace)
    write_security_files(workspace.folder, judged)
    scanned = {one.variant for one in found}
    shown = [one for one in judged.scans if one.variant in scanned]
    terminal.give(shown)
    terminal.out.print(security_table.render(shown, judged.decisions))
    return 0
