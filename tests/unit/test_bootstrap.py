"""The first step of `make`: which Python it takes, and what it says where something is missing."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import bootstrap

COMPLETE = ("/usr/bin/python3.12", (3, 12), True)
WITHOUT_VENV = ("/usr/bin/python3", (3, 11), False)


def candidates(monkeypatch: pytest.MonkeyPatch, *found: tuple[str, tuple[int, int], bool]) -> None:
    monkeypatch.setattr(bootstrap, "_candidates", lambda: list(found))


def test_a_python_that_can_make_environments_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates(monkeypatch, COMPLETE, WITHOUT_VENV)
    assert bootstrap._python() == "/usr/bin/python3.12"


@pytest.mark.parametrize(("uid", "switch"), [(1000, ""), (0, "no")], ids=["not root", "root, installing forbidden"])
def test_a_missing_venv_is_said_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uid: int, switch: str
) -> None:
    candidates(monkeypatch, WITHOUT_VENV)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setenv("SEATRIAL_INSTALL", switch)
    assert bootstrap._python() is None
    assert "sudo apt-get install python3.11-venv" in capsys.readouterr().err


def test_no_python_at_all_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    candidates(monkeypatch)
    monkeypatch.setattr(bootstrap, "VENV", Path("/nonexistent"))
    assert bootstrap._python() is None
    assert "Python 3.11 to 3.14" in capsys.readouterr().err


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone whose environment is made and up to date."""
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOCK": tmp_path / "requirements.txt",
        "STAMP": tmp_path / ".venv" / "stamp",
    }.items():
        monkeypatch.setattr(bootstrap, name, value)
    (tmp_path / "requirements.txt").write_text("click==1\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    bootstrap.STAMP.write_text(bootstrap._wanted_stamp() + "\n")
    return tmp_path


def test_what_is_made_is_not_made_again(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Making it would start a program, which this test must not.
    candidates(monkeypatch)
    assert bootstrap.main() == 0


@pytest.mark.parametrize("change", ["lock", "python", "stamp", "place"])
def test_a_change_makes_it_anew(clone: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    match change:
        case "lock":
            (clone / "requirements.txt").write_text("click==2\n")
        case "python":
            (clone / ".venv" / "bin" / "python").unlink()
        case "stamp":
            bootstrap.STAMP.write_bytes(b"\xff\xfe")
        case "place":
            monkeypatch.setattr(bootstrap, "ROOT", clone / "moved")
            (clone / "moved").mkdir()
    asked: list[str] = []
    monkeypatch.setattr(bootstrap, "_python", lambda: "python3")

    def install(python: str, _wanted: str) -> int:
        asked.append(python)
        return 0

    monkeypatch.setattr(bootstrap, "_install", install)
    assert bootstrap.main() == 0
    assert asked == ["python3"]


def test_nothing_to_make_it_with_is_exit_code_3(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clone / "requirements.txt").write_text("click==2\n")
    monkeypatch.setattr(bootstrap, "_python", lambda: None)
    assert bootstrap.main() == 3


@pytest.mark.parametrize(
    ("failing", "said", "unsaid"),
    [
        ("venv", "writable", "package index"),
        ("--require-hashes", "package index", "writable"),
        ("-e", "no network", "package index"),
    ],
    ids=["environment", "wheels", "the project itself"],
)
def test_each_step_that_fails_has_its_own_reason(
    clone: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failing: str,
    said: str,
    unsaid: str,
) -> None:
    ran: list[list[str]] = []

    def run(step: list[str], **_: object) -> SimpleNamespace:
        ran.append(step)
        return SimpleNamespace(returncode=int(failing in step))

    monkeypatch.setattr("subprocess.run", run)
    assert bootstrap._install("python3", "wanted") == 3
    printed = capsys.readouterr().err
    assert failing in ran[-1]
    assert said in printed
    assert unsaid not in printed
    assert bootstrap.STAMP.read_text() != "wanted\n"


def test_what_a_link_points_to_is_left_alone(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = clone / "elsewhere"
    bootstrap.VENV.rename(elsewhere)
    bootstrap.VENV.symlink_to(elsewhere)
    (clone / "requirements.txt").write_text("click==2\n")
    assert bootstrap.main() == bootstrap.MISSING
    assert "remove the link" in capsys.readouterr().err
    assert (elsewhere / "bin" / "python").exists()
