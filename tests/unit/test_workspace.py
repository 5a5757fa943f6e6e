"""What a verb starts from: checked before an engine is needed, and no folder made for a use that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SeatrialError, UsageError
from harness.model import RunInfo, StartTrial
from harness.results import RunFolder
from seatrial import record
from seatrial.workspace import Workspace, new_workspace, open_workspace, resumed_workspace
from tests import results_factory

MADE = results_factory.make().results


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the command is used in, with lock files of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(record, "versions", dict)
    return tmp_path


def settings(**entries: str) -> Path:
    file = Path("seatrial.toml")
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in entries.items()))
    return file


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        pytest.param({"load_profile": "nosuch"}, "load profile", id="load profile"),
        pytest.param({"run_profile": "nosuch"}, "run profile", id="run profile"),
        pytest.param({"baseline": "nosuch"}, "baseline", id="baseline"),
        pytest.param({"contract": "nosuch.py"}, "contract", id="contract"),
        pytest.param({"app": "nosuch"}, "app's folder", id="app"),
        pytest.param({"images": "nosuch"}, "nosuch", id="images"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_made(entries: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        new_workspace(settings(**entries))
    assert not Path("results").exists()


def test_a_wrong_variant_leaves_no_folder() -> None:
    with pytest.raises(UsageError, match="nosuch"):
        new_workspace(None, variants=("nosuch",))
    assert not Path("results").exists()


def test_a_folder_that_is_not_there_is_not_made_up() -> None:
    with pytest.raises(SeatrialError, match="holds no results"):
        open_workspace(None, Path("typo"))
    assert not Path("typo").exists()


def test_a_profile_of_ones_own_counts_from_the_settings_file_and_has_its_files_name(place: Path) -> None:
    (place / "sub").mkdir()
    (place / "sub" / "mine.toml").write_text('title = "mine"\nusers = 2\n')
    file = place / "sub" / "seatrial.toml"
    file.write_text('load_profile = "mine.toml"\n')
    found = new_workspace(file)
    assert found.load_profile.name == "mine"
    assert found.load_profile.users == 2


def begun(**changes: Any) -> tuple[Workspace, RunInfo]:
    made = new_workspace(None, seed=7, **changes)
    return made, record.begin(made, MADE.environment)


def start_trial(variant: str) -> StartTrial:
    return next(trial for trial in MADE.start_trials if trial.variant == variant)


def test_the_record_names_the_profile_as_the_trials_do() -> None:
    Path("mine.toml").write_text('title = "mine"\nusers = 2\n')
    _, info = begun(load_profile="mine.toml")
    assert info.load_profile == "mine"
    assert info.run_profile_used is not None


def test_a_run_goes_on_under_what_it_was_begun_with() -> None:
    Path("mine.toml").write_text('title = "mine"\nusers = 2\n')
    made, info = begun(load_profile="mine.toml", bases="packages", variants=("slim-*",))
    again = resumed_workspace(None)
    assert again.folder.path == made.folder.path
    assert again.conditions == info.conditions
    assert again.settings.bases == "packages"
    assert [variant.name for variant in again.variants] == ["slim-dev", "slim-gunicorn"]


def test_a_run_whose_profile_was_edited_does_not_go_on_with_its_trials() -> None:
    Path("mine.toml").write_text('title = "mine"\nusers = 2\n')
    made, info = begun(load_profile="mine.toml")
    made.folder.write_trial(start_trial("slim-dev"))
    Path("mine.toml").write_text('title = "mine"\nusers = 3\n')
    with pytest.raises(UsageError, match="another load profile"):
        record.take_conditions(resumed_workspace(None), info)


def test_loading_anew_under_another_profile_is_written_down() -> None:
    made, info = begun()
    other = open_workspace(None, made.folder.path, load_profile="smoke")
    assert record.take_conditions(other, info).load_profile == "smoke"
    assert made.folder.run_info().load_profile == "smoke"


def test_some_variants_under_another_profile_are_refused() -> None:
    made, info = begun()
    made.folder.write_trial(start_trial("slim-dev"))
    other = open_workspace(None, made.folder.path, load_profile="smoke", variants=("alpine-dev",))
    with pytest.raises(UsageError, match="slim-dev"):
        record.refuse_mixing(other, info)


def test_a_damaged_run_is_in_nobodys_way() -> None:
    made, _ = begun()
    damaged = made.folder.path.parent / "99999999-000000-ffff"
    damaged.mkdir()
    (damaged / "run.json").write_text("{}")
    assert resumed_workspace(None).folder.path == made.folder.path


def test_two_commands_do_not_add_to_one_folder() -> None:
    made, _ = begun()

    @contextmanager
    def other() -> Iterator[None]:
        with open_workspace(None, made.folder.path).alone():
            yield

    with made.alone(), pytest.raises(UsageError, match="busy with"), other():
        pass
    with other():
        pass


def test_a_folder_is_made_with_its_first_part(place: Path) -> None:
    RunFolder(place / "a" / "b").write_text("note.txt", "x")
    assert (place / "a" / "b" / "note.txt").read_text() == "x"
