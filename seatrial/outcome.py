"""What a run came to: its exit code, and what is told of it."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import RenderableType

from harness.errors import BudgetExceeded, ContractBroken, NoValidMeasurement
from harness.metrics import Measurements, all_metrics
from harness.model import Guard, LoadTrial, Results, VerdictKind
from report import conclusion, table
from seatrial.terminal import Terminal
from seatrial.workspace import Workspace

DONE = 0


def exit_code(results: Results, loaded: Collection[str], *, judged: bool = True) -> int:
    """Return the exit code that a run's results ask for; the gravest where several apply.

    Args:
        results: the run.
        loaded: the variants that were to be loaded.
        judged: whether exceeded budgets count.

    """
    measured = {trial.variant for trial in results.load_trials if trial.valid}
    if any(trial.variant in loaded and _broken(trial) for trial in results.load_trials):
        return ContractBroken.exit_code
    if not measured.issuperset(loaded):
        return NoValidMeasurement.exit_code
    if judged and any(verdict.kind is VerdictKind.EXCEEDED for verdict in results.verdicts):
        return BudgetExceeded.exit_code
    return DONE


def tell(results: Results, workspace: Workspace, terminal: Terminal) -> None:
    """Print the final table, and name what has no numbers."""
    terminal.give(summed_up(results, workspace))
    shown: RenderableType = table.render(results, histogram=workspace.folder.histogram)
    terminal.out.print(shown)
    for variant in results.variants:
        trials = [trial for trial in results.load_trials if trial.variant == variant.name]
        if trials and not any(trial.valid for trial in trials):
            guard = trials[-1].broken_guards[0]
            terminal.err.print(f"{variant.name} has no figures: {guard.guard}: {guard.evidence}", markup=False)


def summed_up(results: Results, workspace: Workspace) -> dict[str, object]:
    """Return what a run came to, as the table and the sentences below it say it; results.json holds all of it."""
    histogram = workspace.folder.histogram
    found = conclusion.conclude(Measurements(results, histogram))
    return {
        "run_id": results.run_id,
        "folder": str(workspace.folder.path),
        "pick": found.pick,
        "headline": found.headline,
        "why": found.why,
        "gives_up": found.gives_up,
        "still_wrong": found.still_wrong,
        "doubts": found.doubts,
        "standings": found.standings,
        "figures": all_metrics(results, histogram),
        "verdicts": results.verdicts,
    }


def _broken(trial: LoadTrial) -> bool:
    return any(one.guard is Guard.CONTRACT_BROKEN for one in trial.broken_guards)
