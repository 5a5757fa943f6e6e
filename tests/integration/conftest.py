"""Integration tests use the real engine, found as the command finds it, and must leave it as it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import run_profiles
from harness.engine.builder import building
from harness.engine.client import Engine
from harness.engine.find import open_engine
from harness.locks import new_run_id
from harness.model import BaseImage, Hardening, Image
from images import wheels
from images.app_wheels import locked_for
from images.bases import lookup, resolve_all
from images.build import build_all
from images.variants import discover
from loadtests import generator
from loadtests.setting import Cores, find_cores
from security.hardening import examine
from tests.integration.leftovers import Snapshot, leftovers, watched
from tests.integration.tiny_target import ASSETS
from tests.made_records import image


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine, with a run id of the tests; at their end nothing of theirs may be left but labelled images."""
    with open_engine(new_run_id(), say=lambda text: print(text, file=sys.stderr)) as found, watched():
        before = Snapshot.of(found)
        yield found
        left = leftovers(found, before)
    assert not left, "The tests left things in the engine:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def slim(engine: Engine) -> BaseImage:
    return lookup.resolve("python:3.13-slim-trixie", engine, say=print)


@pytest.fixture(scope="session")
def generator_image(engine: Engine, slim: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    def fetch(lock: Path) -> Path:
        target = wheels.Target(python="3.13", libc="glibc", libc_minor=41)
        return wheels.fetch(lock, target, say=print).folder

    log = tmp_path_factory.mktemp("generator") / "build.log"
    with building(engine) as builder:
        yield generator.ensure_image(
            engine, base=slim, wheels=fetch, builder=builder, log=log, say=print, contract=ASSETS / "tiny_contract.py"
        )


@pytest.fixture(scope="session")
def cores(engine: Engine, generator_image: str) -> Cores:
    return find_cores(engine, generator_image)


@pytest.fixture(scope="session")
def tiny_image(engine: Engine, generator_image: str, slim: BaseImage) -> Image:
    found = engine.image(generator_image)
    assert found is not None
    return image("tiny", reference=generator_image, digest=found["Id"], base=slim)


@pytest.fixture(scope="session")
def attacked(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """The images that attacks and exports are about, built as `seatrial build` does."""
    names = ("article", "distroless-gunicorn", "alpine-gunicorn")
    built = build_all(
        [one for one in discover() if one.name in names],
        engine,
        bases=lambda publics: resolve_all(publics, engine, say=print),
        wheels=locked_for(engine, say=print),
        log_dir=tmp_path_factory.mktemp("logs"),
        say=print,
    )
    return {image.variant: image for image in built}


@pytest.fixture(scope="session")
def hardened(engine: Engine, attacked: dict[str, Image]) -> Hardening:
    """What checks and probes find of the variant that is to ship, under the run profile that it ships with."""
    return examine(engine, attacked["distroless-gunicorn"], run_profiles.load("hardened"), say=print)
