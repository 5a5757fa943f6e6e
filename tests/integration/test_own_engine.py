"""Seatrial's own engine: shared by runs, stopped by the last, cleared after a kill, and never anybody else's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.engine import bridge, daemon, processes
from harness.engine.client import ContainerSpec
from harness.engine.daemon_settings import Files
from harness.engine.find import connected, look, open_engine
from harness.engine.labels import Role
from harness.engine.packages import ensure_engine
from harness.errors import EngineMissing, UsageError
from harness.locks import new_run_id
from harness.paths import ROOT
from tests.integration import tiny_image

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine of one's own needs root")

USER = """
import sys
from harness.engine import daemon
with daemon.in_use(lambda text: None) as host:
    print("using", host, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Skip where there is no dockerd, and none may be installed."""
    try:
        ensure_engine(say=print)
    except EngineMissing as error:
        pytest.skip(error.message)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """Folders of this test's own, no engine named, and the machine's own sockets out of sight."""
    for variable in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr("harness.engine.find.DOCKER_SOCKET", tmp_path / "none")
    monkeypatch.setattr("harness.engine.find.PODMAN_SOCKET", tmp_path / "none")
    files = Files.of_user()
    yield files
    daemon.stop(force=True)
    assert_nothing_left(files)


def assert_nothing_left(files: Files) -> None:
    assert daemon.running_pid(files) is None
    assert processes.with_argument(str(files.containerd_config), program="containerd") == []
    assert processes.with_argument(str(files.containerd_socket), program=daemon.SHIM) == []
    assert processes.mounts_under(files.exec_root) == []
    assert processes.mounts_under(files.data_root) == []
    assert not files.exec_root.exists()
    assert files.bridge not in interfaces()


def interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


@contextmanager
def user() -> Iterator[subprocess.Popen[str]]:
    """A process that uses the engine until its standard input ends."""
    argv = [sys.executable, "-c", USER]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().startswith("using unix://")
            yield child
        finally:
            child.kill()


def test_a_command_starts_it_and_stops_it(folders: Files) -> None:
    before = set(interfaces())
    said: list[str] = []
    with open_engine(new_run_id(), say=said.append) as engine:
        assert engine.source == "Seatrial's own"
        info = engine.info()
        assert info["DockerRootDir"] == str(folders.data_root)
        assert set(interfaces()) - before == {folders.bridge}
        assert folders.pid_file.read_text().strip() == str(daemon.running_pid())
        code, out, _ = engine.run_to_end(
            ContainerSpec(image=tiny_image.make(engine), role=Role.TARGET, command=["/sleep", "0"], network="bridge"),
            timeout_s=30,
        )
        assert (code, out) == (0, "")
    assert any("Starting" in line for line in said)
    assert any("Stopping" in line for line in said)
    assert_nothing_left(folders)


def test_the_last_of_two_users_stops_it(folders: Files) -> None:
    with user() as first, user() as second:
        pid = daemon.running_pid()
        assert pid is not None
        with pytest.raises(UsageError, match="A run is using"):
            daemon.stop()
        first.communicate("", timeout=30)
        assert daemon.running_pid() == pid
        second.communicate("", timeout=60)
    assert daemon.running_pid() is None


def test_a_user_that_was_killed_counts_no_more(folders: Files) -> None:
    with user() as killed:
        pid = daemon.running_pid()
        killed.kill()
        killed.wait(timeout=10)
        assert daemon.running_pid() == pid
    with user() as next_one:
        assert daemon.running_pid() == pid
        next_one.communicate("", timeout=60)
    assert daemon.running_pid() is None


def test_many_users_that_come_at_once_start_one(folders: Files) -> None:
    argv = [sys.executable, "-c", USER]
    children = [
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline().startswith("using unix://")
        assert len(processes.with_argument(str(folders.dockerd_config), program="dockerd")) == 1
        for child in children:
            child.communicate("", timeout=60)
            assert child.returncode == 0
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert daemon.running_pid() is None


def test_one_that_was_started_to_stay_stays_until_it_is_stopped(folders: Files) -> None:
    daemon.start_and_keep(lambda _text: None)
    pid = daemon.running_pid()
    assert daemon.status().kept
    with connected(say=lambda _text: None) as engine:
        assert engine.source == "Seatrial's own"
    assert daemon.running_pid() == pid
    assert daemon.stop() is True
    assert daemon.stop() is False
    assert_nothing_left(folders)


def test_after_it_was_killed_with_a_container_running_the_next_start_clears_up(folders: Files) -> None:
    daemon.start_and_keep(lambda _text: None)
    with connected("killed-run", say=lambda _text: None) as engine:
        tag = tiny_image.make(engine)
        engine.start(ContainerSpec(image=tag, role=Role.TARGET, command=tiny_image.SLEEP))
    shims = processes.with_argument(str(folders.containerd_socket), program=daemon.SHIM)
    containers = [pid for shim in shims for pid in processes.children(shim)]
    assert len(shims) == len(containers) == 1
    for program, config in (("dockerd", folders.dockerd_config), ("containerd", folders.containerd_config)):
        for pid in processes.with_argument(str(config), program=program):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: daemon.running_pid() is None)
    assert folders.socket.exists()
    assert look().place is None

    with connected("next-run", say=lambda _text: None) as engine:
        assert not processes.alive(containers[0])
        found = engine.client.containers.list(all=True)
        assert [container.status for container in found] == ["exited"]
    assert_nothing_left(folders)


def test_deep_folders_are_no_obstacle(folders: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ("deep" * 20)))
    with open_engine(new_run_id(), say=lambda _text: None) as engine:
        assert engine.version()["Version"]
        assert len(engine.host) < 107
    assert_nothing_left(Files.of_user())


def test_one_that_cannot_start_says_why_and_leaves_nothing(folders: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engine.daemon.dockerd_settings", lambda _files, _say: {"no-such-setting": 1})
    with pytest.raises(EngineMissing, match="dockerd ended at once") as caught, daemon.in_use(lambda _text: None):
        pass
    assert "no-such-setting" in caught.value.message
    assert str(folders.log("dockerd")) in caught.value.hint
    assert_nothing_left(folders)


def test_ctrl_c_at_the_terminal_does_not_reach_it(folders: Files) -> None:
    with connected(say=lambda _text: None):
        pid = daemon.running_pid()
        assert pid is not None
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.getsid(pid) != os.getsid(0)


def test_a_bridge_that_is_there_already_is_taken_as_it_is(folders: Files) -> None:
    subnet = bridge.free_subnet()
    assert subnet is not None
    bridge.create(folders.bridge, subnet)
    bridge.create(folders.bridge, subnet)
    assert interfaces().count(folders.bridge) == 1
    bridge.remove(folders.bridge)
    bridge.remove(folders.bridge)
    assert folders.bridge not in interfaces()


def wait_until(condition: Callable[[], bool], *, patience_s: float = 10) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
