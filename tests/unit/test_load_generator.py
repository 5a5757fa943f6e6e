"""What goes into the generator's image: nothing of the harness, and a contract that can be used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model import BaseImage, BaseSource
from harness.paths import ROOT
from loadtests import generator

BASE = BaseImage(name="slim", public="p", reference="r", digest="sha256:0", source=BaseSource.PACKAGES)
SOURCES = [path for _, path in generator._sources(generator.CONTRACT)]
CODE = [path for path in SOURCES if path.suffix == ".py"]


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_runs_in_the_generator_imports_only_what_is_in_it(path: Path) -> None:
    baked = {re.sub(r"(/__init__)?\.py$", "", str(one.relative_to(ROOT))).replace("/", ".") for one in CODE}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{one.name}" for one in node.names]
            names = [one for one in inner if one in baked] or [node.module]
        for name in names:
            assert name.split(".")[0] not in ("harness", "images", "security", "report", "seatrial", "app"), name
            assert not name.startswith("loadtests") or name in baked, name


def test_everything_that_the_image_needs_is_there() -> None:
    assert all(path.is_file() for path in SOURCES)
    assert "--hash=sha256:" in generator.LOCK.read_text("utf-8")
    assert "://" not in generator.LOCK.read_text("utf-8")


def test_another_contract_or_base_is_another_image(tmp_path: Path) -> None:
    mine = tmp_path / "contract.py"
    mine.write_text(generator.CONTRACT.read_text("utf-8") + "# mine\n", "utf-8")
    inputs = {
        generator._inputs(base, contract)
        for base in (BASE, BASE.model_copy(update={"digest": "sha256:1"}))
        for contract in (generator.CONTRACT, mine)
    }
    assert len(inputs) == 4


def test_the_sample_apps_contract_and_its_like_are_taken(tmp_path: Path) -> None:
    generator.check_contract(generator.CONTRACT)
    mine = tmp_path / "mine.py"
    mine.write_text("from x import case, exam as examination\nREADY: str = 'a'\nJOURNEYS = {'a': 1}\n", "utf-8")
    generator.check_contract(mine)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no JOURNEYS, READY, case, examination"),
        (b"# READY JOURNEYS case examination", "has no JOURNEYS"),
        (b"READY = 'a'\nJOURNEYS = {}\ndef case(): ...\n", "has no examination"),
        (b"def case(:", "is not Python"),
        (b"\x00", "is not Python"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_is_no_contract_is_refused_before_anything_is_built(tmp_path: Path, content: bytes, said: str) -> None:
    mine = tmp_path / "mine.py"
    mine.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        generator.check_contract(mine)


def test_a_contract_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        generator.check_contract(tmp_path / "none.py")
