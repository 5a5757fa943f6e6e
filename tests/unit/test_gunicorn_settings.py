"""gunicorn's settings follow the container's CPU limit, whichever cgroup version tells it."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from harness.paths import ROOT

SETTINGS = ROOT / "app" / "gunicorn.conf.py"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that reads the settings as gunicorn does, given cgroup files, cores and variables."""

    def read(files: dict[str, str], *, cores: int = 64, **environment: str) -> dict[str, Any]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "ascii")
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)))
        for name in ("PORT", "WEB_CONCURRENCY", "THREADS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        real = Path
        monkeypatch.setattr("pathlib.Path", lambda path: tmp_path if path == "/sys/fs/cgroup" else real(path))
        return runpy.run_path(str(SETTINGS))

    return read


def v1(quota: int, period: int = 100_000) -> dict[str, str]:
    return {"cpu/cpu.cfs_quota_us": f"{quota}\n", "cpu/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("files", "cores", "workers", "threads"),
    [
        ({"cpu.max": "100000 100000\n"}, 64, 1, 8),
        ({"cpu.max": "50000 100000\n"}, 64, 1, 4),
        ({"cpu.max": "150000 100000\n"}, 64, 2, 6),
        ({"cpu.max": "400000 100000\n"}, 64, 4, 8),
        ({"cpu.max": "max 100000\n"}, 3, 3, 8),
        (v1(100_000), 64, 1, 8),
        (v1(20_000), 64, 1, 4),
        (v1(250_000), 64, 3, 7),
        (v1(-1), 2, 2, 8),
        (v1(800_000), 2, 2, 8),
        ({}, 2, 2, 8),
        ({"cpu.max": "nonsense"}, 1, 1, 8),
    ],
    ids=[
        "v2-one-core", "v2-half-a-core", "v2-one-and-a-half", "v2-four", "v2-no-limit", "v1-one-core", "v1-a-fifth",
        "v1-two-and-a-half", "v1-no-limit", "cpu-set-below-quota", "no-cgroup", "unreadable",
    ],
)  # fmt: skip
def test_workers_and_threads_follow_the_limit(
    settings: Any, files: dict[str, str], cores: int, workers: int, threads: int
) -> None:
    read = settings(files, cores=cores)
    assert (read["workers"], read["threads"]) == (workers, threads)


def test_the_environment_overrides(settings: Any) -> None:
    read = settings({}, cores=4, PORT="8080", WEB_CONCURRENCY="2", THREADS="3")
    assert (read["bind"], read["workers"], read["threads"]) == ("0.0.0.0:8080", 2, 3)


def test_a_port_that_is_set_to_nothing_is_none(settings: Any) -> None:
    assert settings({}, PORT="")["bind"] == "0.0.0.0:5000"


def test_nothing_is_written_to_the_root(settings: Any) -> None:
    read = settings({})
    assert read["worker_tmp_dir"] == "/dev/shm"  # noqa: S108
    assert read["control_socket_disable"] is True
    assert read["bind"].endswith(":5000")
