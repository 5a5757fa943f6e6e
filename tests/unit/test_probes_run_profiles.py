"""Run profiles as the engine is given them: the hardened one's seccomp profile and kernel settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.engine import run_profiles
from harness.engine.run_profiles import host_options
from harness.errors import UsageError
from harness.model import RunProfile

HARDENED = run_profiles.load("hardened")


def seccomp() -> dict[str, Any]:
    option = next(one for one in host_options(HARDENED)["security_opt"] if one.startswith("seccomp="))
    document = json.loads(option.removeprefix("seccomp="))
    assert isinstance(document, dict)
    return document


def rules(name: str) -> list[dict[str, Any]]:
    found = seccomp()["syscalls"]
    return [rule for rule in found if name in rule["names"]]


def test_what_is_not_named_is_refused() -> None:
    assert seccomp()["defaultAction"] == "SCMP_ACT_ERRNO"
    for name in (
        "ptrace",
        "process_vm_readv",
        "bpf",
        "keyctl",
        "mount",
        "unshare",
        "setns",
        "io_uring_setup",
        "kexec_load",
    ):
        assert not rules(name), name


def test_a_new_thread_may_be_made_and_a_new_namespace_not() -> None:
    (clone,) = rules("clone")
    (argument,) = clone["args"]
    assert argument["op"] == "SCMP_CMP_MASKED_EQ"
    assert argument["value"] & 0x10000000, "CLONE_NEWUSER is among the flags that must be zero"
    assert argument["valueTwo"] == 0
    (clone3,) = rules("clone3")
    assert (clone3["action"], clone3["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


def test_sockets_are_streams_and_datagrams() -> None:
    families = {rule["args"][0]["value"] for rule in rules("socket")}
    assert families == {1, 2, 10, 16}
    assert all(rule.get("args") for rule in rules("socket"))


def test_no_call_is_named_twice_without_conditions() -> None:
    found = seccomp()["syscalls"]
    plain = [name for rule in found if "args" not in rule for name in rule["names"]]
    assert len(plain) == len(set(plain))


def test_podman_is_given_the_path() -> None:
    options = host_options(HARDENED, seccomp_by_path=True)["security_opt"]
    path = Path(next(one for one in options if one.startswith("seccomp=")).removeprefix("seccomp="))
    assert path.is_absolute()
    assert json.loads(path.read_text("utf-8")) == seccomp()


@pytest.mark.parametrize("network", ["container:abc", "host"])
def test_network_settings_are_left_to_whoever_owns_the_namespace(network: str) -> None:
    profile = HARDENED.model_copy(update={"sysctls": {"net.ipv4.ip_unprivileged_port_start": "1024", "kernel.x": "1"}})
    assert host_options(profile, network)["sysctls"] == {"kernel.x": "1"}
    assert len(host_options(profile, "none")["sysctls"]) == 2


@pytest.mark.parametrize("content", [None, "not json"])
def test_a_seccomp_profile_that_cannot_be_read_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "profile.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"profile\.json cannot be used"):
        host_options(RunProfile(name="x", title="x", seccomp=str(path)))


@pytest.mark.parametrize("name", run_profiles.names())
def test_every_run_profile_is_one(name: str) -> None:
    assert host_options(run_profiles.load(name)) is not None
