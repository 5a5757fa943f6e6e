"""Records and logs of builds in the cache, by which an image that is there need not be built again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from harness.engine.client import Engine
from harness.engine.labels import INPUTS
from harness.model import Image
from harness.paths import cache_dir
from images import measure
from images.plan import REPOSITORY, Plan


def log_name(plan: Plan) -> str:
    """Return the name of a build's log in a run's `logs/`."""
    return f"{plan.variant.name}-build.log"


def remember(plan: Plan, image: Image, *, log_dir: Path) -> None:
    """Keep a build's record, and its log beside it."""
    measure.write_whole(_path(plan, "log"), (log_dir / log_name(plan)).read_text("utf-8"))
    measure.write_whole(_path(plan, "json"), image.model_dump_json(indent=2))


def find(plan: Plan, engine: Engine, *, log_dir: Path) -> Image | None:
    """Return the record of an image that is in the engine and was built from these very inputs; None if there is none.

    The log of that build goes to `log_dir`, as if it had been built now.
    """
    there = engine.image(plan.tag)
    if there is None or ((there.get("Config") or {}).get("Labels") or {}).get(INPUTS) != plan.inputs:
        return None
    with suppress(OSError, UnicodeDecodeError, ValidationError):
        image = Image.model_validate_json(_path(plan, "json").read_text("utf-8"))
        if image.digest != there["Id"]:
            return None
        with suppress(OSError, UnicodeDecodeError):
            measure.write_whole(log_dir / log_name(plan), _path(plan, "log").read_text("utf-8"))
        bases = tuple(plan.bases.values())
        return image.model_copy(update={"base": bases[-1], "build_bases": bases[:-1], "built_earlier": True})
    return None


def forget(names: Iterable[str]) -> None:
    """Remove the records and logs of images that are gone, by their names in the engine."""
    for name in names:
        repository, _, key = name.rpartition(":")
        for suffix in ("json", "log"):
            _file(repository.rpartition(f"{REPOSITORY}/")[2], key, suffix).unlink(missing_ok=True)


def _path(plan: Plan, suffix: str) -> Path:
    return _file(plan.variant.name, plan.key, suffix)


def _file(variant: str, key: str, suffix: str) -> Path:
    return cache_dir() / "builds" / f"{variant}-{key}.{suffix}"
