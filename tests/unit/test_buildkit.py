"""The `docker` command for BuildKit is looked for at every place of PATH, and old and new ones told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine.buildkit import client_version, docker_commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20.10.24+dfsg1", (20, 10)), ("28.0.1", (28, 0)), ("", (0, 0)), ("podman", (0, 0)), ("dev.x", (0, 0))],
)
def test_versions(text: str, expected: tuple[int, int]) -> None:
    assert client_version(text) == expected


def test_every_docker_on_path_once(tmp_path: Path) -> None:
    for name in ("one", "two", "three", "empty"):
        (tmp_path / name).mkdir()
    for name in ("one", "two"):
        (tmp_path / name / "docker").touch(0o755)
    (tmp_path / "three" / "docker").symlink_to(tmp_path / "one" / "docker")
    (tmp_path / "empty" / "docker").touch(0o644)
    path = ":".join(str(tmp_path / name) for name in ("empty", "two", "one", "three", "gone"))
    assert docker_commands(path) == [tmp_path / "two" / "docker", tmp_path / "one" / "docker"]
