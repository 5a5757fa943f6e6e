"""Where an engine is looked for, and in which order."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path

import pytest

from harness.engine import daemon, find
from harness.engine.find import Place
from harness.errors import EngineMissing


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    return tmp_path


def context(folder: Path, name: str, host: str) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}})
    )
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_without_a_named_one_docker_comes_before_podman_and_our_own_is_last() -> None:
    found = list(find.places())
    assert [place.source for place in found] == [
        "Docker",
        "rootless Docker",
        "Podman",
        "rootless Podman",
        "Seatrial's own",
    ]
    assert found[3].host == "unix:///run/user/7/podman/podman.sock"
    assert not any(place.named for place in found)


def test_docker_host_leaves_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///somewhere.sock")
    assert list(find.places()) == [Place(host="unix:///somewhere.sock", source="DOCKER_HOST", named=True)]


def test_the_docker_context_comes_first(nothing_named: Path) -> None:
    context(nothing_named, "colima", "unix:///colima.sock")
    first = next(find.places())
    assert (first.host, first.source, first.named) == ("unix:///colima.sock", "the docker context colima", True)


def test_a_context_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    with pytest.raises(EngineMissing, match="no docker context 'gone'"):
        list(find.places())


def test_a_context_that_cannot_be_read_is_an_error(nothing_named: Path) -> None:
    context(nothing_named, "broken", "unix:///x.sock")
    next((nothing_named / "contexts").rglob("meta.json")).write_text("{")
    with pytest.raises(EngineMissing, match="cannot be read"):
        list(find.places())


def test_a_named_engine_that_does_not_answer_is_an_error_and_no_other_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(EngineMissing, match=r"DOCKER_HOST names the engine .*nobody.sock.*no socket there") as caught:
        find.look()
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("host", "reason"), [("nonsense", "nonsense"), ("tcp://", "tcp")])
def test_a_host_that_is_none_is_an_error_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, host: str, reason: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineMissing, match=reason):
        find.look()


def test_a_socket_where_nobody_listens_is_passed_over_and_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead = tmp_path / "d.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))
    plain = tmp_path / "plain"
    plain.touch()
    candidates = [
        Place(host=f"unix://{dead}", source="Docker"),
        Place(host=f"unix://{plain}", source="Podman"),
        Place(host=f"unix://{tmp_path}/none", source="Seatrial's own"),
    ]
    monkeypatch.setattr(find, "places", lambda: iter(candidates))
    search = find.look()
    assert search.place is None
    assert search.reasons == [
        f"Docker at unix://{dead}: nobody listens there",
        f"Podman at unix://{plain}: not a socket",
    ]


def test_with_none_the_error_lists_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "places", lambda: iter(()))
    with (
        pytest.raises(EngineMissing, match="No container engine was found") as caught,
        find.connected(say=lambda _text: None, start=False),
    ):
        pass
    for way in ("/var/run/docker.sock", "podman.socket", "DOCKER_HOST", "SEATRIAL_INSTALL"):
        assert way in caught.value.hint


def test_installing_that_is_forbidden_is_given_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "places", lambda: iter(()))
    monkeypatch.setattr(daemon, "installed", lambda: False)
    monkeypatch.setenv("SEATRIAL_INSTALL", "no")
    with (
        pytest.raises(EngineMissing, match="SEATRIAL_INSTALL=no forbids installing"),
        find.connected(say=lambda _text: None),
    ):
        pass
