"""Writes verdicts as GitHub's workflow commands, which show as annotations beside a pull request's checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness import verdicts
from harness.model import Verdict, VerdictKind
from report.text import clean


def commands(judged: Sequence[Verdict]) -> tuple[str, ...]:
    """Return one `::error title=...::message` for each exceeded limit, then a `::warning` for each unmeasured one.

    GitHub shows ten of either in a step, so the gravest come first; those that are not measured for the same reason
    share one line.
    """
    exceeded = (
        command("error", one.message, title=verdicts.sentence(one))
        for one in judged
        if one.kind is VerdictKind.EXCEEDED
    )
    return (*exceeded, *_unmeasured(one for one in judged if one.kind is VerdictKind.NOT_MEASURED))


def command(level: str, message: str, *, title: str) -> str:
    """Return one workflow command; whatever stands in title and message, it is one line and one command."""
    return f"::{level} title={_property(title)}::{_data(message)}"


def defused(text: str) -> str:
    """Return text in which a workflow's log finds no command: behind blanks is one too, and anywhere in an old form."""
    lines = text.replace("##[", "# #[").split("\n")
    return "\n".join(line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line for line in lines)


def _unmeasured(judged: Iterable[Verdict]) -> tuple[str, ...]:
    together: dict[str, list[str]] = {}
    for one in judged:
        together.setdefault(one.message, []).append(verdicts.sentence(one))
    return tuple(
        command("warning", f"{'; '.join(which)}: {why}", title=f"Not measured: {len(which)} of {_all(together)} limits")
        for why, which in together.items()
    )


def _all(together: dict[str, list[str]]) -> int:
    return sum(map(len, together.values()))


def _data(text: str) -> str:
    """Escape a command's message as GitHub's own toolkit does (`@actions/core`, `escapeData`)."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a command's property as GitHub's own toolkit does (`escapeProperty`)."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
