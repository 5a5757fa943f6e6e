"""However a run ends, what it made can be found and removed, and nothing else is."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.engine import labels, things
from harness.engine.builder import BuildRequest, building
from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.locks import RunState, new_run_id, run_state
from harness.paths import ROOT
from harness.process import Completed, call
from tests.integration import tiny_image
from tests.integration.leftovers import Snapshot, leftovers

RUN = """
import sys, time
import click
from harness.engine.client import ContainerSpec
from harness.engine.find import open_engine
from harness.engine.labels import Role, of
from seatrial import cli

@click.command("try")
@click.argument("run_id")
def command(run_id):
    with open_engine(run_id, say=lambda text: print(text, file=sys.stderr)) as engine:
        engine.start(ContainerSpec(image="{tag}", role=Role.TARGET, command=["/sleep", "600"]))
        engine.client.volumes.create("seatrial-" + run_id, labels=of(run_id, Role.TARGET))
        engine.client.networks.create("seatrial-" + run_id, labels=of(run_id, Role.TARGET), internal=True)
        print("ready", flush=True)
        {ending}

import types
sys.modules["try_verb"] = types.SimpleNamespace(command=command)
cli.VERBS["try"] = cli.Verb("try_verb:command", "")
sys.exit(cli.main(["try", sys.argv[1]]))
"""


@pytest.fixture(autouse=True)
def locks_of_its_own(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs on the same engine that are not of these tests are somebody else's, and stay."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def tiny(engine: Engine) -> Iterator[str]:
    yield tiny_image.make(engine)
    engine.client.images.remove(tiny_image.TAG)


@contextmanager
def run(run_id: str, *, tag: str, ending: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a process of its own and wait until it has a container, a volume and a network."""
    script = RUN.replace("{tag}", tag).replace("{ending}", ending)
    argv = [sys.executable, "-c", script, run_id]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", child.communicate()[1]
            yield child
        finally:
            child.kill()


def seatrial(*words: str) -> Completed:
    return call([sys.executable, "-m", "seatrial", *words], timeout_s=60, cwd=ROOT, accept=range(256))


def kinds(engine: Engine, run_id: str) -> list[str]:
    return [thing.kind.value for thing in things.of_runs(engine.client) if thing.run_id == run_id]


EVERYTHING = ["container", "volume", "network"]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("raise ZeroDivisionError", 70),
    ],
    ids=["well", "by leaving", "by a fault"],
)
def test_a_run_that_ends_by_itself_leaves_nothing(engine: Engine, tiny: str, ending: str, code: int) -> None:
    run_id = new_run_id()
    with run(run_id, tag=tiny, ending=ending) as child:
        assert child.wait(timeout=60) == code
    assert kinds(engine, run_id) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_stopped_leaves_nothing_and_ends_with_130(
    engine: Engine, tiny: str, number: signal.Signals
) -> None:
    run_id = new_run_id()
    with run(run_id, tag=tiny, ending="time.sleep(60)") as child:
        assert kinds(engine, run_id) == EVERYTHING
        child.send_signal(number)
        assert child.wait(timeout=60) == 130
        assert child.stderr is not None
        assert "Traceback" not in child.stderr.read()
    assert kinds(engine, run_id) == []


def test_what_a_killed_run_left_is_shown_and_removed_and_a_living_runs_is_not(engine: Engine, tiny: str) -> None:
    dead, alive = new_run_id(), new_run_id()
    users_own = engine.client.containers.create(tiny, ["/sleep", "600"], name=f"users-own-{os.getpid()}")
    try:
        with run(alive, tag=tiny, ending="time.sleep(120)"):
            with run(dead, tag=tiny, ending="time.sleep(120)") as child:
                child.kill()
                child.wait(timeout=10)
            assert kinds(engine, dead) == EVERYTHING
            assert run_state(dead) is RunState.DEAD

            shown = {thing["run_id"]: thing["run_state"] for thing in json.loads(seatrial("ps", "--json").stdout)}
            assert shown[dead] == "dead"
            assert shown[alive] == "alive"
            assert dead in seatrial("ps").stdout

            assert "would remove 1 container" in seatrial("clean", "--dry-run").stdout
            assert kinds(engine, dead) == EVERYTHING
            refused = seatrial("clean", "--images")
            assert refused.exit_code == 2
            assert f"The run {alive} is going on" in refused.stderr

            cleaned = seatrial("clean")
            assert cleaned.exit_code == 0, cleaned.stderr
            assert "removed 1 container" in cleaned.stdout
            assert kinds(engine, dead) == []
            assert kinds(engine, alive) == EVERYTHING
        engine.client.containers.get(str(users_own.id))
    finally:
        users_own.remove(force=True)
        things.remove(engine.client, [t for t in things.of_runs(engine.client) if t.run_id in (dead, alive)])


def test_a_run_that_is_not_of_this_user_is_left_alone_unless_all_is_asked_for(engine: Engine, tiny: str) -> None:
    foreign = new_run_id()
    made = engine.client.containers.create(tiny, ["/sleep", "600"], labels=labels.of(foreign, Role.TARGET))
    try:
        assert "left" in seatrial("clean").stdout
        assert kinds(engine, foreign) == ["container"]
    finally:
        made.remove(force=True)


def test_an_image_that_a_user_built_from_ours_stays_and_so_does_a_name_that_a_user_gave(
    engine: Engine, tmp_path: Path
) -> None:
    inputs = "5ea0" * 16
    ours, kept, derived = f"seatrial/try-cleaning:{inputs[:12]}", "seatrial-test/kept:1", "seatrial-test/derived:1"
    labelled = [f'LABEL {labels.ROLE}="{Role.VARIANT}"', f'LABEL {labels.INPUTS}="{inputs}"']
    made = engine.load_filesystem(io.BytesIO(tiny_image.archive()), tag=ours, changes=labelled)
    try:
        engine.tag(ours, *kept.split(":"))
        (tmp_path / "Dockerfile").write_text(f"FROM {ours}\nUSER 1:1\n")
        with building(engine) as builder:
            builder.build(
                BuildRequest(context=tmp_path, dockerfile=tmp_path / "Dockerfile", tag=derived, log=tmp_path / "log")
            )
        inherited = (engine.image(derived) or {})["Config"]["Labels"]
        assert inherited[labels.INPUTS] == inputs
        (found,) = (t for t in things.images(engine.client) if "try-cleaning" in t.name or t.name in (kept, derived))
        assert (found.id, found.names) == (made, (ours,))
        assert things.remove(engine.client, [found]) == []
        assert engine.image(ours) is None
        assert (engine.image(kept) or {})["Id"] == made
        assert engine.image(derived) is not None
    finally:
        for name in (derived, kept, ours):
            engine.remove_image(name)


@pytest.mark.parametrize("words", [["ps"], ["ps", "--json"], ["--help"]], ids=" ".join)
def test_a_reader_that_goes_away_is_no_error(engine: Engine, words: list[str]) -> None:
    argv = [sys.executable, "-m", "seatrial", *words]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert (child.wait(timeout=60), child.stderr.read()) == (0, "")


def test_a_container_that_does_not_start_is_not_left(engine: Engine, tiny: str) -> None:
    before = engine.inventory()["containers"]
    with pytest.raises(Exception, match="starting a container"):
        engine.start(ContainerSpec(image=tiny, role=Role.TARGET, command=["/nothing"]))
    assert engine.inventory()["containers"] == before


def test_the_session_would_notice_a_leaked_container(engine: Engine, tiny: str) -> None:
    before = Snapshot.of(engine)
    leaked = engine.create(ContainerSpec(image=tiny, role=Role.TARGET, command=["/sleep", "600"]))
    unlabelled = engine.client.containers.create(tiny, ["/sleep", "600"], name=f"seatrial-leak-{os.getpid()}")
    volume = engine.client.volumes.create(f"seatrial-leak-{os.getpid()}")
    elsewhere = labels.of(new_run_id(), Role.TARGET)
    others = engine.client.containers.create(tiny, ["/sleep", "600"], labels=elsewhere)
    try:
        said = "\n".join(leftovers(engine, before))
        for thing in (leaked, unlabelled, volume):
            assert f"{thing.id} is new" in said
        assert str(others.id) not in said
    finally:
        engine.remove(leaked)
        unlabelled.remove()
        volume.remove()
        others.remove()
    assert leftovers(engine, before) == []
