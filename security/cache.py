"""Scans and bills of materials that are known already, by what they were made of."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from harness import model, tools
from harness.errors import UsageError
from harness.model import Model, Scan
from harness.paths import cache_dir

STALE_S = 12 * 3600
CACHE_HINT = "Set XDG_CACHE_HOME to a folder that can be written."
ROOM = Path(__file__).resolve().parent


class KnownScan(Model):
    """A scan without what advisories say, which changes from day to day, and what is needed to ask them."""

    scan: Scan
    os_release: str | None
    listing: str
    """The listing of the image's files, in base64."""


def key_of(*parts: str | bool) -> str:
    """Return a name for what these parts make."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


@lru_cache(maxsize=1)
def source_hash() -> str:
    """Return the hash of the code and settings that a scan is made by: another check may find other things."""
    places = (ROOM, ROOM / "checks", ROOM / "scanners", Path(model.__file__).parent)
    return _hash_of(sorted(path for place in places for path in place.iterdir() if path.suffix in (".py", ".yaml")))


@lru_cache(maxsize=1)
def scanners_hash() -> str:
    """Return the hash of what starts the outside programs: a bill of materials depends on no more of this code."""
    return _hash_of(sorted(path for path in (ROOM / "scanners").iterdir() if path.suffix in (".py", ".yaml")))


def _hash_of(paths: Sequence[Path]) -> str:
    return key_of(*(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths))


def program_identity(name: str) -> str:
    """Return what tells one installed program from another without starting it; empty where there is none."""
    path = tools.find(name)
    if path is None:
        return ""
    status = path.stat()
    return f"{path}:{status.st_size}:{status.st_mtime_ns}"


def scratch() -> Path:
    """Return the folder for an image's archive while it is read; on disk, since it may be larger than memory.

    What runs that were killed left there long ago is removed.
    """
    folder = _made(cache_dir() / "scratch")
    for left in folder.iterdir():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left)
    return folder


def load_scan(key: str) -> KnownScan | None:
    """Return a scan that is known; None where it is not, or its record is damaged."""
    try:
        return KnownScan.model_validate_json((cache_dir() / "scans" / f"{key}.json").read_bytes())
    except (OSError, ValidationError):
        return None


def keep_scan(key: str, known: KnownScan) -> None:
    """Keep a scan."""
    _write(_made(cache_dir() / "scans") / f"{key}.json", known.model_dump_json())


def load_sbom(key: str) -> str | None:
    """Return a bill of materials that is known, as text; None where it is not."""
    try:
        return (cache_dir() / "sboms" / f"{key}.cdx.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def keep_sbom(key: str, text: str) -> None:
    """Keep a bill of materials."""
    _write(_made(cache_dir() / "sboms") / f"{key}.cdx.json", text)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that no reader ever sees half of it."""
    _write(_made(path.parent) / path.name, content)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.", CACHE_HINT) from error
    return folder


def _write(path: Path, content: str | bytes) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", CACHE_HINT) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        os.chmod(name, 0o644)  # noqa: PTH101 - mkstemp made it for its owner alone
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
