"""Writes report.html: one file that asks nothing of the network, with everything from outside shown as text only."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.errors import UsageError
from harness.model import Results, RunComparison
from harness.samples import Histogram
from report import text, trend, view

COMMAND = re.compile(r"`((?:seatrial |--)[^`<>&]*)`")
TEMPLATES = Path(__file__).parent / "templates"


def write(
    results: Results,
    path: Path,
    *,
    histogram: Histogram | None,
    previous: Results | None = None,
    previous_histogram: Histogram | None = None,
    compared: RunComparison | None = None,
) -> None:
    """Write a run's report.

    Args:
        results: the run, its verdicts included.
        path: the file to write.
        histogram: gives the bytes of a file in the run's `histograms/`; without it no percentile is shown.
        previous: an earlier run to stand beside it.
        previous_histogram: the same for the earlier run.
        compared: the comparison of the two, where the caller has made it.

    Raises:
        UsageError: the file cannot be written.
        UnreadableOutput: a histogram file is missing or damaged.

    """
    shown = view.of(results, histogram, previous=previous, previous_histogram=previous_histogram, compared=compared)
    page = render(shown)
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def render(shown: view.View) -> str:
    """Return the page as text."""
    script = (TEMPLATES / "findings.js").read_text("utf-8")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            view=shown,
            columns=view.COLUMNS,
            sections=contents(shown),
            took=_minutes(shown.seconds),
            stop_timeout=_stop_timeout(shown.results),
            # These two are the project's own files; nothing else on the page is exempt from escaping.
            style=Markup((TEMPLATES / "style.css").read_text("utf-8")),  # noqa: S704
            script=Markup(script),  # noqa: S704
            script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def render_trend(shown: trend.Trend) -> str:
    """Return the page of many runs as text."""
    style = Markup((TEMPLATES / "style.css").read_text("utf-8"))  # noqa: S704 - the project's own file
    return _environment().get_template("trend.html.j2").render(trend=shown, style=style)


def contents(shown: view.View) -> tuple[tuple[str, str], ...]:
    """Return anchor and title of the page's sections, in its order; those that a run lacks are left out."""
    parts = shown.sections
    found = [
        ("latency", "Latency", True),
        ("throughput", "Throughput and CPU", True),
        ("start", "Start and stop", True),
        ("memory", "Memory", True),
        ("size", "Size by layer", True),
        ("exposure", "Size and vulnerabilities", bool(parts.exposure.points)),
        ("findings", "Findings", True),
        ("attacks", "Attacks", parts.attacks is not None),
        *((one.anchor, one.title, one.asked) for one in parts.asked),
        ("soaks", "Soaks", parts.soaks is not None),
        ("questions", "Questions and answers", bool(parts.questions)),
        ("bases", "Bases and interpreters", True),
        ("budgets", "Budgets", True),
        ("against", "Beside another run", shown.against is not None),
        ("gaps", "What is not known", True),
        ("method", "How it was measured", True),
    ]
    return tuple((anchor, title) for anchor, title, there in found if there)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters["glue"] = _glue
    environment.filters["ticks"] = _ticks
    environment.filters["short"] = text.shortened
    environment.filters["capitalize_first"] = _capitalize_first
    environment.filters["lower_first"] = _lower_first
    return environment


def _visible(value: Any) -> Any:
    """Spell out invisible and direction-turning characters in every text that comes from outside the templates."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else text.clean(value)


def _capitalize_first(words: str) -> str:
    return words[:1].upper() + words[1:]


def _ticks(words: str) -> Markup:
    """Show commands of ours that stand between backticks as code; all of it is escaped first."""
    return Markup(COMMAND.sub(r"<code>\1</code>", str(escape(text.clean(words)))))  # noqa: S704 - escaped


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:]


def _glue(words: str) -> str:
    """Keep numbers and their units on one line."""
    return re.sub(r"(?<=[0-9]) (?=(?:[kMG]?B|µs|ms|s|req/s)\b)", "\N{NO-BREAK SPACE}", words)


def _minutes(seconds: float | None) -> str:
    if seconds is None:
        return "it did not finish"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _stop_timeout(results: Results) -> str:
    times = sorted({trial.timeout_s for trial in results.stop_trials})
    return f"{times[-1]:g} s" if times else "its time"
