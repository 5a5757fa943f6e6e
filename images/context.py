"""Stages a variant's build context: the app, its lock and wheels, or what the variant's own folder holds instead."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UsageError
from harness.model import Variant
from harness.paths import ROOT

APP = ROOT / "app"
NEVER_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
LOCKS = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "requirements.*")
FILE_MODE = 0o644
FOLDER_MODE = 0o755


def stage(variant: Variant, into: Path, *, wheels: Sequence[Path], app: Path = APP) -> Path:
    """Fill the folder `into`, which is made, with a variant's build context, and return it.

    Holds `app/` and `wheels/`; for a variant with a context folder of its own, `app/` without its lock, and what that
    folder holds.

    Raises:
        UsageError: the app or the context folder cannot be read.

    """
    try:
        if variant.context_dir is None:
            shutil.copytree(app, into / "app", ignore=NEVER_COPIED)
            (into / "wheels").mkdir()
            for wheel in wheels:
                shutil.copyfile(wheel, into / "wheels" / wheel.name)
        else:
            shutil.copytree(app, into / "app", ignore=LOCKS)
            shutil.copytree(ROOT / variant.context_dir, into, ignore=NEVER_COPIED, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise UsageError(f"The build context of {variant.name} cannot be put together: {error}") from error
    # A clone made under a strict umask would otherwise give images whose user cannot read the app.
    into.chmod(FOLDER_MODE)
    for path in into.rglob("*"):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
    return into


def tree_hash(folder: Path) -> str:
    """Return the SHA-256 of a folder's files: their paths and bytes, whatever their times."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder)}\0{content}\n".encode())
    return digest.hexdigest()
