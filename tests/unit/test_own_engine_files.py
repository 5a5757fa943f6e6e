"""The own engine's files: under the XDG folders, with socket paths that the kernel takes, named like nobody else's."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from harness.engine import daemon_settings
from harness.engine.daemon_settings import Files
from harness.errors import EngineMissing


def files_in(home: str, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setenv("XDG_STATE_HOME", f"{home}/state")
    monkeypatch.setenv("XDG_DATA_HOME", f"{home}/data")
    return Files.of_user()


def test_everything_is_under_the_xdg_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_in("/h", monkeypatch)
    assert files.home == Path("/h/state/seatrial/engine")
    assert files.socket == Path("/h/state/seatrial/engine/exec/docker.sock")
    assert files.data_root == Path("/h/data/seatrial/engine")


def test_sockets_move_to_a_short_path_where_the_folders_are_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = files_in("/h/" + "d" * 120, monkeypatch)
    assert str(deep.exec_root).startswith("/run/seatrial-")
    other = files_in("/h/" + "e" * 120, monkeypatch)
    assert deep.exec_root != other.exec_root
    for files in (deep, other, files_in("/h/" + "é" * 30, monkeypatch)):
        longest = files.exec_root / "libnetwork" / "0123456789ab.sock"
        assert len(os.fsencode(longest)) <= 107


def test_the_bridge_has_a_name_that_the_kernel_takes_and_that_is_no_other_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {files_in(f"/home/{user}", monkeypatch).bridge for user in ("a", "b")}
    assert len(names) == 2
    assert all(len(name) <= 15 for name in names)


def test_the_settings_name_no_file_outside_of_our_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = files_in('/h/with "quotes"', monkeypatch)
    monkeypatch.setattr(daemon_settings, "_make_bridge", lambda _files, _say: files.bridge)
    theirs = tmp_path / "daemon.json"
    theirs.write_text(json.dumps({"registry-mirrors": ["https://mirror"], "data-root": "/var/lib/docker"}))
    monkeypatch.setattr(daemon_settings, "SYSTEM_CONFIG", theirs)
    settings = daemon_settings.dockerd_settings(files, lambda _text: None)
    assert settings["registry-mirrors"] == ["https://mirror"]
    assert settings["data-root"] == str(files.data_root)
    assert settings["bridge"] == files.bridge != "docker0"
    parsed = tomllib.loads(daemon_settings.containerd_settings(files))
    assert parsed["root"] == str(files.data_root / "containerd")
    for path in (settings["exec-root"], settings["pidfile"], parsed["state"], parsed["grpc"]["address"]):
        assert path.startswith(str(files.home))


def test_without_a_bridge_of_its_own_it_never_endangers_dockers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("harness.engine.bridge.free_subnet", lambda: None)
    monkeypatch.setattr("harness.engine.bridge.exists", lambda name: name == "docker0")
    files = Files(home=tmp_path, exec_root=tmp_path / "exec", data_root=tmp_path / "data")
    with pytest.raises(EngineMissing, match="network bridge"):
        daemon_settings.dockerd_settings(files, print)
