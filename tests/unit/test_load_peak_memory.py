"""The peak on cgroup v2: found by the container's id wherever the engine keeps it, and else not measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.model import NotMeasured
from loadtests import peak_memory
from loadtests.inside.peak import peak_bytes

ID = "4f" * 32


def cgroup(root: Path, path: str, peak: int | None) -> None:
    folder = root / path
    folder.mkdir(parents=True)
    (folder / "memory.current").write_text("1\n")
    if peak is not None:
        (folder / "memory.peak").write_text(f"{peak}\n")


@pytest.mark.parametrize(
    "path",
    [f"system.slice/docker-{ID}.scope", f"docker/{ID}", f"user.slice/user-1000.slice/user.slice/docker-{ID}.scope"],
    ids=["systemd", "cgroupfs", "rootless"],
)
def test_it_is_found_by_the_containers_id(tmp_path: Path, path: str) -> None:
    cgroup(tmp_path, "system.slice/docker-other.scope", 7)
    cgroup(tmp_path, path, 4096)
    cgroup(tmp_path, f"{path}/inner", 8192)
    assert peak_bytes(tmp_path, ID) == 4096


def test_what_cannot_be_seen_is_nothing(tmp_path: Path) -> None:
    assert peak_bytes(tmp_path, ID) is None
    cgroup(tmp_path, f"docker/{ID}", None)
    assert peak_bytes(tmp_path, ID) is None


@pytest.mark.parametrize(("code", "out"), [(0, ""), (1, "4096"), (0, "max"), (0, "-1")])
def test_a_reader_that_did_not_say_is_not_zero(code: int, out: str) -> None:
    found = peak_memory.of(code, out, "a\nno such file\n")
    assert isinstance(found, NotMeasured)
    assert found.not_measured.endswith("from outside it: no such file")
    assert peak_memory.of(0, "4096\n", "") == 4096
