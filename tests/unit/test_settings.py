"""Settings: what is read, where paths count from, and that bad input is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import settings
from harness.errors import UsageError


def test_paths_count_from_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "seatrial.toml"
    file.write_text('images = "docker"\nload_profile = "full"\n')
    found = settings.load(file)
    assert found.images == tmp_path / "docker"
    assert found.load_profile == "full"
    assert found.app == settings.Settings().app


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load() == settings.Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("images = [", "cannot be read", id="broken TOML"),
        pytest.param('imags = "docker"', "imags", id="unknown entry"),
        pytest.param('bases = "sometimes"', "bases", id="wrong value"),
        pytest.param("variants = 3", "variants", id="wrong type"),
        pytest.param("\udcff", "cannot be read", id="not UTF-8"),
    ],
)
def test_bad_settings_are_told_by_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "seatrial.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=said):
        settings.load(file)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no settings file"):
        settings.load(tmp_path / "none.toml")
