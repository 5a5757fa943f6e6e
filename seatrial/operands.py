"""What A and B of `seatrial compare A B` are: runs, variants, a stored baseline, images by name; compares them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness import regressions, stored_baselines
from harness.comparison import compare_all, compare_sides
from harness.engine.client import Engine
from harness.engine.find import open_engine
from harness.errors import UnreadableOutput, UsageError
from harness.locks import new_run_id
from harness.model import NotMeasured, RegressionThreshold, RunComparison
from harness.results import RunFolder, open_existing
from harness.settings import Settings
from harness.sides import Run, Side, side_of, side_of_baseline, sides_of
from seatrial.decide import marked
from seatrial.images_by_name import side_of_name
from seatrial.terminal import Terminal
from seatrial.workspace import latest
from security.version_order import order

FOLDER_HINT = "A run is a folder with a run.json or a results.json, or its id under the settings' `results`."


@dataclass(frozen=True, kw_only=True)
class Operand:
    """One side as it was named: a whole run, or one thing."""

    label: str
    sides: Mapping[str, Side]
    """By variant; a single thing has one."""
    whole: bool


def compared(
    first: str,
    second: str,
    *,
    settings: Settings,
    results: Path | None,
    thresholds: tuple[RegressionThreshold, ...],
    terminal: Terminal,
) -> RunComparison:
    """Compare what two words name, and judge the second by the thresholds against the first.

    Raises:
        UsageError: a word names nothing, or one names a run and the other one thing.
        UnreadableOutput: a run or a stored baseline cannot be read.
        EngineMissing: an image is named, and there is no engine.

    """
    with ExitStack() as stack:
        reader = _Reader(settings=settings, results=results, terminal=terminal, stack=stack)
        before, after = reader.read(first, "image-a"), reader.read(second, "image-b")
    if before.whole != after.whole:
        raise UsageError(
            f"{first} and {second} are not of one kind: one is a whole run, the other one image.",
            "Name two runs, or a variant of each as RUN:VARIANT.",
        )
    if before.whole:
        found = compare_all(before.sides, after.sides, (before.label, after.label), order=order)
        if not found.comparisons:
            raise UsageError(f"{first} and {second} have no variant in common.", "Name RUN:VARIANT twice.")
        others = list(after.sides.values())
    else:
        ours, theirs = next(iter(before.sides.values())), next(iter(after.sides.values()))
        found = RunComparison(
            before=before.label, after=after.label, comparisons=(compare_sides(ours, theirs, order=order),)
        )
        others = [theirs]
    by_label = {side.name.label: side for side in others}
    judged = (
        verdict
        for one in found.comparisons
        for verdict in regressions.judge_comparison(one, by_label[one.after.label], thresholds)
    )
    return found.model_copy(update={"verdicts": tuple(judged)})


@dataclass(kw_only=True)
class _Reader:
    settings: Settings
    results: Path | None
    terminal: Terminal
    stack: ExitStack
    engine: Engine | None = field(default=None, init=False)
    folder: Path | None = field(default=None, init=False)

    def read(self, word: str, name: str) -> Operand:
        """Return what a word names; runs and variants come before images of the same name."""
        if word.endswith(".json") and Path(word).is_file():
            return _baseline(Path(word))
        folder = self._run(word)
        if folder is not None:
            run = self._loaded(folder)
            return Operand(label=run.results.run_id, sides=sides_of(run), whole=True)
        run_word, _, variant = word.rpartition(":")
        folder = self._run(run_word) if run_word else None
        if folder is not None:
            return self._variant(folder, variant, f"{variant} in {folder.path.name}", must=True) or _never(word)
        here = self._here()
        found = self._variant(here, word, word, must=False) if here is not None else None
        return found or self._image(word, name)

    def _run(self, word: str) -> RunFolder | None:
        for path in (Path(word), self.settings.results / word):
            if word and path.is_dir() and any((path / name).exists() for name in ("run.json", "results.json")):
                return open_existing(path)
        if "/" in word and Path(word).is_dir():
            raise UnreadableOutput(f"{word} is a folder that holds no results.", FOLDER_HINT)
        return None

    def _here(self) -> RunFolder | None:
        if self.results is not None:
            return open_existing(self.results)
        path = latest(self.settings)
        return open_existing(path) if path.exists() else None

    def _loaded(self, folder: RunFolder) -> Run:
        return Run(results=marked(folder.load(), self.settings), histogram=folder.histogram, listing=folder.listing)

    def _variant(self, folder: RunFolder, variant: str, label: str, *, must: bool) -> Operand | None:
        run = self._loaded(folder)
        names = [one.name for one in run.results.variants]
        if variant not in names:
            if must:
                raise UsageError(f"{folder.path.name} has no variant {variant!r}.", f"It has: {', '.join(names)}.")
            return None
        return Operand(label=label, sides={variant: side_of(run, variant, label=label)}, whole=False)

    def _image(self, word: str, name: str) -> Operand:
        if self.engine is None or self.folder is None:
            self.engine = self.stack.enter_context(open_engine(new_run_id(), say=self.terminal.say))
            self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.terminal.say(f"{word}: inspect and scan")
        side = side_of_name(word, name, self.engine, self.folder, self.settings, self.terminal.say)
        return Operand(label=word, sides={name: side}, whole=False)


def _baseline(path: Path) -> Operand:
    stored = stored_baselines.load(path)
    sides = {name: side_of_baseline(stored, name) for name in stored.variants}
    known = {name: side for name, side in sides.items() if not isinstance(side, NotMeasured)}
    return Operand(label=f"{path.name} ({stored.run_id})", sides=known, whole=True)


def _never(word: str) -> Operand:
    raise UsageError(f"{word!r} names no variant of a run.")
