"""The documents say what is there: verbs, exit codes, metrics and settings, each from the code that has them."""

from __future__ import annotations

import re
import tomllib

import pytest

from harness import errors
from harness.metrics import REGISTRY
from harness.model import RunProfile
from harness.paths import ROOT
from harness.settings import Settings
from seatrial.cli import BUG_EXIT_CODE, VERBS, cli

README = (ROOT / "README.md").read_text("utf-8")


def table_under(header: str) -> list[list[str]]:
    """Return the rows of the README's table that has this header."""
    lines = README.split(header)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")])
    return rows


def exit_codes() -> set[int]:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.SeatrialError)]
    return {0, BUG_EXIT_CODE, *(one.exit_code for one in kinds)}


def test_the_readme_has_every_verb_and_no_other() -> None:
    named = [verb for row in table_under("| verb | does |") for verb in re.findall(r"`([a-z]+)`", row[0])]
    assert sorted(named) == sorted(VERBS)


def test_the_readme_has_every_exit_code_and_no_other() -> None:
    assert {int(row[0]) for row in table_under("| exit code | meaning |")} == exit_codes()


def test_the_commands_help_has_every_exit_code_and_no_other() -> None:
    told = (cli.help or "").split("Exit codes:")[1]
    assert {int(number) for number in re.findall(r"\b\d+\b", told)} == exit_codes()


def test_the_list_of_metrics_is_the_registrys() -> None:
    text = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    listed = text.split("Metrics:\n")[1].split("\n## ")[0].split("What the ignore file")[0]
    assert set(re.findall(r"`([a-z0-9_]+)`", listed)) == {kind.name for kind in REGISTRY}


def test_the_example_of_settings_has_every_setting_and_is_valid() -> None:
    text = (ROOT / "docs" / "your-app.md").read_text("utf-8")
    example = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    assert set(example) == set(Settings.model_fields)
    Settings.model_validate(example)


def test_the_example_of_a_run_profile_has_every_entry_and_is_valid() -> None:
    text = (ROOT / "docs" / "hardening.md").read_text("utf-8")
    example = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    # Two ways to say who it runs as: one excludes the other.
    assert set(example) | {"name", "user_if_root"} == set(RunProfile.model_fields)
    RunProfile.model_validate({**example, "name": "mine"})


@pytest.mark.parametrize("path", ["README.md", *(f"docs/{one.name}" for one in (ROOT / "docs").glob("*.md"))])
def test_every_link_to_a_file_arrives(path: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    links = [one.partition("#")[0] for one in re.findall(r"\]\(([^)]+)\)", text) if "://" not in one]
    missing = [one for one in links if one and not ((ROOT / path).parent / one).exists()]
    assert missing == []
