"""How the command speaks: quiet, plain and JSON, each whole, wherever its option stands."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest

from harness.errors import EngineMissing
from harness.model import NotMeasured
from seatrial import cli
from seatrial.screen import Screen
from seatrial.terminal import Terminal, plain_data

Does = Callable[[Terminal], None]


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Does], None]:
    """Let the verb `try` do what a test wants."""
    what: list[Does] = []

    @click.command("try")
    @click.argument("words", nargs=-1)
    @click.pass_obj
    def command(terminal: Terminal, words: tuple[str, ...]) -> int:
        what[0](terminal)
        return 0

    module = ModuleType("seatrial_try")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "seatrial_try", module)
    monkeypatch.setitem(cli.VERBS, "try", cli.Verb("seatrial_try:command", "For a test."))
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return what.append


def found(terminal: Terminal) -> None:
    screen = Screen(terminal)
    screen.plan("load", 2, 5)
    screen.say("An engine was found.")
    screen.phase("load").step("slim: closed load")
    terminal.give({"slim": NotMeasured(not_measured="no engine")})
    terminal.out.print("[bold red]slim[/]: 12 MB")


def nothing_given(terminal: Terminal) -> None:
    terminal.out.print("one")
    terminal.out.print("two")


def failing(terminal: Terminal) -> None:
    raise EngineMissing("There is no engine.", "Start one.")


@pytest.mark.parametrize("words", [["--json", "try"], ["try", "--json"], ["try", "a", "--json", "b"]])
def test_json_is_one_document_and_all_there_is(
    words: list[str], verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(found)
    assert cli.main(words) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"slim": {"not_measured": "no engine"}}
    assert "slim: closed load" in told.err


def test_a_verb_that_gives_no_data_gives_its_lines(
    verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(nothing_given)
    assert cli.main(["try", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"lines": ["one", "two"]}


def test_an_error_is_json_too(verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str]) -> None:
    verb(failing)
    assert cli.main(["try", "--json"]) == EngineMissing.exit_code
    told = capsys.readouterr()
    said = {"message": "There is no engine.", "hint": "Start one.", "exit_code": EngineMissing.exit_code}
    assert json.loads(told.out) == {"error": said}
    assert "There is no engine." in told.err


def test_wrong_usage_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nothing-of-this-name", "--json"]) == 2
    assert "no command" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_help_stays_text_where_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--json", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage:")


@pytest.mark.parametrize("words", [["-q", "try"], ["try", "--quiet"]])
def test_quiet_says_nothing_but_the_result(
    words: list[str], verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb(found)
    assert cli.main(words) == 0
    told = capsys.readouterr()
    assert told.out == "slim: 12 MB\n"
    assert told.err == ""


@pytest.mark.parametrize("how", ["--plain", "NO_COLOR", "CI", "TERM"])
def test_plain_has_no_control_sequence_and_a_line_for_each_thing(
    how: str, verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(found)
    # What a terminal would be told, were there one.
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    if how != "--plain":
        monkeypatch.setenv(how, "dumb" if how == "TERM" else "1")
    assert cli.main(["try", "--plain"] if how == "--plain" else ["try"]) == 0
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert told.out == "slim: 12 MB\n"
    assert re.search(r"\[ +\d+ s, about 0:10 left\] load: slim: closed load", told.err)


def test_without_plain_a_terminal_gets_its_colours(
    verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(found)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert cli.main(["try"]) == 0
    assert "\x1b[" in capsys.readouterr().out


def test_a_word_behind_two_dashes_is_no_option() -> None:
    assert cli.hoisted(["try", "--", "--json"]) == ["try", "--", "--json"]
    assert cli.hoisted(["doctor", "--json"]) == ["doctor", "--json"]
    assert cli.hoisted(["try", "--json", "x", "-q"]) == ["--json", "-q", "try", "x"]


def test_live_throughput_is_told_of_long_trials_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("seatrial.screen.time.monotonic", lambda: now[0])
    terminal = Terminal(plain=True)
    screen = Screen(terminal)
    screen.phase("load").step("slim: closed load")
    now[0] += 5
    screen.rate(1234.4)
    now[0] += 6
    screen.rate(2345.6)
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "req/s" in line]) == 1
    assert lines[-1].endswith("slim: closed load: 2,346 req/s")


def test_data_of_any_kind_becomes_what_json_knows() -> None:
    assert plain_data([("a", NotMeasured(not_measured="b")), {1: None}]) == [["a", {"not_measured": "b"}], {"1": None}]


def test_an_error_that_quotes_an_image_moves_no_cursor(
    verb: Callable[[Does], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def quoting(terminal: Terminal) -> None:
        terminal.say("\x1b[2Jstep")
        Screen(terminal).say("\x1b]0;title\x07step")
        raise EngineMissing("It said:\n\x1b[31mred\u202e", "\x1b[2J")

    verb(quoting)
    assert cli.main(["try"]) == EngineMissing.exit_code
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "It said:\n⟨U+001B⟩[31mred⟨U+202E⟩" in told


def test_a_terminal_of_another_encoding_is_told_all_the_same(
    verb: Callable[[Does], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", write_through=True))
    verb(lambda terminal: terminal.out.print("1.2 \u00d7 as slow"))
    assert cli.main(["try"]) == 0
    assert written.getvalue() == b"1.2 \\xd7 as slow\n"
