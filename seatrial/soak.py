"""`seatrial soak`: one variant under load for long, and whether its memory grows."""

from __future__ import annotations

import click

from harness.errors import NoValidMeasurement, UsageError
from harness.figures import figure, interval
from harness.locks import measuring
from harness.model import CapacityResult, Interval, NotMeasured, Soak
from loadtests import soak
from seatrial import options
from seatrial.compare import publish
from seatrial.load import usual_setting
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images

DEFAULT_SHARE = 0.5
OVERHEAD_S = 10.0


def offered(
    workspace: Workspace, variant: str, run_profile: str, rate: float | None, share: float | None
) -> tuple[float, float | None]:
    """Return the rate to offer, and its share of the variant's capacity where it was taken from that.

    Raises:
        UsageError: no rate was given, and the run's folder holds no capacity.

    """
    if rate is not None:
        return rate, None
    wanted = share if share is not None else DEFAULT_SHARE
    for known in workspace.folder.answers(CapacityResult):
        if (known.variant, known.run_profile) == (variant, run_profile) and isinstance(known.capacity_rps, float):
            return wanted * known.capacity_rps, wanted
    raise UsageError(
        f"{workspace.folder.path} holds no capacity of {variant} under the run profile {run_profile}.",
        f"Run `seatrial capacity {variant}` first, or name a rate with --rate.",
    )


def told(found: Soak) -> str:
    """Return what a soak came to, in a line or two."""
    head = f"{found.variant}: {figure(found.offered_rps, 'req/s')} for {found.trial.measured_seconds:.0f} s"
    growth = found.bytes_per_thousand_requests
    if isinstance(growth, NotMeasured):
        return f"{head}: its memory's growth is not measured: {growth.not_measured}"
    words = {
        True: "its memory grows, and goes on growing: it leaks",
        False: "no leak shows",
        None: "whether it leaks cannot be told",
    }
    line = f"{head}: {interval(growth, 'bytes')} a thousand requests: {words[found.leaks]}"
    later = found.bytes_per_thousand_requests_later
    if isinstance(later, Interval):
        line += f" (second half: {interval(later, 'bytes')})"
    broken = "".join(f"\n  {one.guard}: {one.evidence}" for one in found.trial.broken_guards)
    return line + broken


@click.command()
@options.variants
@options.chosen
@click.option("--minutes", type=click.FloatRange(min=0.1, max=24 * 60), default=10.0, show_default=True)
@click.option("--share", type=click.FloatRange(min=0.01, max=1.0), help="Of its capacity. [default: 0.5]")
@click.option("--rate", type=click.FloatRange(min=0.1, max=100_000), help="Requests a second, in place of a share.")
@click.pass_obj
def command(
    terminal: Terminal,
    variants: tuple[str, ...],
    chosen: options.Chosen,
    minutes: float,
    share: float | None,
    rate: float | None,
) -> int:
    """Load each built VARIANT for long, and tell by how much its memory grows for a thousand requests.

    A leak is called where memory grows over the whole time and in its second half too, so that what fills up once, as
    a cache does, is none.
    """
    if rate is not None and share is not None:
        raise UsageError("--rate and --share say the same thing twice.", "Name one of them.")
    workspace = chosen.open(variants)
    rates = [offered(workspace, one.name, workspace.run_profile.name, rate, share) for one in workspace.variants]
    screen = Screen(terminal)
    found: list[Soak] = []
    with opened(workspace, screen) as (engine, info):
        images = built_images(workspace, engine)
        setting = usual_setting(workspace, engine, screen)
        screen.plan("soak", len(images), minutes * 60 * (1 + soak.WARMUP_SHARE) + OVERHEAD_S)
        progress = screen.phase("soak")
        for image, (rate_rps, part) in zip(images, rates, strict=True):
            progress.step(f"{image.variant}: {rate_rps:.4g} requests a second for {minutes:g} minutes")
            with measuring(screen.say):
                one, measured = soak.run(
                    image, setting, engine, rate_rps=rate_rps, share=part, seconds=minutes * 60, seed=info.seed or 0
                )
            for name, data in measured.histograms.items():
                workspace.folder.write_histogram(name, data)
            if not one.trial.valid:
                workspace.folder.write_log(f"{image.variant}-{one.trial.id}.log", measured.log)
            workspace.folder.write_answer(one)
            found.append(one)
            progress.advance()
    publish(workspace)
    terminal.give(found)
    for one in found:
        terminal.out.print(told(one), markup=False, soft_wrap=True)
    measured_all = all(isinstance(one.bytes_per_thousand_requests, Interval) for one in found)
    return 0 if measured_all else NoValidMeasurement.exit_code
