"""What is missing is told from what is installed, and nothing is installed where that is not allowed."""

from __future__ import annotations

import os
import shutil

import pytest

from harness import debian

# dpkg-query 1.21.22, --showformat '${Package} ${db:Status-Status}\n'; a removed package keeps its configuration.
DPKG_QUERY = (
    "ca-certificates installed\ndocker.io config-files\niptables not-installed\nlibc6 installed\nlibc6 installed\n"
)


def test_only_a_package_whose_status_is_installed_counts() -> None:
    wanted = ["ca-certificates", "docker.io", "iptables", "libc6", "mmdebstrap"]
    assert debian.not_installed(wanted, DPKG_QUERY) == ["docker.io", "iptables", "mmdebstrap"]


@pytest.mark.parametrize("word", ["no", "NO", "0", "false"])
def test_the_switch_forbids_installing(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(debian.INSTALL_SWITCH, word)
    assert debian.installing_forbidden() == f"SEATRIAL_INSTALL={word} forbids installing"


def test_only_root_may_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(debian.INSTALL_SWITCH, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert debian.installing_forbidden() == "installing needs root"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert debian.installing_forbidden() is None


def test_a_machine_without_apt_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(debian.INSTALL_SWITCH, raising=False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert debian.installing_forbidden() == "this is not a Debian or Ubuntu machine"
    assert debian.missing(["docker.io"]) == ["docker.io"]
