"""Writes summary.md: short enough to read whole in a pull request or a job's summary."""

from __future__ import annotations

from itertools import zip_longest

from harness.model import Results, VerdictKind
from harness.samples import Histogram
from report import view
from report.text import markdown, shortened

MOST = 8
"""Longer lists are cut here; the report has the whole of them."""


def render(results: Results, *, histogram: Histogram | None) -> str:
    """Return a run's summary as Markdown.

    Args:
        results: the run, its verdicts included.
        histogram: gives the bytes of a file in the run's `histograms/`; without it no percentile is shown.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    return of_view(view.of(results, histogram))


def of_view(shown: view.View) -> str:
    """Return what a view shows as Markdown."""
    parts = [
        f"# {_safe(shown.conclusion.headline)}",
        _conclusion(shown),
        _table(shown),
        _legend(shown),
        _budgets(shown),
        _gaps(shown),
        f"Run `{shown.results.run_id}`, load profile {_safe(shown.results.load_profile or 'none')}, "
        f"run profile {_safe(shown.results.run_profile or 'none')}, {shown.rounds} rounds. report.html has the rest.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _conclusion(shown: view.View) -> str:
    found = shown.conclusion
    attacks = shown.shipping.attacks if shown.shipping else ""
    said = (found.baseline, found.why, found.gives_up, found.still_wrong, attacks)
    sentences = " ".join(_safe(one) for one in said if one)
    return "\n".join([sentences, *(f"\n> {_safe(doubt)}" for doubt in found.doubts)])


def _table(shown: view.View) -> str:
    titles = ["Variant", *(f"{title} ({below})" for _, title, below in view.COLUMNS), "Findings"]
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "--:|" * len(view.COLUMNS) + "---|"]
    for row in shown.rows:
        name = f"**{row.variant}**" if row.role == "pick" else row.variant
        cells = [_cell(cell) for cell in row.cells]
        found = "; ".join(text for text in (row.findings_text, row.vulnerabilities_text) if text)
        lines.append("| " + " | ".join([name, *cells, _safe(found)]) + " |")
    return "\n".join(lines)


def _cell(cell: view.Cell) -> str:
    if not cell.text:
        return "not measured"
    text = f"**{cell.text}**" if cell.best else cell.text
    if cell.spread:
        text += f" {_safe(cell.spread)}"
    return f"{text} ({_safe(cell.ratio)})" if cell.ratio else text


def _legend(shown: view.View) -> str:
    spread = "±: how far the farthest trial is from the figure. "
    if not shown.baseline:
        return spread.strip()
    return (
        f"{spread}In brackets: the ratio to {shown.baseline}; \\~ not significant at 95%, ? too few trials to judge. "
        "Bold: no other variant is significantly better."
    )


def _budgets(shown: view.View) -> str:
    if not shown.budgets:
        return "No budget was judged."
    kept = sum(one.kind == VerdictKind.KEPT.value for one in shown.budgets)
    open_ = len(shown.budgets) - kept - len(shown.exceeded)
    lines = [f"**Budgets:** {kept} kept, {len(shown.exceeded)} exceeded, {open_} not measured."]
    lines += [f"- {_safe(one.sentence)}: {_safe(one.message)}" for one in shown.exceeded[:MOST]]
    if len(shown.exceeded) > MOST:
        lines.append(f"- and {len(shown.exceeded) - MOST} more")
    return "\n".join([lines[0], "", *lines[1:]]).rstrip()


def _gaps(shown: view.View) -> str:
    found = shown.gaps
    kinds = (
        [("not assessed for known vulnerabilities", gap) for gap in found.not_assessed],
        [("not measured", gap) for gap in found.not_measured],
        [("skipped", gap) for gap in found.skipped],
    )
    # In turns, so that a long list of one kind hides none of another.
    entries = [entry for together in zip_longest(*kinds) for entry in together if entry is not None]
    lines = [f"**Trials:** {found.valid_trials} of {found.all_trials} valid."]
    if not entries:
        return f"{lines[0]} Nothing was left unmeasured or unassessed."
    lines += ["", "**What is not known:**", ""]
    for kind, gap in entries[:MOST]:
        who = "all variants" if len(gap.variants) == len(shown.rows) else ", ".join(gap.variants)
        lines.append(f"- {who}: {_safe(gap.what, 160)} {kind}: {_safe(gap.reason, 160)}")
    if len(entries) > MOST:
        lines.append(f"- and {len(entries) - MOST} more")
    return "\n".join(lines)


def _safe(text: str, length: int = 600) -> str:
    return markdown(shortened(text, length))
