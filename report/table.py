"""Shows a run in the terminal: one row a variant, in at most 100 columns, and the conclusion below it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.model import Results
from harness.samples import Histogram
from report import view, vulnerabilities
from report.text import clean

STYLES = {"better": "green", "worse": "red", "same": "dim", "unjudged": "dim"}
SHORT = {"CRITICAL": "C", "HIGH": "H", "MEDIUM": "M", "LOW": "L", "UNKNOWN": "U"}


def render(results: Results, *, histogram: Histogram | None) -> RenderableType:
    """Return a run's table for rich's console.

    Args:
        results: the run, its verdicts included.
        histogram: gives the bytes of a file in the run's `histograms/`; without it no percentile is shown.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    return of_view(view.of(results, histogram))


def of_view(shown: view.View) -> RenderableType:
    """Return what a view shows as a table and the conclusion in sentences."""
    table = Table(box=None, padding=(0, 1, 0, 0), collapse_padding=True, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for _, title, _ in view.COLUMNS:
        table.add_column(title if title != "Throughput" else "req/s", justify="right", no_wrap=True)
    table.add_column("Findings", no_wrap=True)
    for row in shown.rows:
        name = Text(row.variant, style="bold" if row.role == "pick" else "")
        table.add_row(name, *(_cell(cell) for cell in row.cells), _findings(row))
    return Group(table, Text(), *_sentences(shown))


def _cell(cell: view.Cell) -> Text:
    if not cell.text:
        return Text("not\nmeasured", style="dim")
    lines = Text(cell.text.replace(" ", "\N{NO-BREAK SPACE}"), style="bold" if cell.best else "")
    if cell.spread:
        lines.append(f"\n{cell.spread}".replace(" ", "\N{NO-BREAK SPACE}"), style="not bold dim")
    if cell.ratio:
        lines.append("\n")
        lines.append(cell.ratio, style=f"not bold {STYLES[cell.standing]}")
    return lines


def _findings(row: view.Row) -> Text:
    if row.findings is None:
        return Text("not scanned", style="dim")
    found = Text(" ".join(f"{count}{SHORT[severity]}" for severity, count in row.findings) or "none")
    # The column has no room for the noun; the note below the table has it.
    known = row.vulnerabilities_text
    short = "unassessed" if known == vulnerabilities.UNASSESSED else known.rpartition(" ")[0]
    return found.append(f"\n{short}", style="dim") if short else found


def _sentences(shown: view.View) -> list[Text]:
    found = shown.conclusion
    attacks = shown.shipping.attacks if shown.shipping else ""
    lines = [
        Text(clean(found.headline), style="bold"),
        Text(clean(" ".join(one for one in (found.baseline, found.why, found.gives_up) if one))),
        Text(clean(" ".join(one for one in (found.still_wrong, attacks) if one))),
    ]
    lines += [Text(f"- {clean(doubt)}", style="dim") for doubt in found.doubts]
    if shown.budgets:
        count = len(shown.exceeded)
        kept = sum(one.kind == "kept" for one in shown.budgets)
        said = f"Budgets: {kept} kept, {count} exceeded, {len(shown.budgets) - kept - count} not measured."
        lines.append(Text(said, style="red" if count else ""))
        lines += [Text(f"  {clean(one.sentence)}: {clean(one.message)}", style="red") for one in shown.exceeded[:5]]
    lines.append(
        Text(
            f"Trials: {shown.gaps.valid_trials} of {shown.gaps.all_trials} valid. "
            f"Not measured, skipped or not assessed: {shown.gaps.count}, listed in report.html.",
            style="dim",
        )
    )
    if any(row.vulnerabilities_text for row in shown.rows):
        note = "fixable: known vulnerabilities that have a fix; ≥ where part of the image was not assessed for them."
        lines.append(Text(note, style="dim"))
    lines.append(Text("±: how far the farthest trial is from the figure.", style="dim"))
    if shown.baseline:
        note = f"× is the ratio to {shown.baseline}; ~ not significant, ? too few trials; bold: none is better."  # noqa: RUF001
        lines.append(Text(note, style="dim"))
    return lines
