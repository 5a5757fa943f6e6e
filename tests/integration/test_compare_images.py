"""Two real images by name, compared through the real engine and syft: what is in one and not in the other."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.engine.client import Engine
from harness.model import NotMeasured, RunComparison
from seatrial.cli import main
from tests.image_archives import file, folder, layer

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
PACKAGE = "Package: {}\nStatus: install ok installed\nVersion: {}\nArchitecture: amd64\n\n"


def files(flask: str, *packages: tuple[str, str], mode: int) -> bytes:
    """Return the layer of an image that has these packages, and a program of that mode."""
    status = "".join(PACKAGE.format(*one) for one in packages)
    place = f"usr/lib/python3/dist-packages/flask-{flask}.dist-info"
    return layer(
        file("etc/os-release", b'ID=debian\nVERSION_ID="13"\n'),
        folder("var/lib/dpkg"),
        file("var/lib/dpkg/status", status.encode()),
        file(f"{place}/METADATA", METADATA.format("flask", flask).encode()),
        file(f"{place}/RECORD", b"flask/__init__.py,,\n"),
        file("usr/bin/tool", b"x" * 4000, mode=mode),
    )


BEFORE = files("3.0.9", ("libc6", "2.41-9"), ("perl", "5.40-1"), mode=0o755)
AFTER = files("3.0.10", ("libc6", "2.41-8"), ("curl", "8.1-1"), mode=0o4755)


@pytest.fixture
def images(engine: Engine) -> Iterator[tuple[str, str]]:
    made = []
    try:
        for number, (content, changes) in enumerate(((BEFORE, ["USER 10001"]), (AFTER, ['ENV TOKEN="x"', "USER 0"]))):
            tag = f"seatrial-test-compare:{number}"
            made.append((tag, engine.load_filesystem(io.BytesIO(content), tag=tag, changes=changes)))
        yield made[0][0], made[1][0]
    finally:
        for _, identifier in made:
            with suppress(Exception):
                engine.client.images.remove(identifier, force=True)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "limits.toml").write_text('[[regression]]\nmetric = "findings"\nmore_by = 0\n', "utf-8")
    (tmp_path / "seatrial.toml").write_text('budgets = "limits.toml"\n', "utf-8")


def test_two_images_by_name(images: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["compare", *images, "--format", "json"])
    found = RunComparison.model_validate(json.loads(capsys.readouterr().out))
    (one,) = found.comparisons
    assert not isinstance(one.packages, NotMeasured)
    assert {(each.type, each.name): (each.change, each.before, each.after) for each in one.packages} == {
        ("deb", "curl"): ("added", None, "8.1-1"),
        ("deb", "libc6"): ("downgraded", "2.41-9", "2.41-8"),
        ("deb", "perl"): ("removed", "5.40-1", None),
        ("pypi", "flask"): ("upgraded", "3.0.9", "3.0.10"),
    }
    assert not isinstance(one.setuid, NotMeasured)
    assert [(each.path, each.change) for each in one.setuid] == [("usr/bin/tool", "added")]
    assert not isinstance(one.files, NotMeasured)
    changes = {each.path: each.change for each in one.files}
    assert changes["usr/bin/tool"] == "changed"
    assert changes["usr/lib/python3/dist-packages/flask-3.0.10.dist-info/METADATA"] == "added"
    assert not isinstance(one.settings, NotMeasured)
    settings = {each.name: (each.before, each.after) for each in one.settings}
    assert settings["user"] == ("10001", "0")
    assert settings["environment TOKEN"][0] is None
    size = one.figure("size_bytes")
    assert size is not None
    assert size.method == "counted"
    throughput = one.figure("throughput_rps")
    assert throughput is not None
    assert throughput.judged == "not compared"
    (verdict,) = found.verdicts
    # A program with setuid, and root: it has more findings, and that is a regression.
    assert (verdict.kind.value, code) == ("exceeded", 1)


def test_what_is_no_image_either_is_told_in_a_line(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    del engine  # only so that one is there
    assert main(["compare", "seatrial-test-compare:none", "seatrial-test-compare:either"]) == 2
    said = capsys.readouterr().err
    assert "no run, no variant of the run, and no image that the engine has" in said
    assert "Traceback" not in said
