"""What every verb starts from: the settings, the chosen variants, the profiles and the run's folder."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import settings as settings_file
from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.errors import UnreadableOutput, UsageError
from harness.locks import LockHeld, new_run_id, run_lock
from harness.model import Image, RunProfile, Variant
from harness.results import LATEST, RunFolder, open_existing
from harness.settings import PROFILES, Settings
from images import variants as variant_files
from images.bases import Heard
from loadtests import generator, load_profile
from loadtests.load_profile import LoadProfile

RESUMED = (*PROFILES, "bases")
"""Settings that a run that goes on takes from its beginning."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The settings of one use of the command, and the folder its results go to."""

    settings: Settings
    variants: tuple[Variant, ...]
    folder: RunFolder
    load_profile: LoadProfile
    run_profile: RunProfile
    seed: int | None = None
    """What a new run's order and inputs come from; None for a random one."""
    heard: Heard = field(default_factory=Heard)
    """What registries said: the variants' bases and the generator's come from the same ones."""

    @property
    def run_id(self) -> str:
        """The results folder's own name."""
        return self.folder.path.name

    @property
    def conditions(self) -> dict[str, str]:
        """SHA-256 of what trials must have in common to be compared."""
        parts = {
            "load profile": self.load_profile.model_dump_json(),
            "run profile": self.run_profile.model_dump_json(),
            "contract": self.settings.contract.read_text("utf-8"),
        }
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in parts.items()}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the results folder for the length of a block, so that no other command adds to it meanwhile.

        Raises:
            UsageError: another process is busy with it.

        """
        place = hashlib.sha256(str(self.folder.path).encode()).hexdigest()[:16]
        try:
            with run_lock(f"folder-{place}"):
                yield
        except LockHeld as error:
            raise UsageError(f"Another command is busy with {self.folder.path}.", "Wait for it to end.") from error


def read_settings(path: Path | None, **changes: Any) -> Settings:
    """Read the settings file, and put what the command line said over it.

    Raises:
        UsageError: the file, or a value from the command line, cannot be used.

    """
    found = settings_file.load(path)
    said = {name: value for name, value in changes.items() if value not in (None, ())}
    said |= {name: str(Path(said[name]).resolve()) for name in PROFILES if str(said.get(name, "")).endswith(".toml")}
    return found.model_copy(update=said)


def chosen_variants(settings: Settings) -> tuple[Variant, ...]:
    """Return the variants that the settings' patterns choose, by name.

    Raises:
        UsageError: there are none, or a pattern matches none.

    """
    found = variant_files.discover(settings.images)
    if not found:
        raise UsageError(f"{settings.images} holds no *.Dockerfile.", "Name the folder with `images` in seatrial.toml.")
    names = [variant.name for variant in found]
    for pattern in settings.variants:
        if not fnmatch.filter(names, pattern):
            raise UsageError(f"No variant matches {pattern!r}.", f"There are: {', '.join(names)}.")
    return tuple(v for v in found if any(fnmatch.fnmatch(v.name, pattern) for pattern in settings.variants))


def latest(settings: Settings) -> Path:
    """Return the folder of the newest complete run."""
    return settings.results / LATEST


def open_workspace(
    settings_file: Path | None, results: Path | None, *, may_begin: bool = False, **changes: Any
) -> Workspace:
    """Return what a single verb works on: the named run's folder, else the latest.

    Args:
        settings_file: where the settings are, if not in the usual place.
        results: the run's folder, if not the latest.
        may_begin: whether a new folder may be begun where that one is not there.
        changes: what the command line says over the settings.

    Raises:
        UsageError: the settings, a profile or a variant's name cannot be used.
        UnreadableOutput: there is no such run.

    """
    settings = read_settings(settings_file, **changes)
    path = results or latest(settings)
    if may_begin and results is None and not path.exists():
        path = settings.results / new_run_id()
    folder = RunFolder(path.resolve()) if may_begin else open_existing(path)
    return _workspace(settings, folder)


def new_workspace(settings_file: Path | None, *, seed: int | None = None, **changes: Any) -> Workspace:
    """Return what a new run works on, in a new folder.

    Raises:
        UsageError: the settings, a profile or a variant's name cannot be used.

    """
    settings = read_settings(settings_file, **changes)
    return _workspace(settings, RunFolder((settings.results / new_run_id()).resolve()), seed)


def resumed_workspace(settings_file: Path | None) -> Workspace:
    """Return what the newest run that was stopped half way works on: its folder, variants, bases and profiles.

    Raises:
        UsageError: there is no such run, or a variant of it is gone.

    """
    settings = read_settings(settings_file)
    folder = _unfinished(settings.results)
    info = folder.run_info()
    kept = {name: info.settings[name] for name in RESUMED if name in info.settings}
    names = tuple(variant.name for variant in folder.variants()) or settings.variants
    return _workspace(settings.model_copy(update={**kept, "variants": names}), folder)


def built_images(workspace: Workspace, engine: Engine) -> list[Image]:
    """Return the records of the chosen variants' images, which the engine must still have.

    Raises:
        UsageError: an image was not built, or is gone from the engine.

    """
    known = {image.variant: image for image in workspace.folder.images()}
    wanted = [variant.name for variant in workspace.variants]
    gone = [name for name in wanted if name not in known or engine.image(known[name].digest) is None]
    if gone:
        raise UsageError(f"There is no built image of {', '.join(gone)}.", f"Run `seatrial build {' '.join(gone)}`.")
    return [known[name] for name in wanted]


def _workspace(settings: Settings, folder: RunFolder, seed: int | None = None) -> Workspace:
    """Check all that can be checked before an engine is needed."""
    if not (settings.app / "requirements.txt").is_file():
        raise UsageError(f"The app's folder {settings.app} has no requirements.txt.", "It is the lock of the images.")
    names = [variant.name for variant in variant_files.discover(settings.images)]
    # The default is the sample app's; another app need not have it, and then its report has no ratios.
    if "baseline" in settings.model_fields_set and settings.baseline not in names:
        raise UsageError(
            f"The baseline {settings.baseline!r} is no variant.",
            f"Name one with `baseline` in seatrial.toml: {', '.join(names)}.",
        )
    generator.check_contract(settings.contract)
    return Workspace(
        settings=settings,
        variants=chosen_variants(settings),
        folder=folder,
        load_profile=load_profile.load(settings.load_profile),
        run_profile=run_profiles.load(settings.run_profile),
        seed=seed,
    )


def _unfinished(results: Path) -> RunFolder:
    for path in sorted((p.parent for p in results.glob("*/run.json") if not p.parent.is_symlink()), reverse=True):
        folder = RunFolder(path.resolve())
        # A folder of an older Seatrial, or a damaged one, cannot be gone on with, and is in nobody's way.
        with suppress(UnreadableOutput):
            if folder.run_info().finished_at is None or not (path / "results.json").exists():
                return folder
    raise UsageError(f"{results} holds no run that was stopped half way.", "Begin one with `seatrial run`.")
