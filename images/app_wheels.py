"""Which wheels a build context gets: those of the app's lock, for the Python and libc of the variant's base."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.engine.client import Engine
from harness.model import Say, Variant
from images import wheels
from images.bases import BaseRecipe, catalogue, recipe_of
from images.context import APP

LOCK = APP / "requirements.txt"
PYTHON = "3.13"
"""What the app's lock is made for, and a base has whose name does not say."""
GLIBC_MINOR = 31
"""For a base that `bases.toml` does not know: the glibc of the oldest Debian that may be under it (11)."""
MUSL_MINOR = 2

_VERSION = re.compile(r"python:(3\.\d+)\b")


def locked_for(engine: Engine, *, say: Say, lock: Path = LOCK) -> Callable[[Variant], Sequence[Path]]:
    """Return a function that gives the wheels for a variant, downloading what the cache does not have.

    Raises (the function does):
        UsageError: the lock cannot be read.
        BuildFailed: a wheel cannot be had, or is not the locked one.

    """
    recipes = catalogue()

    def wheels_of(variant: Variant) -> Sequence[Path]:
        public = list(variant.public_bases.values())[-1]
        return wheels.fetch(lock, target(public, recipe_of(public, recipes), engine.machine), say=say).files

    return wheels_of


def target(public: str, recipe: BaseRecipe | None, machine: str) -> wheels.Target:
    """Return the interpreter that a base has; for one without a recipe, its name tells the version and the libc."""
    if recipe is not None:
        return wheels.Target(python=recipe.python, libc=recipe.libc, libc_minor=recipe.libc_minor, machine=machine)
    named = _VERSION.search(public)
    python = named[1] if named else PYTHON
    if "alpine" in public:
        return wheels.Target(python=python, libc="musl", libc_minor=MUSL_MINOR, machine=machine)
    return wheels.Target(python=python, libc="glibc", libc_minor=GLIBC_MINOR, machine=machine)
