"""The four bases made from packages are what they say, and public ones are taken where a registry has them."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import tools
from harness.engine.builder import BuildRequest, building
from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import BuildFailed
from harness.model import BaseImage, BaseSource, RunProfile
from harness.paths import cache_dir
from harness.process import call
from images import wheels
from images.bases import catalogue, resolve, resolve_all
from images.bases.recipes import FOLDER, BaseRecipe
from tests.integration import local_registry, tiny_image

RECIPES = {recipe.name: recipe for recipe in catalogue().values()}
PINNED = "seatrial-test/pinned:1"
WRITABLE = RunProfile(name="writable", title="As an image's build runs it")
PYTHONS = {"slim": "3.13", "alpine": "3.13", "distroless": "3.13", "article": "3.9"}
PACKAGES = {
    "distroless": set(RECIPES["distroless"].packages),
    "alpine": {*RECIPES["alpine"].packages, "pip"},
}
"""All that a scanner has to find in the bases that are cut down."""


def say(text: str) -> None:
    print(text, file=sys.stderr)


@pytest.fixture(scope="module")
def made(engine: Engine) -> dict[str, BaseImage]:
    """All four bases, made here or taken from the cache."""
    found = resolve_all([recipe.public for recipe in RECIPES.values()], engine, mode="packages", say=say)
    return {base.name: base for base in found.values()}


def run(engine: Engine, base: BaseImage, *command: str, user: str | None = None) -> str:
    """Run a program in a container of a base, without a network; return its standard output."""
    profile = WRITABLE.model_copy(update={"user": user})
    spec = ContainerSpec(
        image=base.reference, role=Role.INSPECTOR, entrypoint=command[:1], command=command[1:], profile=profile
    )
    code, out, err = engine.run_to_end(spec, timeout_s=120)
    assert code == 0, f"{out}\n{err}"
    return out


@pytest.mark.parametrize("python", ["python", "python3"])
@pytest.mark.parametrize("name", RECIPES)
def test_python_has_what_a_web_app_imports(engine: Engine, made: dict[str, BaseImage], name: str, python: str) -> None:
    script = (
        "import asyncio, hashlib, http.server, json, lzma, multiprocessing, ssl, sys, uuid, zlib\n"
        "assert open('/etc/ssl/certs/ca-certificates.crt').read().count('BEGIN') > 80\n"
        "assert not any('.pyc' in str(path) for path in __import__('pathlib').Path(json.__file__).parent.rglob('*'))\n"
        "print('%d.%d' % sys.version_info[:2])"
    )
    assert run(engine, made[name], python, "-B", "-c", script).strip() == PYTHONS[name]


@pytest.mark.parametrize("name", ["slim", "alpine", "article"])
def test_pip_works_and_may_install_as_in_the_public_image(
    engine: Engine, made: dict[str, BaseImage], name: str
) -> None:
    script = "python -m pip --version && pip check && python -m venv --without-pip /tmp/new && /tmp/new/bin/python -V"
    assert "pip 2" in run(engine, made[name], "/bin/sh", "-ec", script)
    look = "import pathlib, sysconfig; print(pathlib.Path(sysconfig.get_path('stdlib'), 'EXTERNALLY-MANAGED').exists())"
    assert run(engine, made[name], "python3", "-c", look).strip() == "False"


def test_flask_can_be_installed_on_the_articles_base_without_a_network(
    engine: Engine, made: dict[str, BaseImage]
) -> None:
    script = "echo flask >r.txt; pip install -q -r r.txt; python -c 'import flask; print(flask.Flask(\"x\").name)'"
    assert run(engine, made["article"], "/bin/sh", "-ec", script).strip() == "x"
    measure = "import glob, os; print(sum(map(os.path.getsize, glob.glob('/opt/wheelhouse/*') + ['/etc/pip.conf'])))"
    assert int(run(engine, made["article"], "python3", "-c", measure)) == made["article"].wheelhouse_bytes > 0


@pytest.mark.parametrize("name", ["slim", "article"])
def test_dpkgs_database_is_true(engine: Engine, made: dict[str, BaseImage], name: str) -> None:
    script = (
        "dpkg --audit; dpkg --verify | grep -v -E 'usr/share/(doc|groff|info|lintian|locale|man)/|EXTERNALLY' || true"
    )
    assert run(engine, made[name], "/bin/sh", "-ec", script) == ""


def test_apks_database_is_true(engine: Engine, made: dict[str, BaseImage]) -> None:
    names = run(engine, made["alpine"], "apk", "info", "--no-network", "-q").split()
    assert set(names) == set(RECIPES["alpine"].packages)
    assert run(engine, made["alpine"], "apk", "audit", "--system", "--recursive", "/usr", "/lib", "/bin", "/sbin") == ""


def test_distroless_is_without_a_shell_or_package_manager_and_not_root(
    engine: Engine, made: dict[str, BaseImage]
) -> None:
    script = (
        "import ctypes.util, json, os, shutil\n"
        "names = ['sh', 'bash', 'dash', 'busybox', 'apt', 'apt-get', 'dpkg', 'apk', 'pip', 'perl', 'wget', 'curl']\n"
        "open('mine', 'w').close()\n"
        "there = [name for name in names if shutil.which(name)]\n"
        "print(json.dumps([os.getuid(), os.getcwd(), there, ctypes.util.find_library('z')]))"
    )
    uid, folder, there, library = json.loads(run(engine, made["distroless"], "python3", "-c", script))
    assert (uid, folder, there) == (65532, "/home/nonroot", [])
    assert library in (None, "libz.so.1")
    assert engine.image(made["distroless"].reference)["Config"]["Entrypoint"] == ["/usr/bin/python3.13"]  # type: ignore[index]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_scanner_names_the_packages(engine: Engine, made: dict[str, BaseImage], name: str, tmp_path: Path) -> None:
    syft = tools.find("syft")
    if syft is None:
        pytest.skip("syft is not on this machine")
    archive = tmp_path / "image.tar"
    with archive.open("wb") as sink:
        sink.writelines(engine.save(made[name].reference))
    said = call([syft, "scan", f"docker-archive:{archive}", "-q", "-o", "json"], timeout_s=120).stdout
    assert PACKAGES[name] <= {artifact["name"] for artifact in json.loads(said)["artifacts"]}


def test_a_second_run_makes_nothing(engine: Engine, made: dict[str, BaseImage]) -> None:
    said: list[str] = []
    again = resolve_all([base.public for base in made.values()], engine, mode="packages", say=said.append)
    assert {base.name: base for base in again.values()} == made
    assert said == []
    for base in made.values():
        assert base.source is BaseSource.PACKAGES
        assert base.stand_in_for is not None
        assert base.public in base.stand_in_for


def test_the_same_wheels_give_the_same_base_in_an_empty_cache(
    engine: Engine, made: dict[str, BaseImage], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel_cache = cache_dir() / "wheels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "seatrial").mkdir()
    (tmp_path / "seatrial" / "wheels").symlink_to(wheel_cache)
    said: list[str] = []
    assert resolve(made["alpine"].public, engine, mode="packages", say=said.append) == made["alpine"]
    assert said[0].startswith("Making the base alpine")


@pytest.fixture
def public(engine: Engine) -> Iterator[tuple[str, str]]:
    """A public image on a registry of this test's own: its reference and its digest."""
    with local_registry.serving(tiny_image.archive(), "python", "3.7-slim") as (address, digest):
        reference = f"{address}/python:3.7-slim"
        yield reference, digest
        for base in [f"seatrial-base/tiny-article:{tag}" for tag in tags(engine, "seatrial-base/tiny-article")]:
            engine.api.remove_image(base)
        if engine.image(reference):
            engine.api.remove_image(reference)


def tags(engine: Engine, repository: str) -> list[str]:
    return [tag.rpartition(":")[2] for image in engine.api.images(name=repository) for tag in image["RepoTags"]]


def recipe(of: str, /, **changes: object) -> BaseRecipe:
    return RECIPES[of].model_copy(update=changes)


def test_a_public_base_is_pulled_and_recorded_with_its_digest(engine: Engine, public: tuple[str, str]) -> None:
    reference, digest = public
    base = resolve_all([reference], engine, say=say, recipes={})[reference]
    assert (base.reference, base.digest, base.source) == (reference, digest, BaseSource.REGISTRY)
    assert base.stand_in_for is None
    assert base.wheelhouse_bytes == 0


def test_a_base_that_is_pinned_by_digest_is_pulled_and_built_on(
    engine: Engine, public: tuple[str, str], tmp_path: Path
) -> None:
    reference, digest = public
    pinned = f"{reference}@{digest}"
    base = resolve_all([pinned], engine, say=say, recipes={})[pinned]
    assert (base.reference, base.digest, base.source) == (pinned, digest, BaseSource.REGISTRY)
    dockerfile = tmp_path / "pinned.Dockerfile"
    dockerfile.write_text(f"ARG BASE={pinned}\nFROM ${{BASE}}\nUSER 1:1\n")
    try:
        with building(engine) as builder:
            request = BuildRequest(context=tmp_path, dockerfile=dockerfile, tag=PINNED, log=tmp_path / "log")
            builder.build(request)
    finally:
        engine.remove_image(PINNED)
        engine.remove_image(pinned)


def test_the_like_of_a_pinned_base_is_made_by_its_name_and_tag(engine: Engine, made: dict[str, BaseImage]) -> None:
    pinned = f"{made['alpine'].public}@sha256:{'0' * 64}"
    base = resolve(pinned, engine, mode="packages", say=say)
    assert (base.public, base.reference, base.source) == (pinned, made["alpine"].reference, BaseSource.PACKAGES)


def test_one_image_that_a_registry_does_not_have_says_nothing_of_its_others(
    engine: Engine, public: tuple[str, str]
) -> None:
    reference, digest = public
    missing = reference.replace("3.7-slim", "nowhere")
    said: list[str] = []
    found = resolve_all([missing, reference], engine, say=said.append, recipes={missing: recipe("alpine")})
    assert found[reference].digest == digest
    assert found[missing].source is BaseSource.PACKAGES
    assert any("manifest unknown" in line for line in said), said


def test_a_pulled_article_base_is_given_a_wheelhouse_for_its_own_python(
    engine: Engine, public: tuple[str, str], tmp_path: Path
) -> None:
    reference, digest = public
    known = {reference: recipe("article", name="tiny-article", public=reference)}
    base = resolve_all([reference], engine, say=say, recipes=known)[reference]
    assert (base.digest, base.source, base.reference != reference) == (digest, BaseSource.REGISTRY, True)
    with engine.running(ContainerSpec(image=base.reference, role=Role.INSPECTOR)) as container:
        stream, _ = container.get_archive("/opt/wheelhouse")
        (tmp_path / "got.tar").write_bytes(b"".join(stream))
    listed = call(["tar", "-tf", tmp_path / "got.tar"], timeout_s=20).stdout
    assert "wheelhouse/Flask-2.2.5-py3-none-any.whl" in listed
    assert "importlib_metadata" in listed
    again = resolve_all([reference], engine, say=say, recipes=known)[reference]
    assert again == base


def test_what_a_registry_does_not_have_is_made_unless_that_is_forbidden(
    engine: Engine, public: tuple[str, str]
) -> None:
    missing = public[0].replace("3.7-slim", "nowhere")
    known = {missing: recipe("alpine", public=missing)}
    said: list[str] = []
    assert resolve_all([missing], engine, say=said.append, recipes=known)[missing].source is BaseSource.PACKAGES
    with pytest.raises(BuildFailed, match="cannot be pulled"):
        resolve_all([missing], engine, mode="registry", say=say, recipes=known)
    with pytest.raises(BuildFailed, match=r"does not say how to make"):
        resolve_all([missing], engine, mode="packages", say=say, recipes={})


def test_a_registry_that_is_silent_costs_seconds(engine: Engine, made: dict[str, BaseImage]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        public = f"127.0.0.1:{silent.getsockname()[1]}/python:3.13-alpine3.23"
        started = time.monotonic()
        base = resolve_all([public], engine, say=say, recipes={public: recipe("alpine", public=public)})[public]
        assert time.monotonic() - started < 10
    assert base.source is BaseSource.PACKAGES


def test_a_wheel_that_was_changed_in_the_cache_is_downloaded_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    target = wheels.Target(python="3.9", libc="glibc", libc_minor=31)
    lock = FOLDER / "article-3.9.txt"
    first = wheels.fetch(lock, target, say=say)
    assert any(path.name.startswith("zipp-") for path in first.files), "markers are judged for 3.9"
    victim = first.files[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    said: list[str] = []
    again = wheels.fetch(lock, target, say=said.append)
    assert "not the locked ones" in said[0]
    assert [path.name for path in again.files] == [path.name for path in first.files]
