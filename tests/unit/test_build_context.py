"""A build context holds what its variant needs, readable by every user, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model import Variant
from harness.paths import ROOT
from images.app_wheels import target
from images.bases import catalogue, recipe_of
from images.context import stage, tree_hash


def variant(context_dir: str | None = None) -> Variant:
    return Variant(name="some-variant", dockerfile="x", public_bases={"BASE": "x"}, context_dir=context_dir)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_ours_is_the_app_its_lock_and_the_wheels(tmp_path: Path) -> None:
    wheel = tmp_path / "some-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    context = stage(variant(), tmp_path / "context", wheels=[wheel])
    assert {path.name for path in context.iterdir()} == {"app", "wheels"}
    assert files(context / "wheels") == {wheel.name}
    assert {"__init__.py", "requirements.txt", "gunicorn.conf.py", "templates/fortunes.html"} <= files(context / "app")
    assert not [name for name in files(context) if "__pycache__" in name or name.endswith(".pyc")]


def test_the_articles_is_the_app_and_its_own_two_files(tmp_path: Path) -> None:
    context = stage(variant("images/article.context"), tmp_path / "context", wheels=[])
    assert {path.name for path in context.iterdir()} == {"app", "app.py", "requirements.txt"}
    assert not [name for name in files(context / "app") if "requirements" in name]
    assert not list(context.rglob(".*"))


def test_a_strict_umask_does_not_lock_the_images_user_out(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir(mode=0o700)
    (app / "requirements.txt").write_text("")
    (app / "requirements.txt").chmod(0o600)
    context = stage(variant(), tmp_path / "context", wheels=[], app=app)
    modes = {str(path.relative_to(context)): path.stat().st_mode & 0o777 for path in context.rglob("*")}
    assert modes == {"app": 0o755, "app/requirements.txt": 0o644, "wheels": 0o755}


def test_a_missing_app_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="some-variant"):
        stage(variant(), tmp_path / "context", wheels=[], app=tmp_path / "nowhere")


def test_the_hash_is_of_names_and_bytes_alone(tmp_path: Path) -> None:
    for name, path, text in (("a", "x", "1"), ("b", "x", "1"), ("c", "y", "1"), ("d", "x", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / path).write_text(text)
    same, twin, renamed, changed = (tree_hash(tmp_path / name) for name in "abcd")
    assert same == twin
    assert len({same, renamed, changed}) == 3


@pytest.mark.parametrize(
    ("public", "libc", "python"),
    [
        ("python:3.13-slim-trixie", "glibc", "3.13"),
        ("python:3.13-alpine3.23", "musl", "3.13"),
        ("gcr.io/distroless/python3-debian13:nonroot", "glibc", "3.13"),
        ("example/python-alpine:1", "musl", "3.13"),
        ("example/python:1", "glibc", "3.13"),
        ("python:3.12-alpine", "musl", "3.12"),
        ("python:3.7-slim@sha256:" + "0" * 64, "glibc", "3.9"),
    ],
)
def test_wheels_are_for_the_bases_libc(public: str, libc: str, python: str) -> None:
    found = target(public, recipe_of(public, catalogue()), "x86_64")
    assert (found.libc, found.python, found.machine) == (libc, python, "x86_64")


def test_no_context_of_ours_names_another_place() -> None:
    text = (ROOT / "images" / "article.context" / "app.py").read_text("utf-8")
    assert 'app.run(host="0.0.0.0", port=5000)' in text
