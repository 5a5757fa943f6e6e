"""Run profiles: what cannot be used is refused by name, and only an image without a user of its own is given one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine import run_profiles
from harness.engine.run_profiles import host_options, user_for
from harness.errors import UsageError
from harness.model import RunProfile

FORCED = "65532:65532"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('restart = "on-failure:x"', "restart", id="restarts without a number"),
        pytest.param('restart = "always"', "restart", id="restarts without end"),
        pytest.param("cpus = -1", "cpus", id="less than no CPU"),
        pytest.param("cpus = nan", "cpus", id="no number of CPUs"),
        pytest.param("memory_bytes = 1000", "memory_bytes", id="less memory than the engine takes"),
        pytest.param("pids_limit = 0", "pids_limit", id="no process"),
        pytest.param('[tmpfs]\ntmp = "rw"', "tmpfs.tmp", id="a relative mount point"),
        pytest.param('user = "a b"', "user", id="no user's name"),
        pytest.param('cap_drop = ["all"]', "cap_drop.0", id="no capability's name"),
        pytest.param('ulimits = [{ name = "nofile", soft = 9, hard = 3 }]', "ulimits.0", id="soft above hard"),
        pytest.param('network = "mine"', "network", id="unknown network"),
        pytest.param('network = "bridge"\n[publish]\n"5000/tcp" = 99999', "publish.5000/tcp", id="no port"),
        pytest.param('[publish]\n"5000/tcp" = 5000', "publish", id="published from nowhere"),
        pytest.param('seccomp = "none.json"', "none.json", id="no such seccomp profile"),
        pytest.param("readonly = true", "readonly", id="unknown entry"),
        pytest.param("read_only = ", "cannot be read", id="broken TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_in_plain_words(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "mine"\n{text}\n', "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        run_profiles.load(str(path))
    assert "http" not in caught.value.message
    assert "pydantic" not in caught.value.message


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        run_profiles.load("hardned")
    assert "hardened" in caught.value.hint


@pytest.mark.parametrize("own", ["", "0", "root", "0:0", "root:root"])
def test_an_image_that_would_run_as_root_is_given_a_user(own: str) -> None:
    assert user_for(run_profiles.load("hardened"), own) == FORCED
    assert host_options(run_profiles.load("hardened"), image_user=own)["user"] == FORCED


@pytest.mark.parametrize("own", ["10001:10001", "10001", "nonroot", "1000:0"])
def test_an_image_keeps_its_own_user(own: str) -> None:
    assert user_for(run_profiles.load("hardened"), own) is None
    assert "user" not in host_options(run_profiles.load("hardened"), image_user=own)


def test_a_user_that_a_profile_names_outright_overrides_every_image_s() -> None:
    profile = RunProfile(name="x", title="x", user="5:5", user_if_root="6:6")
    assert [user_for(profile, own) for own in ("", "10001")] == ["5:5", "5:5"]
    assert user_for(run_profiles.load("article"), "") is None
