"""`bases.toml` is read strictly, and says of each base all that an engine needs to be told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from harness.errors import ToolMissing, UsageError
from images.bases import made, making
from images.bases.recipes import BASES_TOML, FOLDER, BaseRecipe, catalogue, parse_catalogue

TEXT = BASES_TOML.read_text("utf-8")


def test_the_four_bases_are_there_by_their_public_names() -> None:
    assert {public: recipe.name for public, recipe in catalogue().items()} == {
        "python:3.13-slim-trixie": "slim",
        "python:3.13-alpine3.23": "alpine",
        "gcr.io/distroless/python3-debian13:nonroot": "distroless",
        "python:3.7-slim": "article",
    }


@pytest.mark.parametrize("recipe", catalogue().values(), ids=lambda recipe: recipe.name)
def test_every_lock_that_a_recipe_names_is_there(recipe: BaseRecipe) -> None:
    for lock in recipe.locks:
        assert lock.is_file(), lock
    if recipe.registry_wheelhouse:
        assert (FOLDER / recipe.registry_wheelhouse.lock).is_file()


def test_only_the_article_is_left_without_updates() -> None:
    for recipe in catalogue().values():
        if recipe.maker != "alpine":
            security = any(suite.endswith("-security") for suite in recipe.suites)
            assert security is (recipe.name != "article")
            assert (recipe.max_age_days is not None) is security


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('maker = "alpine"', 'maker = "gentoo"', "maker"),
        ('python = "3.13"', 'python = "3"', "python"),
        ("max_age_days", "max_age", "max_age"),
        ("[slim]", "[slim", "cannot be read"),
        ("[slim]", "slim = 3\n[other]", "cannot be read"),
    ],
)
def test_a_wrong_recipe_is_a_usage_error_that_names_the_place(old: str, new: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_catalogue(TEXT.replace(old, new))


def test_the_configuration_becomes_instructions() -> None:
    distroless = catalogue()["gcr.io/distroless/python3-debian13:nonroot"]
    assert made.changes(distroless) == [
        'ENV PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
        'ENV SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"',
        'ENV LANG="C.UTF-8"',
        'ENTRYPOINT ["/usr/bin/python3.13"]',
        "USER 65532",
        "WORKDIR /home/nonroot",
    ]


def test_what_goes_in_changes_the_hash_and_what_is_only_said_does_not() -> None:
    recipe = catalogue()["python:3.13-alpine3.23"]
    before = making.recipe_hash(recipe, "x86_64")
    assert making.recipe_hash(recipe, "aarch64") != before
    assert making.recipe_hash(recipe.model_copy(update={"packages": recipe.packages[1:]}), "x86_64") != before
    assert making.recipe_hash(recipe.model_copy(update={"differs": "it does"}), "x86_64") == before


def test_a_base_that_was_made_lately_is_not_made_again_and_an_old_one_is() -> None:
    recipe = catalogue()["python:3.13-slim-trixie"]
    said: list[str] = []

    class Fake(making.Making):
        def make(self) -> making.MadeRecord:
            raise ToolMissing("no apt here")

    fake = Fake(recipe=recipe, machine="x86_64", say=said.append)
    fake.tar.parent.mkdir(parents=True)

    def leave(days: float) -> making.MadeRecord:
        made_at = time.time() - days * making.DAY_S
        record = making.MadeRecord(tar_sha256="0" * 64, size_bytes=1, wheelhouse_bytes=0, made_at=made_at)
        fake.tar.with_suffix(".json").write_text(record.model_dump_json())
        return record

    young = leave(1)
    assert fake.fresh_record(refresh=False) == young
    assert said == []
    with pytest.raises(ToolMissing):
        fake.fresh_record(refresh=True)
    old = leave(30)
    assert fake.fresh_record(refresh=False) == old
    assert said == ["The base slim is 30 days old and cannot be made anew: no apt here"]


def test_only_the_newest_tars_of_a_base_are_kept(tmp_path: Path) -> None:
    names = [f"slim-{number:016x}" for number in range(4)]
    for age, name in enumerate([*names, "slim-old-0000000000000000", "article-0000000000000000"]):
        for suffix in (".tar", ".json"):
            (tmp_path / f"{name}{suffix}").touch()
            os.utime(tmp_path / f"{name}{suffix}", (2_000_000_000 - age, 2_000_000_000 - age))
    (tmp_path / f".{names[0]}-killed").touch()
    os.utime(tmp_path / f".{names[0]}-killed", (1_000_000_000, 1_000_000_000))
    making._forget_old(tmp_path, "slim")
    left = {path.stem for path in tmp_path.iterdir()}
    assert left == {names[0], names[1], "slim-old-0000000000000000", "article-0000000000000000"}
