"""What a run attacks, and what it does not attack again when it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine, EngineRefused
from harness.model import Hardening, Image, RunProfile
from harness.results import RunFolder
from seatrial import probe as verb
from seatrial.screen import Screen
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace, read_settings
from tests.made_hardening import HARDENED, NAME, hardening, image

ARTICLE = run_profiles.load("article")
IMAGES = [image(), image().model_copy(update={"variant": "article"})]


def workspace(folder: Path, profile: RunProfile = HARDENED) -> Workspace:
    return Workspace(
        settings=read_settings(None),
        variants=(),
        folder=RunFolder(folder),
        load_profile=cast("Any", None),
        run_profile=profile,
    )


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was attacked, without an engine; the article does not start under the hardened run profile."""
    done: list[tuple[str, str]] = []

    def examine(_: Engine, one: Image, profile: RunProfile, **how: Any) -> Hardening:
        done.append((one.variant, profile.name))
        if (one.variant, profile.name) == ("article", "hardened"):
            raise EngineRefused("it would not")
        return hardening(variant=one.variant, run_profile=profile.name, profile=profile, seccomp_profile=None)

    @contextmanager
    def ground(*_: Any) -> Iterator[None]:
        yield None

    monkeypatch.setattr(verb, "examine", examine)
    monkeypatch.setattr(verb, "proving_ground", ground)
    return done


def attack(place: Workspace, **how: Any) -> list[Hardening]:
    return verb.probe(place, cast("Engine", None), Screen(Terminal(quiet=True)), IMAGES, **how)


def test_every_variant_under_the_runs_profile_and_the_baseline_under_the_naive_one(tmp_path: Path) -> None:
    found = verb.pairs(workspace(tmp_path), IMAGES, naive=True)
    assert [(one.variant, profile.name) for one, profile in found] == [
        (NAME, "hardened"), ("article", "hardened"), ("article", "article"),
    ]  # fmt: skip
    assert len(verb.pairs(workspace(tmp_path, ARTICLE), IMAGES, naive=True)) == 2
    assert len(verb.pairs(workspace(tmp_path), IMAGES, naive=False)) == 2


def test_what_does_not_start_is_kept_with_its_reason_and_stops_nobody_else(
    tmp_path: Path, examined: list[tuple[str, str]]
) -> None:
    found = attack(workspace(tmp_path), naive=True)
    assert {(one.variant, one.run_profile): one.failure for one in found} == {
        (NAME, "hardened"): "", ("article", "hardened"): "it would not", ("article", "article"): "",
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "hardening").iterdir()) == [
        "article-article.json", "article-hardened.json", f"{NAME}-hardened.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "again"),
    [
        (hardening(), False),
        (hardening(image_digest="sha256:other"), True),
        (hardening(profile=HARDENED.model_copy(update={"pids_limit": 65})), True),
        (hardening(seccomp_profile="{}"), True),
        (hardening(profile=None), True),
        (hardening(failure="it would not"), True),
        (hardening(variant="article"), True),
    ],
    ids=["the same", "image", "run profile", "seccomp profile", "older record", "failure", "variant"],
)
def test_a_run_that_goes_on_attacks_only_what_it_did_not(
    tmp_path: Path, examined: list[tuple[str, str]], known: Hardening, again: bool
) -> None:
    place = workspace(tmp_path)
    place.folder.write_hardening(known)
    found = attack(place, resume=True)
    assert ((NAME, "hardened") in examined) == again
    assert found[0].variant == NAME
    examined.clear()
    attack(place)
    assert (NAME, "hardened") in examined
