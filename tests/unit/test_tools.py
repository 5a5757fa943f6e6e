"""A program of the locked wheels comes before one of the same name on PATH."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import tools
from harness.errors import ToolMissing


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


@pytest.fixture
def two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    beside, on_path = tmp_path / "venv", tmp_path / "bin"
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", str(on_path))
    return beside, on_path


def test_beside_the_interpreter_comes_first(two_folders: tuple[Path, Path]) -> None:
    beside, on_path = two_folders
    elsewhere = program(on_path / "syft")
    assert tools.find("syft") == elsewhere
    ours = program(beside / "syft")
    assert tools.find("syft") == ours


def test_what_cannot_be_run_does_not_count(two_folders: tuple[Path, Path]) -> None:
    beside, _ = two_folders
    program(beside / "syft", mode=0o644)
    assert tools.find("syft") is None
    with pytest.raises(ToolMissing, match="syft is not on this machine") as caught:
        tools.require("syft", hint="make venv")
    assert caught.value.hint == "make venv"
    assert caught.value.exit_code == 3
