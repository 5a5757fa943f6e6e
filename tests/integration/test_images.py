"""Every variant builds without a network, runs locked down, answers rightly, and is what its record says."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.engine.client import ContainerSpec, Engine
from harness.engine.images import others_alive
from harness.engine.labels import INPUTS, ROLE, Role
from harness.engine.run_profiles import load
from harness.errors import BuildFailed, UsageError
from harness.model import BaseImage, BaseSource, Image, Interpreter, RunProfile, Variant
from images.app_wheels import locked_for
from images.bases import resolve_all
from images.build import build_all
from images.variants import discover, read
from tests.integration import tiny_image
from tests.integration.leftovers import Snapshot

NAMES = [variant.name for variant in discover()]
OURS = [name for name in NAMES if name != "article"]
GUNICORN = [name for name in NAMES if name.endswith("-gunicorn")]
ASK = """
import json, time, urllib.error, urllib.request
def ask(path):
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}") as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), dict(error.headers)
        except OSError:
            time.sleep(0.05)
print(json.dumps([ask(path) for path in PATHS]))
"""


@pytest.fixture(scope="session")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """Every variant, built as `seatrial build` does."""
    images = build(engine, tmp_path_factory.mktemp("logs"))
    return {image.variant: image for image in images}


def build(engine: Engine, logs: Path, **options: object) -> list[Image]:
    def say(text: str) -> None:
        print(text, file=sys.stderr)

    def bases(publics: Sequence[str]) -> Mapping[str, BaseImage]:
        return resolve_all(publics, engine, say=say)

    chosen = options.pop("variants", discover())
    return build_all(chosen, engine, bases=bases, wheels=locked_for(engine, say=say), log_dir=logs, say=say, **options)  # type: ignore[arg-type]


def hardened() -> RunProfile:
    return load("hardened")


def ask(engine: Engine, image: Image, paths: Sequence[str], *, port: int = 5000) -> tuple[list[list[object]], str]:
    """Run an image locked down, ask it for paths from inside, and return answers and log."""
    spec = ContainerSpec(
        image=image.reference, role=Role.TARGET, variant=image.variant, profile=hardened(), env={"PORT": str(port)}
    )
    with engine.running(spec) as container:
        code, printed = engine.exec_python(container, f"PORT, PATHS = {port}, {list(paths)!r}\n{ASK}")
        assert code == 0, printed
        return json.loads(printed), engine.logs(container)


@pytest.mark.parametrize("name", NAMES)
def test_answers_locked_down(engine: Engine, built: dict[str, Image], name: str) -> None:
    answers, log = ask(engine, built[name], ["/", "/cpu?n=1000", "/healthz", "/nowhere", "/fortunes?row=%3Cb%3E"])
    bodies = [body for _, body, _ in answers]
    assert bodies[:4] == [
        "Hello, World!",
        '{"n":1000,"primes":168}\n',
        '{"status":"ok"}\n',
        '{"error":"Not Found","status":404}\n',
    ]
    assert "<td>&lt;b&gt;</td>" in str(bodies[4])
    for _, _, headers in answers:
        assert isinstance(headers, dict)
        assert headers["Server"] in {"gunicorn", "werkzeug"}
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Traceback" not in log


@pytest.mark.parametrize("name", GUNICORN)
def test_gunicorn_has_nothing_to_complain_of(engine: Engine, built: dict[str, Image], name: str) -> None:
    _, log = ask(engine, built[name], ["/"])
    assert "Listening at" in log
    assert not re.search(r"warn|error|critical|fail|denied|read-only", log, re.IGNORECASE), log


@pytest.mark.parametrize("name", ["alpine-dev", "distroless-gunicorn"])
def test_listens_on_the_port_it_is_told(engine: Engine, built: dict[str, Image], name: str) -> None:
    answers, _ = ask(engine, built[name], ["/"], port=8123)
    assert answers[0][1] == "Hello, World!"


@pytest.mark.parametrize("name", ["slim-dev", "alpine-gunicorn", "distroless-gunicorn"])
def test_the_health_check_needs_no_more_than_the_image(engine: Engine, built: dict[str, Image], name: str) -> None:
    image = built[name]
    assert image.healthcheck is not None
    second = 1_000_000_000
    check = {"test": list(image.healthcheck.test), "interval": second // 2, "timeout": 3 * second, "retries": 3}
    spec = ContainerSpec(
        image=image.reference, role=Role.TARGET, profile=hardened(), healthcheck=True, overrides={"healthcheck": check},
        env={"PORT": "8124"},
    )  # fmt: skip
    with engine.running(spec) as container:
        deadline = time.monotonic() + 15
        while (health := _health(container))["Status"] == "starting" and time.monotonic() < deadline:
            time.sleep(0.2)
        assert health["Status"] == "healthy", health


def _health(container: object) -> dict[str, object]:
    container.reload()  # type: ignore[attr-defined]
    return dict(container.attrs["State"]["Health"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", OURS)
def test_made_to_be_safe(built: dict[str, Image], name: str) -> None:
    image = built[name]
    assert image.user == ("65532:65532" if name.startswith("distroless") else "10001:10001")
    assert image.exposed_ports == ("5000/tcp",)
    assert image.entrypoint[0] == "python3"
    assert image.healthcheck is not None
    assert image.healthcheck.test[0] == "CMD"
    assert image.labels["org.opencontainers.image.base.name"] == image.base.reference
    assert image.labels[ROLE] == Role.VARIANT
    assert isinstance(image.interpreter, Interpreter)
    assert image.interpreter.version.startswith("3.13.")
    assert image.interpreter.libc.startswith("musl" if name.startswith("alpine") else "glibc")


def test_the_article_is_made_as_the_article_makes_it(built: dict[str, Image]) -> None:
    image = built["article"]
    assert (image.user, image.command, image.healthcheck) == ("", ("python", "app.py"), None)
    assert 0 < image.wheelhouse_bytes < 5_000_000


@pytest.mark.parametrize("name", NAMES)
def test_the_record_agrees_with_the_engine(engine: Engine, built: dict[str, Image], name: str) -> None:
    image = built[name]
    inspected = engine.image(image.reference)
    assert inspected is not None
    assert [layer.diff_id for layer in image.layers] == inspected["RootFS"]["Layers"]
    assert image.size_bytes == sum(layer.size_bytes for layer in image.layers)
    # The engine counts the files' bytes, the layers are tar streams with headers and padding.
    assert inspected["Size"] <= image.size_bytes < inspected["Size"] * 1.2
    assert image.size_bytes * 0.2 < image.compressed_bytes < image.size_bytes * 0.6
    assert isinstance(image.build_cold_seconds, float)
    assert isinstance(image.build_cached_seconds, float)


def test_slim_is_larger_than_distroless_than_alpine(built: dict[str, Image]) -> None:
    sizes = [built[f"{base}-gunicorn"].size_bytes for base in ("alpine", "distroless", "slim")]
    assert sizes == sorted(sizes)
    assert built["slim-gunicorn"].size_bytes < 160_000_000


@pytest.mark.parametrize("name", OURS)
def test_nothing_in_the_image_can_be_changed_by_its_user_or_is_compiled_at_start(
    engine: Engine, built: dict[str, Image], name: str
) -> None:
    script = (
        "import os, sys; import app.wsgi, socket; "
        "compiled = [m.__cached__ for m in list(sys.modules.values()) if getattr(m, '__cached__', None)]; "
        "print([path for path in compiled if not os.path.exists(path)]); "
        "print([os.path.join(d, f) for d, _, fs in os.walk('/opt/app') for f in ['', *fs] "
        "if os.access(os.path.join(d, f), os.W_OK)])"
    )
    # With a root that can be written to, so that it is the files' own modes and owners that count.
    spec = ContainerSpec(
        image=built[name].reference,
        role=Role.INSPECTOR,
        entrypoint=("python3", "-c", script),
        command=(),
        overrides={"read_only": False},
    )
    code, printed, errors = engine.run_to_end(spec, timeout_s=60)
    assert (code, printed) == (0, "[]\n[]\n"), errors


def test_the_second_time_nothing_is_built(engine: Engine, built: dict[str, Image], tmp_path: Path) -> None:
    before = Snapshot.of(engine).own
    again = build(engine, tmp_path)
    assert all(image.built_earlier and image.built_at for image in again)
    assert {image.variant: image.model_copy(update={"built_earlier": False}) for image in again} == {
        name: image.model_copy(update={"built_earlier": False}) for name, image in built.items()
    }
    logs = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert set(logs) == {f"{name}-build.log" for name in NAMES}, "each run has the log of the builds that it tells of"
    assert all(f"# {image.builder}: {image.reference}" in logs[f"{image.variant}-build.log"] for image in again)
    assert Snapshot.of(engine).own == before


def test_changed_inputs_are_built_and_replace_what_was(engine: Engine, tmp_path: Path) -> None:
    dockerfile = tmp_path / "my-own.Dockerfile"
    dockerfile.write_text('ARG BASE=python:3.13-alpine3.23\nFROM ${BASE}\nUSER 1:1\nCMD ["python3"]\n')
    (first,) = build(engine, tmp_path / "logs", variants=discover(tmp_path))
    dockerfile.write_text(dockerfile.read_text("utf-8").replace("USER 1:1", "USER 2:2"))
    try:
        (second,) = build(engine, tmp_path / "logs", variants=discover(tmp_path))
        assert (first.user, second.user) == ("1:1", "2:2")
        assert first.labels[INPUTS] != second.labels[INPUTS]
        assert (engine.image("seatrial/my-own:latest") or {})["Id"] == second.digest
        assert engine.image(first.reference) is not None, "another clone may be at that commit"
        (back,) = build(engine, tmp_path / "logs", variants=[_with_user(dockerfile, "1:1")])
        assert (back.digest, back.built_earlier) == (first.digest, True)
        for user in ("3:3", "4:4"):
            (last,) = build(engine, tmp_path / "logs", variants=[_with_user(dockerfile, user)])
        if not others_alive(engine.run_id):
            left = [engine.image(each.reference) is not None for each in (first, second, last)]
            assert left == [True, False, True], "the last three that were used stay"
        _with_user(dockerfile, "2:2")
        (once, twice) = (build(engine, tmp_path / "logs", variants=discover(tmp_path), force=True)[0] for _ in range(2))
        assert engine.image(twice.digest) is not None
        assert once.digest == twice.digest or engine.image(once.digest) is None, "nothing is left without a name"
        (forced,) = build(engine, tmp_path / "logs", variants=discover(tmp_path), force=True, builder="classic")
        assert forced.builder == "classic"
        assert forced.user == "2:2"
    finally:
        for image in engine.images_with({ROLE: Role.VARIANT}):
            for tag in image.get("RepoTags") or ():
                if tag.startswith("seatrial/my-own:"):
                    engine.remove_image(tag)


def _with_user(dockerfile: Path, user: str) -> Variant:
    dockerfile.write_text(re.sub(r"USER .*", f"USER {user}", dockerfile.read_text("utf-8")))
    return read(dockerfile)


def test_a_cold_build_does_every_step_itself(engine: Engine, tmp_path: Path) -> None:
    # The same but for their names: builders that run at once would do the slow step for both.
    names = ("my-one", "my-two")
    for name in names:
        text = 'ARG BASE=python:3.13-alpine3.23\nFROM ${BASE}\nRUN ["python3", "-c", "import time; time.sleep(3)"]\n'
        (tmp_path / f"{name}.Dockerfile").write_text(text)
    try:
        images = build(engine, tmp_path / "logs", variants=discover(tmp_path), parallel=2)
        for image in images:
            assert isinstance(image.build_cold_seconds, float)
            assert isinstance(image.build_cached_seconds, float)
            assert image.build_cold_seconds > 3 > image.build_cached_seconds
            assert image.built_in_parallel == 1
    finally:
        _remove(engine, *names)


def _remove(engine: Engine, *variants: str) -> None:
    for image in engine.images_with({ROLE: Role.VARIANT}):
        for tag in image.get("RepoTags") or ():
            if tag.startswith(tuple(f"seatrial/{name}:" for name in variants)):
                engine.remove_image(tag)


def test_a_base_that_is_named_outright_is_the_engines_own_or_refused_with_a_way_out(
    engine: Engine, tmp_path: Path
) -> None:
    base = "seatrial-test/outright:1"
    engine.load_filesystem(io.BytesIO(tiny_image.archive()), tag=base, changes=[])
    path = tmp_path / "my-outright.Dockerfile"
    path.write_text(f"FROM {base}\nUSER 1:1\n")
    try:
        (image,) = build(engine, tmp_path / "logs", variants=[read(path)])
        assert (image.user, image.base.reference, image.base.source) == ("1:1", base, BaseSource.ENGINE)
        path.write_text("FROM seatrial-test/nowhere:1\n")
        with pytest.raises(UsageError, match="outright") as caught:
            build(engine, tmp_path / "logs", variants=[read(path)])
        assert "ARG BASE=seatrial-test/nowhere:1" in caught.value.hint
    finally:
        _remove(engine, "my-outright")
        engine.remove_image(base)


def test_one_that_fails_does_not_stop_the_others(engine: Engine, tmp_path: Path) -> None:
    text = "ARG BASE=python:3.13-alpine3.23\nFROM ${BASE}\n"
    (tmp_path / "my-good.Dockerfile").write_text(text + "USER 1:1\n")
    (tmp_path / "my-bad.Dockerfile").write_text(text + 'RUN ["python3", "-c", "import nonsense"]\n')
    (tmp_path / "my-worse.Dockerfile").write_text(text + "COPY nowhere /\n")
    done: list[Image] = []
    before = Snapshot.of(engine).own
    try:
        with pytest.raises(BuildFailed) as caught:
            build(engine, tmp_path / "logs", variants=discover(tmp_path), on_built=done.append)
        assert [image.variant for image in done] == ["my-good"]
        assert "No module named 'nonsense'" in caught.value.message
        assert "nowhere" in caught.value.message
        assert "my-bad-build.log" in caught.value.hint
    finally:
        for tag in (f"{done[0].reference.partition(':')[0]}:latest", done[0].reference) if done else ():
            engine.remove_image(tag)
    assert Snapshot.of(engine).own == before
