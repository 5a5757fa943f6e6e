"""Load profiles: those that ship can be read, and what cannot be used is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from loadtests import contract, load_profile


@pytest.mark.parametrize("name", load_profile.names())
def test_every_profile_that_ships_can_be_used(name: str) -> None:
    profile = load_profile.load(name)
    assert profile.name == name
    assert profile.models
    assert set(profile.journeys) <= set(contract.JOURNEYS)


def test_the_three_profiles_ship() -> None:
    assert load_profile.names() == ["full", "quick", "smoke"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "x"', "users"),
        ('title = "x"\nusers = 0', "users"),
        ('title = "x"\nusers = 8\nrounds = "many"', "rounds"),
        ('title = "x"\nusers = 8\nmeasured = 5', "measured"),
        ('title = "x"\nusers = 8\nmeasure_s = nan', "measure_s"),
        ('title = "x"\nusers = 8\nrate = inf', "rate"),
        ('title = "x"\nusers = 8\nwarmup_s = -1', "warmup_s"),
        ('title = "x"\nusers = 8\n[journeys]\nhello = 0', "journeys"),
        ('title = "x"\nusers = 8\n[journeys]\nhello = -1\njson = 2', "journeys"),
        ("users = ", "cannot be read"),
        ("users = 8", "title"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said):
        load_profile.load(str(path))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        load_profile.load(str(path))


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        load_profile.load("quicker")
    assert "quick" in caught.value.hint


def test_a_profile_of_ones_own_may_have_both_models(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\nusers = 8\nrate = 50\n[journeys]\nhello = 2\n', "utf-8")
    profile = load_profile.load(str(path))
    assert profile.models == ("closed", "open")
    assert (profile.name, profile.journeys) == ("mine", {"hello": 2})
