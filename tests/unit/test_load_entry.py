"""What a command imports is read from the command; what cannot be told is not guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import Measurements
from harness.model import Interval, NotMeasured, StartSplit, StartTrial
from loadtests.entry import Entry, entry_of
from loadtests.start_split import split_of
from tests.made_records import image
from tests.results_factory import make

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("argv", "python", "flags", "imported"),
    [
        ("python3 -m gunicorn --config /c.py app.wsgi:app", "python3", (), ("gunicorn.app.wsgiapp", "app.wsgi")),
        ("python3 -m app", "python3", (), ("app.__main__",)),
        ("python app.py", "python", (), ("app.py",)),
        ("/bin/python3.13 -X dev -u -m app", "/bin/python3.13", ("-X", "dev", "-u"), ("app.__main__",)),
        ("gunicorn -b 0.0.0.0:5000 shop.web:create_app()", "python3", (), ("gunicorn.app.wsgiapp", "shop.web")),
        ("/venv/bin/gunicorn -b 0.0.0.0:80", "python3", (), ("gunicorn.app.wsgiapp",)),
        ("python3 -m uvicorn --host 0.0.0.0 api:app", "python3", (), ("uvicorn.__main__", "api")),
    ],
)  # fmt: skip
def test_what_a_command_imports(argv: str, python: str, flags: tuple[str, ...], imported: tuple[str, ...]) -> None:
    entry = entry_of(argv.split())
    assert isinstance(entry, Entry)
    assert (entry.python, entry.flags, entry.imported) == (python, flags, imported)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "no command"),
        (["/bin/sh", "-c", "python app.py"], "begins with sh"),
        (["/app/server"], "begins with server"),
        (["python3"], "neither"),
        (["python3", "-c", "print(1)"], "neither"),
        (["python3", "-m"], "neither"),
        (["python3", "-X"], "neither"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(argv: list[str], said: str) -> None:
    found = entry_of(argv)
    assert isinstance(found, NotMeasured)
    assert said in found.not_measured


@given(st.lists(st.text(max_size=8), max_size=6))
def test_no_command_line_is_too_odd(argv: list[str]) -> None:
    assert isinstance(entry_of(argv), Entry | NotMeasured)


def split(found: Any, index: int = 1) -> StartSplit:
    return split_of(image("article"), "hardened", index, WHEN, Entry(python="p", modules=("app",)), found)


def test_a_split_is_the_interpreter_and_what_the_import_adds() -> None:
    one = split(
        {"compiled": {"interpreter": 0.02, "imported": 0.32}, "source": {"interpreter": 0.03, "imported": 1.03}}
    )
    assert one.imported == ("app",)
    assert one.interpreter_seconds == 0.02
    assert one.import_seconds == pytest.approx(0.3)
    assert one.import_seconds_without_bytecode == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (NotMeasured(not_measured="refused"), "refused"),
        ({}, "did not say"),
        ({"compiled": [], "source": 3}, "did not say"),
        ({"compiled": {"error": "x"}, "source": {"error": "x"}}, "x"),
        ({"compiled": {"interpreter": 0.1}, "source": {"interpreter": None, "imported": 1}}, "did not say"),
    ],
)
def test_what_was_not_measured_says_why(found: Any, said: str) -> None:
    one = split(found)
    for seconds in (one.interpreter_seconds, one.import_seconds, one.import_seconds_without_bytecode):
        assert isinstance(seconds, NotMeasured)
        assert said in seconds.not_measured


def test_one_kind_that_failed_leaves_the_other() -> None:
    one = split({"compiled": {"interpreter": 0.02, "imported": 0.32}, "source": {"error": "Python 3.7"}})
    assert isinstance(one.import_seconds, float)
    assert one.import_seconds_without_bytecode == NotMeasured(not_measured="Python 3.7")


def test_the_parts_of_a_start_are_metrics() -> None:
    made = make()
    starts = tuple(
        StartTrial(
            id=f"start-article-{index}", variant="article", image_digest="sha256:1", run_profile="hardened",
            index=index, started_at=WHEN, seconds_to_first_answer=0.9, engine_seconds=0.2 + index / 100,
        )
        for index in (1, 2, 3)
    )  # fmt: skip
    splits = tuple(
        split({"compiled": {"interpreter": 0.02, "imported": 0.3 + index / 100}, "source": {"error": "none"}}, index)
        for index in (1, 2, 3)
    )
    results = made.results.model_copy(update={"start_trials": starts, "start_splits": splits})
    measured = Measurements(results, made.histogram)
    engine = measured.metric("start_engine_seconds", "article").value
    imported = measured.metric("start_import_seconds", "article").value
    assert isinstance(engine, Interval)
    assert isinstance(imported, Interval)
    assert (engine.n, imported.n) == (3, 3)
    assert engine.value == pytest.approx(0.22, rel=0.01)
    assert imported.value == pytest.approx(0.3, rel=0.01)
    none = measured.metric("start_import_without_bytecode_seconds", "article").value
    assert none == NotMeasured(not_measured="none")
    other = measured.metric("start_import_seconds", "slim-dev").value
    assert isinstance(other, NotMeasured)
