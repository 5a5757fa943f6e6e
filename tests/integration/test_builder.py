"""Both builders build without a network, tell a failure, and leave nothing in the engine but the image."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine.builder import BUILDKIT, CLASSIC, BuildRequest, building
from harness.engine.buildkit import buildkit_client
from harness.engine.client import Engine
from harness.engine.labels import INPUTS, ROLE, Role
from harness.errors import BuildFailed, Interrupted
from tests.integration import tiny_image

TAG = "seatrial-test/builder:1"
LABELS = {ROLE: str(Role.VARIANT), INPUTS: "test"}
TWO_STAGES = """\
ARG BASE
FROM ${BASE} AS build
COPY given.txt /build/given.txt
RUN ["/sleep", "0"]
FROM ${BASE}
COPY --from=build /build/given.txt /given.txt
COPY . /context/
"""


@pytest.fixture(scope="module")
def base(engine: Engine) -> Iterator[str]:
    yield tiny_image.make(engine)
    engine.remove_image(tiny_image.TAG)


@pytest.fixture(params=[BUILDKIT, CLASSIC])
def builder(request: pytest.FixtureRequest, engine: Engine) -> str:
    if request.param == BUILDKIT and buildkit_client(engine) is None:
        pytest.skip("no docker command here can build with BuildKit on this engine")
    return str(request.param)


def request_of(folder: Path, base: str, dockerfile: str, **changes: object) -> BuildRequest:
    context = folder / "context"
    context.mkdir(exist_ok=True)
    (context / "given.txt").write_text("given\n")
    path = folder / "some.Dockerfile"
    path.write_text(dockerfile)
    request = {
        "context": context,
        "dockerfile": path,
        "tag": TAG,
        "log": folder / "build.log",
        "build_args": {"BASE": base},
        "labels": LABELS,
        "use_cache": False,
    }
    return BuildRequest(**(request | changes))  # type: ignore[arg-type]


def new_things(engine: Engine, before: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    after = engine.inventory()
    return {kind: after[kind] - before[kind] for kind in after if after[kind] - before[kind]}


def test_a_build_leaves_its_image_and_nothing_else(engine: Engine, base: str, builder: str, tmp_path: Path) -> None:
    before = engine.inventory()
    lines: list[str] = []
    with building(engine, builder=builder) as tool:
        request = request_of(tmp_path, base, TWO_STAGES)
        image = tool.build(request, lines.append)
        again = tool.build(request_of(tmp_path, base, TWO_STAGES, use_cache=True), lines.append)
    try:
        inspected = engine.image(TAG)
        assert inspected is not None
        assert image == again == inspected["Id"]
        assert LABELS.items() <= inspected["Config"]["Labels"].items()
        assert lines
        assert set(lines) <= set(request.log.read_text("utf-8").splitlines())
        assert names_in_layers(engine)[1:] == [{"given.txt"}, {"context/given.txt"}]
    finally:
        engine.remove_image(TAG)
    assert new_things(engine, before) == {}


def test_the_dockerfile_is_no_part_of_the_context(engine: Engine, base: str, builder: str, tmp_path: Path) -> None:
    """`COPY . .` copies the same with either builder, whose Dockerfiles travel differently."""
    with building(engine, builder=builder) as tool:
        tool.build(request_of(tmp_path, base, "ARG BASE\nFROM ${BASE}\nCOPY . /context/\n"))
    try:
        assert names_in_layers(engine)[-1] == {"context/given.txt"}
    finally:
        engine.remove_image(TAG)


@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        (TWO_STAGES + 'RUN ["/sleep"]\n', "missing operand"),
        ("ARG BASE\nFROM ${BASE}\nCOPY missing.txt /\n", "missing.txt"),
        ("ARG BASE\nFROM ${BASE}\nNONSENSE\n", "NONSENSE"),
        ("", "empty"),
    ],
    ids=["step-fails", "missing-file", "no-dockerfile", "empty"],
)
def test_a_failed_build_says_why_and_leaves_nothing(
    engine: Engine, base: str, builder: str, tmp_path: Path, dockerfile: str, said: str
) -> None:
    before = engine.inventory()
    request = request_of(tmp_path, base, dockerfile)
    with pytest.raises(BuildFailed) as caught, building(engine, builder=builder) as tool:
        tool.build(request)
    assert said.lower() in caught.value.message.lower()
    assert str(request.log) in caught.value.hint
    assert said.lower() in request.log.read_text("utf-8").lower()
    assert new_things(engine, before) == {}


def test_a_build_that_takes_too_long_is_stopped(engine: Engine, base: str, builder: str, tmp_path: Path) -> None:
    before = engine.inventory()
    request = request_of(tmp_path, base, 'ARG BASE\nFROM ${BASE}\nRUN ["/sleep", "300"]\n', timeout_s=2.0)
    began = time.monotonic()
    with pytest.raises(BuildFailed, match="longer than 2 seconds"), building(engine, builder=builder) as tool:
        tool.build(request)
    assert time.monotonic() - began < 30
    settle(engine, before)


def test_a_build_in_a_thread_can_be_cancelled(engine: Engine, base: str, builder: str, tmp_path: Path) -> None:
    before = engine.inventory()
    request = request_of(tmp_path, base, 'ARG BASE\nFROM ${BASE}\nRUN ["/sleep", "300"]\n')
    with building(engine, builder=builder) as tool:
        threading.Timer(1.5, tool.cancel.set).start()
        began = time.monotonic()
        with pytest.raises(Interrupted):
            tool.build(request)
    assert time.monotonic() - began < 30
    settle(engine, before)


def names_in_layers(engine: Engine) -> list[set[str]]:
    """Return the files of each layer of the built image, lowest first."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(engine.save(TAG)))) as archive:
        manifest = json.loads(_bytes(archive, "manifest.json"))
        found = []
        for name in manifest[0]["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_bytes(archive, name))) as layer:
                found.append({member.name for member in layer if member.isfile()})
        return found


def _bytes(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()


def settle(engine: Engine, before: dict[str, frozenset[str]]) -> None:
    """Wait for the engine to notice that BuildKit's client has gone."""
    deadline = time.monotonic() + 10
    while new_things(engine, before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert new_things(engine, before) == {}
