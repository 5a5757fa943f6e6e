"""The rules of the house that a machine can hold: imports, who starts programs, what the lock pins."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.paths import ROOT

ROOMS = ("seatrial", "harness", "images", "loadtests", "security", "report")
STARTERS = {"os.system", "os.popen", "os.execv", "os.execvp", "os.execve", "os.posix_spawn", "os.spawnv"}
INSIDE = (ROOT / "security" / "inside", ROOT / "security" / "probes", ROOT / "loadtests" / "inside")
"""What runs inside of containers, where it may start what it finds there."""
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def test_imports_run_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert not broken, capsys.readouterr().out


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_owns_and_starts_no_program(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree) or path.name == "__init__.py", "the first line says what the file owns"
    if path == ROOT / "harness" / "process.py" or any(path.is_relative_to(folder) for folder in INSIDE):
        return
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & STARTERS


def locked() -> dict[str, str]:
    """Name -> the whole entry in requirements.txt."""
    text = re.sub(r"^#.*\n", "", (ROOT / "requirements.txt").read_text("utf-8"), flags=re.MULTILINE)
    entries = [entry for entry in re.split(r"\n(?=\S)", text.replace("\\\n", " ")) if entry.strip()]
    return {canonicalize_name(re.split(r"[=\[; ]", entry.strip())[0]): entry for entry in entries}


def test_everything_that_is_asked_for_is_locked_by_version_and_hash() -> None:
    lines = (ROOT / "requirements.in").read_text("utf-8").splitlines()
    asked = {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}
    entries = locked()
    assert asked <= entries.keys()
    for name, entry in entries.items():
        assert "==" in entry, name
        assert "--hash=sha256:" in entry, name


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.txt").read_text("utf-8")
