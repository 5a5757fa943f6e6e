"""seatrial.toml -> Settings: which app, which variants, how they are loaded and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from harness import toml_files
from harness.model import LicencePolicy, Model
from harness.paths import ROOT

FILE_NAME = "seatrial.toml"
PROFILES = ("load_profile", "run_profile")


class Settings(Model):
    """What a run is about. Paths in a settings file count from that file's folder."""

    images: Path = ROOT / "images"
    """Folder of the variants' Dockerfiles."""
    app: Path = ROOT / "app"
    """Folder of the app under test; its `requirements.txt` is the lock that goes into the images."""
    contract: Path = ROOT / "loadtests" / "contract.py"
    """Module that says what the app is asked, how often, and what a correct answer is."""
    variants: tuple[str, ...] = ("*",)
    """Patterns of the variants to work on."""
    baseline: str = "article"
    """The variant that all others are compared with."""
    bases: Literal["auto", "registry", "packages"] = "auto"
    load_profile: str = "quick"
    run_profile: str = "hardened"
    budgets: Path = ROOT / "tests" / "comparison" / "budgets.toml"
    prefer: dict[str, float] = Field(default_factory=dict)
    """Metric -> how much it weighs in the pick; without one, Seatrial's own rule."""
    stored_baseline: Path = Path("seatrial-baseline.json")
    """What `seatrial baseline save` wrote, and regression thresholds are judged against; a file to commit."""
    results: Path = Path("results")
    """Folder that holds one folder a run."""
    allowed_bases: tuple[str, ...] = ()
    """Patterns of the images that a Dockerfile may start from; none: any."""
    licences: LicencePolicy = LicencePolicy()
    """Which licences may be in an image."""
    advisories: Path | None = None
    """A folder of OSV data to look components up in; None: the one that `seatrial advisories update` fills."""
    ignore: Path = ROOT / "security" / "ignore.toml"
    """Which findings and vulnerabilities are accepted, by whom it is said why, and until when."""
    vex: tuple[Path, ...] = ()
    """OpenVEX documents that say what an image is not affected by."""


def load(path: Path | None = None) -> Settings:
    """Read the settings file; without a path, `seatrial.toml` in the working directory, if there is one.

    Raises:
        UsageError: the file is missing, is not TOML, or has a wrong or unknown entry.

    """
    file = path or Path(FILE_NAME)
    if path is None and not file.exists():
        return Settings()
    settings = toml_files.read(file, Settings, "settings file")
    folder = file.resolve().parent
    named = [(name, value) for name, value in settings if name in settings.model_fields_set]
    paths: dict[str, object] = {name: folder / value for name, value in named if isinstance(value, Path)}
    # A profile is named, or is a file of the user's own.
    paths |= {name: str(folder / value) for name, value in named if name in PROFILES and value.endswith(".toml")}
    if "vex" in settings.model_fields_set:
        paths["vex"] = tuple(folder / path for path in settings.vex)
    return settings.model_copy(update=paths)
