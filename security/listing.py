"""What a scan keeps of an image's files and configuration, so that two images can be laid side by side later."""

from __future__ import annotations

from harness import listings
from harness.listings import ListedFile
from harness.model import ImageFiles, NotMeasured
from security import secrets
from security.subjects import FileSystem, ImageConfig

FOLDER = "files"
MOST_WASTED = 5
NO_FILES = "the image holds no file that is not empty"


def summary(files: FileSystem, variant: str) -> ImageFiles:
    """Return an image's files as a whole."""
    score: float | NotMeasured = NotMeasured(not_measured=NO_FILES)
    if files.discovered_bytes:
        # To a hundredth of a percent: what is beyond that is the size of a package database, and no waste.
        score = round(files.least_bytes / files.discovered_bytes, 4)
    return ImageFiles(
        number=len(files.entries),
        efficiency=score,
        wasted_bytes=files.wasted_bytes,
        most_wasted=files.wasted[:MOST_WASTED],
        setuid=tuple(one.path for one in files if one.setuid_or_setgid),
        listing=f"{FOLDER}/{variant}{listings.ENDING}",
    )


def listing(files: FileSystem) -> bytes:
    """Return the compressed listing of an image's files."""
    return listings.encode(
        ListedFile(one.path, one.kind, one.mode, one.uid, one.gid, one.size_bytes, one.target) for one in files
    )


def configuration(config: ImageConfig) -> dict[str, str]:
    """Return an image's settings by name, with everything hidden that looks like a credential; empty ones left out."""
    found = {
        "user": config.user or "root",
        "working directory": config.working_dir,
        "entry point": _words(config.entrypoint),
        "command": _words(config.command),
        "health check": _words(config.healthcheck.test) if config.healthcheck else "",
        "exposed ports": ", ".join(config.exposed_ports),
        "volumes": ", ".join(config.volumes),
        "architecture": config.architecture,
        **{f"environment {name}": secrets.redacted(f"{name}={value}").partition("=")[2]
           for name, value in config.env.items()},
        **{f"label {name}": secrets.redacted(value) for name, value in config.labels.items()},
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _words(words: tuple[str, ...]) -> str:
    return secrets.redacted(" ".join(words))
