"""`seatrial probe`: how containers of every image are set up, and what an attacker inside of them can do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from harness.engine import run_profiles
from harness.engine.client import Engine, EngineRefused
from harness.errors import NoValidMeasurement
from harness.model import (
    Attempt,
    ContainerCheckResult,
    Failed,
    Hardening,
    Image,
    Passed,
    ProbeResult,
    RunProfile,
    Skipped,
)
from seatrial import options
from seatrial.compare import publish
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images, open_workspace
from security.attack import App, app_of
from security.hardening import examine, not_examined
from security.proving_ground import proving_ground

AT_ONCE = 2
PROBE_S = 15.0
NAIVE = "article"
"""The run profile of the naive way, under which the baseline is attacked too: what hardening is measured against."""


def probe(
    workspace: Workspace,
    engine: Engine,
    screen: Screen,
    images: Sequence[Image],
    *,
    paths: Sequence[str] = (),
    resume: bool = False,
    naive: bool = False,
) -> list[Hardening]:
    """Check and attack each image under the settings' run profile, and keep what was found in the run's folder.

    Args:
        workspace: the run profile, and the folder.
        engine: where the images are.
        screen: told how it goes.
        images: what is attacked; one that does not start so is kept as that, with the reason.
        paths: paths of the app to attack beside `/`.
        resume: whether what the folder has already of the same image and run profile is taken as it is.
        naive: whether the baseline is attacked under the naive run profile too.

    """
    wanted = pairs(workspace, images, naive=naive)
    screen.plan("probe", len(wanted), PROBE_S / AT_ONCE)
    progress = screen.phase("probe")
    before = workspace.folder.hardenings() if resume else ()
    done = {n: each for n, pair in enumerate(wanted) for each in before if _same(each, *pair)}
    progress.advance(len(done))
    left = [n for n in range(len(wanted)) if n not in done]
    if not left:
        return [done[n] for n in range(len(wanted))]
    alone = threading.Lock()

    def one(number: int) -> None:
        image, profile = wanted[number]
        progress.step(f"{image.variant} under {profile.name}")
        try:
            app = _app(engine, image, paths)
            found = examine(engine, image, profile, app=app, ground=ground, alone=alone, say=screen.line)
        except (NoValidMeasurement, EngineRefused) as error:
            screen.say(f"{image.variant} under {profile.name} was not attacked: {error.message}")
            found = not_examined(image, profile, error.message)
        workspace.folder.write_hardening(found)
        done[number] = found
        progress.advance()

    with (
        proving_ground(engine, images[0].digest) as ground,
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe") as pool,
    ):
        # To the end, so that an error of one comes out here.
        list(pool.map(one, left))
    return [done[n] for n in range(len(wanted))]


def pairs(workspace: Workspace, images: Sequence[Image], *, naive: bool) -> list[tuple[Image, RunProfile]]:
    """Return what is to be attacked: each image under the settings' run profile, and the baseline under the naive one.

    Raises:
        UsageError: a run profile cannot be used.

    """
    found = [(image, workspace.run_profile) for image in images]
    plain = run_profiles.load(NAIVE)
    if naive and plain != workspace.run_profile:
        found += [(image, plain) for image in images if image.variant == workspace.settings.baseline]
    return found


def plan_probe(workspace: Workspace, screen: Screen) -> None:
    """Tell the screen how much there is to probe."""
    screen.plan("probe", len(workspace.variants) + 1, PROBE_S / AT_ONCE)


def _same(found: Hardening, image: Image, profile: RunProfile) -> bool:
    """Whether a record is of this image, and of a run profile that says the same."""
    return (
        (found.variant, found.image_digest, found.profile) == (image.variant, image.digest, profile)
        and found.seccomp_profile == run_profiles.seccomp_text(profile)
        and not found.failure
    )


@click.command()
@options.variants
@options.settings
@options.results
@options.run_profile
@click.option("--path", "paths", multiple=True, metavar="PATH", help="A path of the app to attack beside `/`.")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    settings_file: Path | None,
    results: Path | None,
    run_profile: str | None,
    paths: tuple[str, ...],
) -> int:
    """Start every built VARIANT (names or patterns; all, if none is given), check its flags, and attack it from inside.

    Every attack is bounded, and no packet leaves the networks made for it. `seatrial run` does this too, and attacks
    the baseline under the `article` run profile besides. The exit code is 6 where a container did not come up.
    """
    workspace = open_workspace(settings_file, results, variants=variants, run_profile=run_profile)
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, _):
        found = probe(workspace, engine, screen, built_images(workspace, engine), paths=paths)
    publish(workspace)
    terminal.give(found)
    terminal.out.print(_table(found))
    for hardening in found:
        for line in failures(hardening):
            terminal.out.print(Text(line), soft_wrap=True)
        for remark in hardening.remarks:
            terminal.out.print(Text(f"{hardening.variant}: {remark}"), soft_wrap=True)
    return NoValidMeasurement.exit_code if any(one.failure for one in found) else 0


def failures(hardening: Hardening) -> list[str]:
    """Return a line for each check that failed and each attack that succeeded, with its evidence."""
    results: list[ContainerCheckResult | ProbeResult] = [*hardening.container_checks, *hardening.probes]
    return [
        f"{hardening.variant}: {one.severity} {one.id}: {one.title}: {'; '.join(one.outcome.evidence)}"
        for one in results
        if isinstance(one.outcome, Failed)
    ]


def _app(engine: Engine, image: Image, paths: Sequence[str]) -> App | None:
    """Return where the image's app listens, with the caller's paths; None leaves it to the probes."""
    return App(port=app_of(engine.image(image.digest) or {}).port, paths=tuple(paths)) if paths else None


def _table(found: Sequence[Hardening]) -> Table:
    table = Table("image", "run profile", "checks", "probes", "attempts stopped", "not tried")
    for one in found:
        attempts = [attempt for result in one.probes for attempt in result.attempts]
        table.add_row(
            one.variant,
            one.run_profile,
            _counted(one.container_checks),
            _counted(one.probes),
            str(_of(attempts, "stopped")),
            str(_of(attempts, "not tried")),
        )
    return table


def _counted(results: Sequence[ContainerCheckResult | ProbeResult]) -> str:
    outcomes = [result.outcome for result in results]
    names = ((Passed, "passed"), (Failed, "failed"), (Skipped, "skipped"))
    return ", ".join(f"{sum(isinstance(one, kind) for one in outcomes)} {name}" for kind, name in names)


def _of(attempts: Sequence[Attempt], result: str) -> int:
    return sum(attempt.result == result for attempt in attempts)
