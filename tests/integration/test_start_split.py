"""A start's parts are timed inside a real container of the image, read-only and without capabilities."""

from __future__ import annotations

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import Image, NotMeasured
from loadtests import start_split
from loadtests.load_profile import LoadProfile
from loadtests.setting import Cores, Setting


@pytest.fixture
def setting(generator_image: str, cores: Cores) -> Setting:
    return Setting(
        run_profile=run_profiles.load("hardened"),
        load_profile=LoadProfile(name="test", title="test", users=1),
        generator_image=generator_image,
        cores=cores,
    )


def test_compiling_costs_time_and_the_interpreter_does_not_care(
    engine: Engine, tiny_image: Image, setting: Setting
) -> None:
    image = tiny_image.model_copy(update={"entrypoint": ("python3", "-m", "loadtests.inside.watcher")})
    found = list(start_split.splits(image, setting, engine, [1, 2], seed=1))
    for one in found:
        assert one.imported == ("loadtests.inside.watcher.__main__",)
        assert isinstance(one.interpreter_seconds, float), one.interpreter_seconds
        assert isinstance(one.import_seconds, float)
        assert isinstance(one.import_seconds_without_bytecode, float)
        assert 0.002 < one.interpreter_seconds < 5
    # The least of each: a machine that stalls adds to a measurement, and takes from none.
    compiled, source = (
        min(seconds for one in found if isinstance(seconds := getattr(one, name), float))
        for name in ("import_seconds", "import_seconds_without_bytecode")
    )
    assert source > 1.5 * compiled


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("python3", "-m", "no.such.module"), "No module named"),
        (("python3", "missing.py"), "No such file"),
        (("sh", "-c", "true"), "begins with sh"),
        (("python9", "-m", "app"), "python9"),
    ],
)
def test_what_cannot_be_imported_says_why(
    engine: Engine, tiny_image: Image, setting: Setting, command: tuple[str, ...], said: str
) -> None:
    image = tiny_image.model_copy(update={"entrypoint": command})
    (one,) = start_split.splits(image, setting, engine, [1], seed=1)
    assert isinstance(one.import_seconds, NotMeasured)
    assert said in one.import_seconds.not_measured
