"""`seatrial seccomp`: a seccomp profile for one image that allows what it was seen to call, proved and priced."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.table import Table

from harness import figures
from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.errors import NoValidMeasurement, UsageError
from harness.model import (
    Image,
    NotMeasured,
    Progress,
    Ratio,
    RunProfile,
    SeccompProfile,
    SlicedComparison,
    StartTrial,
)
from harness.results import RunFolder
from images import recorder
from loadtests import slices
from loadtests.asking import LEAST_READY_S, Asking
from loadtests.setting import Cores, Setting
from loadtests.slicing_sides import Side
from loadtests.starts import start_trials
from seatrial import options
from seatrial.compare import publish
from seatrial.load import usual_setting
from seatrial.record import opened
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, built_images
from security.seccomp import STARTS, Handed, Tight, tighten

ESTIMATE_S = 60.0
SECONDS_PER_PAIR = slices.SECONDS / slices.PAIRS
FOLDER = "seccomp/profiles"


@dataclass(frozen=True, kw_only=True)
class Starting:
    """Starts fresh containers under a run profile; a `harness.model.Starts`."""

    engine: Engine
    setting: Setting

    def __call__(self, image: Image, profile: RunProfile, count: int) -> Sequence[StartTrial]:
        """Return what became of each."""
        patient = {"ready_timeout_s": max(self.setting.load_profile.ready_timeout_s, LEAST_READY_S)}
        load_profile = self.setting.load_profile.model_copy(update=patient)
        setting = replace(self.setting, run_profile=profile, load_profile=load_profile)
        return list(start_trials([(image, number) for number in range(1, count + 1)], setting, self.engine))


@dataclass(frozen=True, kw_only=True)
class Comparing:
    """Compares an image under two run profiles by slices; a `harness.model.ComparesProfiles`."""

    engine: Engine
    generator_image: str
    cores: Cores
    folder: RunFolder
    progress: Progress
    pairs: int
    seed: int

    def __call__(self, image: Image, a: RunProfile, b: RunProfile) -> SlicedComparison:
        """Return what B costs over A; CPU limits are taken off on both sides."""
        plan = slices.Plan(
            id=f"seccomp-{image.variant}", a=Side(image=image, run_profile=a), b=Side(image=image, run_profile=b),
            seed=self.seed, pairs=self.pairs, seconds=SECONDS_PER_PAIR * self.pairs,
        ).without_quota()  # fmt: skip
        for known in self.folder.sliced():
            if known.id == plan.id:
                self.folder.drop_sliced(known)
        return slices.compare(
            plan, engine=self.engine, generator_image=self.generator_image, cores=self.cores, store=self.folder,
            progress=self.progress,
        )  # fmt: skip


def seccomp(
    workspace: Workspace, engine: Engine, screen: Screen, image: Image, *, starts: int, pairs: int, seed: int,
    output: Path | None,
) -> SeccompProfile:  # fmt: skip
    """Make, prove and price one image's own seccomp profile, and keep it in the run's folder.

    Args:
        workspace: where it is kept, and under which run profile and load profile it is recorded and proved.
        engine: where the image is.
        screen: shows how far it is.
        image: the variant's image.
        starts: how many starts prove it.
        pairs: of containers, for its price; none, where it is 0.
        seed: varies inputs and orders.
        output: where a second copy of the two files goes.

    Raises:
        ToolMissing: nothing can be recorded on this machine.
        ContractBroken: the image answers wrongly under the recorder.
        NoValidMeasurement: it fails under the recorder, or no profile lets a container start.

    """
    setting = usual_setting(workspace, engine, screen)
    screen.plan("seccomp", 1, ESTIMATE_S)
    progress = screen.phase("seccomp")
    if pairs:
        screen.plan("cost", pairs, SECONDS_PER_PAIR + slices.SECONDS_AROUND_PAIR)
    comparing = Comparing(
        engine=engine, generator_image=setting.generator_image, cores=setting.cores, folder=workspace.folder,
        progress=screen.phase("cost"), pairs=pairs, seed=seed,
    )  # fmt: skip
    handed = Handed(
        recorder=recorder.fetch(engine, say=screen.say),
        ask=Asking(engine=engine, setting=setting, image=image, seed=seed),
        starts=Starting(engine=engine, setting=setting),
        compare=comparing if pairs else None,
        port=setting.port,
    )

    def keep(tight: Tight) -> None:
        # Not before: what was proved earlier stays where this one comes to nothing.
        for known in workspace.folder.seccomps():
            if known.variant == image.variant:
                workspace.folder.drop_seccomp(known)
        workspace.folder.write_seccomp(written(workspace.folder, tight, workspace.run_profile))

    tight = tighten(engine, image, workspace.run_profile, handed, starts=starts, say=progress.step, keep=keep)
    progress.advance()
    if output is not None and tight.found.proved:
        write_copy(output, tight, workspace.run_profile)
    return written(workspace.folder, tight, workspace.run_profile)


def written(folder: RunFolder, tight: Tight, profile: RunProfile) -> SeccompProfile:
    """Write the seccomp profile, and where it is proved a run profile that uses it; return what is known, with both."""
    found, stem = tight.found, f"{profile.name}-{tight.found.variant}"
    if not found.proved:
        name = f"unproved-{stem}.json"
        folder.write_text(name, as_json(tight), folder=FOLDER)
        return found.model_copy(update={"profile_file": f"{FOLDER}/{name}"})
    folder.write_text(f"{stem}.json", as_json(tight), folder=FOLDER)
    folder.write_text(f"{stem}.toml", run_profile_text(found, profile, f"{stem}.json"), folder=FOLDER)
    files = {"profile_file": f"{FOLDER}/{stem}.json", "run_profile_file": f"{FOLDER}/{stem}.toml"}
    return found.model_copy(update=files)


def write_copy(output: Path, tight: Tight, profile: RunProfile) -> None:
    """Write the seccomp profile to a path, and the run profile that uses it beside it.

    Raises:
        UsageError: it cannot be written there.

    """
    try:
        output.write_text(as_json(tight), "utf-8")
        output.with_suffix(".toml").write_text(run_profile_text(tight.found, profile, output.name), "utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from error


def as_json(tight: Tight) -> str:
    """Return the seccomp profile as an engine takes it."""
    return json.dumps(tight.profile, indent=1) + "\n"


def run_profile_text(found: SeccompProfile, profile: RunProfile, file: str) -> str:
    """Return a run profile's TOML: the one that it was proved under, with the seccomp profile in a file beside it."""
    title = f"{profile.title}; with the seccomp profile made for {found.variant}"
    made = profile.model_copy(update={"seccomp": file, "title": title})
    why = f"# Made by `seatrial seccomp {found.variant}` for the image {found.image_digest} on {found.architecture}."
    return f"{why}\n{run_profiles.to_toml(made)}"


def proofs_table(found: SeccompProfile) -> Table:
    """Return the proofs, a line each."""
    table = Table(
        "proof", "outcome", "evidence", title=f"{found.variant}: its own seccomp profile", title_justify="left"
    )
    for one in found.proofs:
        table.add_row(one.name, one.outcome, one.evidence)
    return table


def sentences(found: SeccompProfile, folder: Path) -> list[str]:
    """Return what came of it, and how to use it."""
    phases = ", ".join(f"{one.phase} {len(one.calls)}" for one in found.phases)
    runtime = f"{found.runtime.runtime} itself needs {', '.join(found.runtime.calls) or 'none beside those'}"
    runtime += f" (found by {found.runtime.trials} trials)"
    runtime += f" and, by a table, {', '.join(found.runtime.by_table)}." if found.runtime.by_table else "."
    said = [
        f"It allows {len(found.allowed)} system calls. Recorded by {found.recorder}: {phases}. {runtime}",
        f"It closes {len(found.closed)} of the {found.default_calls} calls that Docker's default profile allows such a "
        f"container on {found.architecture}. The list: {found.default_profile}.",
    ]
    if found.refused:
        said.append(f"Tried, and refused as before: {', '.join(found.refused)}.")
    if found.unnamed:
        said.append(f"Seen by number only, and so left closed: {', '.join(found.unnamed)}.")
    if not found.proved:
        broken = ", ".join(one.name for one in found.broken)
        return [*said, f"It is not proved ({broken}), and nothing should use it: {folder / (found.profile_file or '')}"]
    said += [
        f"Request time over the default profile's: {_cost(found.cost)}.",
        f"CPU time a request over the default profile's: {_cost(found.cpu_cost)}.",
    ]
    return [*said, f"Use it: --run-profile {folder / (found.run_profile_file or '')}"]


def _cost(cost: Ratio | NotMeasured) -> str:
    return f"not measured: {cost.not_measured}" if isinstance(cost, NotMeasured) else figures.ratio(cost)


@click.command()
@click.argument("variant")
@options.chosen
@click.option("--starts", type=click.IntRange(1, 1000), default=STARTS, show_default=True,
              help="How many starts prove the profile.")  # fmt: skip
@click.option("--pairs", type=click.IntRange(0, 1000), default=slices.PAIRS, show_default=True,
              help="Pairs of containers that its cost is measured with; 0: not at all.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.json",
              help="Write the profile there too, and a run profile that uses it beside it, as FILE.toml.")  # fmt: skip
@click.pass_obj
def command(
    terminal: Terminal, variant: str, chosen: options.Chosen, starts: int, pairs: int, output: Path | None
) -> int:
    """Make a seccomp profile for the built VARIANT that allows the system calls that it makes, and no others.

    Records them through start, contract, load, health check and stop, without changing the image; adds what the
    container runtime itself needs; then proves the profile by doing it all again under it, and tells how many of the
    default profile's calls it closes and what it costs.

    Where a proof breaks, it says which, and ends with exit code 6.
    """
    workspace = chosen.open((variant,))
    if len(workspace.variants) != 1:
        raise UsageError(f"{variant!r} names {len(workspace.variants)} variants.", "Take one at a time.")
    if output is not None and output.suffix != ".json":
        raise UsageError(f"{output} is no name for a seccomp profile.", "Name a file that ends with .json.")
    screen = Screen(terminal)
    with opened(workspace, screen) as (engine, info):
        (image,) = built_images(workspace, engine)
        found = seccomp(
            workspace, engine, screen, image, starts=starts, pairs=pairs, seed=info.seed or 0, output=output
        )
    publish(workspace)
    terminal.give(found)
    terminal.out.print(proofs_table(found))
    for line in sentences(found, workspace.folder.path):
        terminal.out.print(line, markup=False, soft_wrap=True)
    return 0 if found.proved else NoValidMeasurement.exit_code
