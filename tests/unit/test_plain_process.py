"""How an image is started as a plain process, and where that would mean nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.errors import UsageError
from loadtests import questions
from loadtests.load_profile import LoadProfile
from loadtests.plain_process import NOBODY, PlainRunner, user_of
from loadtests.setting import Cores, Setting
from seatrial import cost

SETTING = Setting(
    run_profile=run_profiles.load("hardened"),
    load_profile=LoadProfile(name="t", title="t", users=1),
    generator_image="generator",
    cores=Cores(target="0,1", generator="1"),
    env={"THREADS": "2"},
    port=4001,
)


@pytest.mark.parametrize(
    ("user", "ids"),
    [
        ("10001:10002", (10001, 10002)),
        ("10001", (10001, 10001)),
        ("", (NOBODY, NOBODY)),
        ("0", (NOBODY, NOBODY)),
        ("0:0", (NOBODY, NOBODY)),
        ("root", (NOBODY, NOBODY)),
        ("www-data", (NOBODY, NOBODY)),
        ("10001:staff", (10001, 10001)),
        ("10001:0", (10001, 10001)),
    ],
)
def test_nothing_runs_as_root(user: str, ids: tuple[int, int]) -> None:
    assert user_of(user) == ids


def test_what_becomes_of_an_images_configuration() -> None:
    config = {"Env": ["A=1=2", "PORT=80"], "User": "5:6", "WorkingDir": "/opt", "Entrypoint": ["python3"], "Cmd": ["x"]}
    *_, how = PlainRunner(root=Path("/r"), config=config).command(SETTING)
    assert json.loads(how) == {
        "root": "/r", "directory": "/opt", "cores": [0, 1], "uid": 5, "gid": 6, "argv": ["python3", "x"],
        "env": {"A": "1=2", "PORT": "4001", "THREADS": "2"},
    }  # fmt: skip


def test_container_and_process_differ_in_nothing_else() -> None:
    container, process = questions.plain_process(SETTING, 4001)
    assert process.baseline == container.name
    assert process.setting == container.setting
    assert (process.setting.path, process.setting.run_profile.cpus) == ("host", None)


class Somewhere:
    def __init__(self, host: str, kernel: str) -> None:
        self.host = host
        self._kernel = kernel

    def info(self) -> dict[str, Any]:
        return {"KernelVersion": self._kernel}


@pytest.mark.parametrize(
    ("uid", "host", "kernel", "said"),
    [
        (1000, "unix:///run/docker.sock", os.uname().release, "needs root"),
        (0, "tcp://10.0.0.1:2375", os.uname().release, "another machine"),
        (0, "unix:///run/docker.sock", "6.6-linuxkit", "another machine"),
    ],
)
def test_where_it_would_mean_nothing_it_is_refused(
    uid: int, host: str, kernel: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid)
    with pytest.raises(UsageError, match=said):
        cost.refuse_no_process(cast("Engine", Somewhere(host, kernel)))


def test_a_root_with_a_local_engine_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    cost.refuse_no_process(cast("Engine", Somewhere("unix:///run/docker.sock", os.uname().release)))
