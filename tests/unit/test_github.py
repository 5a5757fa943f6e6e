"""GitHub's annotations: one line and one command each, whatever stands in them."""

from __future__ import annotations

import re

import pytest

from harness import verdicts
from harness.model import Budget, Verdict, VerdictKind
from report import github
from tests.results_factory import HOSTILE, make


def verdict(kind: VerdictKind = VerdictKind.EXCEEDED, **changes: str) -> Verdict:
    said = {"variant": "slim", "metric": "p99_ms", "limit": "at most 1 ms", "measured": "2 ms", "message": "it is 2 ms"}
    return Verdict.model_validate({**said, **changes, "kind": kind})


def test_an_exceeded_limit_is_an_error() -> None:
    assert github.commands([verdict()]) == ("::error title=slim%3A p99 latency at most 1 ms::it is 2 ms",)


def test_what_is_kept_is_not_told() -> None:
    assert github.commands([verdict(VerdictKind.KEPT)]) == ()


def test_errors_come_first_and_what_is_not_measured_for_one_reason_is_one_warning() -> None:
    missing = [verdict(VerdictKind.NOT_MEASURED, variant=name, message="no scan") for name in ("a", "b")]
    error, warning = github.commands([*missing, verdict()])
    assert error.startswith("::error ")
    assert warning.startswith("::warning title=Not measured%3A 2 of 2 limits::a: p99 latency at most 1 ms; b: p99")
    assert warning.endswith(": no scan")


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "100% of it\n::set-output name=x::y",
        "\r\n::stop-commands::x",
        "a,title=b::c",
        "%0A::error::x",
        "\x1b[31m::warning::",
        "::add-mask::secret",
    ],
)
def test_hostile_text_is_one_line_and_one_command(text: str) -> None:
    (line,) = github.commands([verdict(variant=text, limit=text, message=text)])
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    head, _, message = line.removeprefix("::error title=").partition("::")
    # What GitHub takes for the title ends at the first `::`, and no property can follow it.
    assert not re.search(r"[:,]", head)
    assert message == github.command("error", text, title="").removeprefix("::error title=::")
    unescaped = message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    assert "\n" not in unescaped or "%" in text


def test_verdicts_of_a_run_are_told_whole() -> None:
    made = make()
    judged = verdicts.judge(made.results, [Budget(metric="layers", variants="article", max=1)], made.histogram)
    (line,) = github.commands(judged)
    assert "over by 2 layers (200%25)" in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  ::error::x", "  : :error::x"),
        ("::add-mask::x", ": :add-mask::x"),
        ("a\n \t::stop-commands::x\nb", "a\n \t: :stop-commands::x\nb"),
        ("a ##[error]b", "a # #[error]b"),
        ("std::string is no command", "std::string is no command"),
    ],
)
def test_printed_text_holds_no_command(text: str, shown: str) -> None:
    assert github.defused(text) == shown
