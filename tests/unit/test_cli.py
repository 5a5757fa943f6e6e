"""The command's front door: every error becomes a message, a hint and its exit code; never a traceback unasked."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from types import ModuleType

import click
import pytest

from harness.errors import (
    BudgetExceeded,
    BuildFailed,
    ContractBroken,
    EngineMissing,
    NoValidMeasurement,
    SeatrialError,
    UnreadableOutput,
    UsageError,
)
from seatrial import __version__, cli


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | int | None]:
    """A verb `try` that raises or returns what the test puts into this list."""
    does: list[BaseException | int | None] = []

    @click.command("try")
    def command() -> int | None:
        what = does[0]
        if isinstance(what, BaseException):
            raise what
        return what

    module = ModuleType("seatrial_try")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "seatrial_try", module)
    monkeypatch.setitem(cli.VERBS, "try", cli.Verb("seatrial_try:command", "For a test."))
    return does


def test_help_names_every_verb_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, verb in cli.VERBS.items():
        assert f"  {name} " in shown
        assert verb.help.split(".")[0].split(",")[0] in " ".join(shown.split())


@pytest.mark.parametrize("name", ["doctor", "engine", "ps", "clean"])
def test_a_verbs_own_help_is_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    assert f"seatrial {name}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [(["doctr"], "Did you mean 'doctor'"), (["zzz"], "There are: run"), (["ps", "--nope"], "No such option")],
)
def test_what_does_not_exist_is_a_usage_error(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (BudgetExceeded, 1),
        (UsageError, 2),
        (EngineMissing, 3),
        (BuildFailed, 4),
        (ContractBroken, 5),
        (NoValidMeasurement, 6),
        (UnreadableOutput, 7),
    ],
)
def test_an_error_is_a_message_a_hint_and_its_exit_code(
    verb: list[BaseException | int | None],
    kind: type[SeatrialError],
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb.append(kind("It broke [at] /a/very/long/path", "Mend [it]."))
    assert cli.main(["try"]) == code
    said = capsys.readouterr().err
    assert said == "error: It broke [at] /a/very/long/path\nhint: Mend [it].\n"


def test_debug_shows_where(verb: list[BaseException | int | None], capsys: pytest.CaptureFixture[str]) -> None:
    verb.append(UsageError("It broke."))
    assert cli.main(["--debug", "try"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_of_our_own_has_a_code_of_its_own_and_no_traceback(
    verb: list[BaseException | int | None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb.append(ZeroDivisionError("division by zero"))
    assert cli.main(["try"]) == cli.BUG_EXIT_CODE
    said = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in said
    assert "--debug" in said
    assert "Traceback" not in said


def test_a_full_disk_is_not_called_a_fault_of_ours(
    verb: list[BaseException | int | None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb.append(OSError(errno.ENOSPC, "No space left on device", "/results/x"))
    assert cli.main(["try"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: No space left on device: /results/x\nhint: ")


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (6, 6)])
def test_a_verb_may_return_its_exit_code(
    verb: list[BaseException | int | None], returned: int | None, code: int
) -> None:
    verb.append(returned)
    assert cli.main(["try"]) == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_stop_cleans_up_and_ends_with_130(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    @click.command("try")
    def command() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            cleaned.append(True)

    module = ModuleType("seatrial_stop")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "seatrial_stop", module)
    monkeypatch.setitem(cli.VERBS, "try", cli.Verb("seatrial_stop:command", "For a test."))
    before = signal.getsignal(number)
    assert cli.main(["try"]) == 130
    assert cleaned == [True]
    assert number.name in capsys.readouterr().err
    assert signal.getsignal(number) is before
