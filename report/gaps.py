"""What a run does not know: invalid trials, figures not measured, steps skipped, and what nothing assessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.attacks import NOT_PROBED
from harness.capacities import NOT_SEARCHED
from harness.interference import NOT_TRIED
from harness.metrics import REGISTRY, Measurements
from harness.model import NotMeasured, Results, Skipped
from harness.samples import NO_SUCH_MODEL, NOT_STOPPED_UNDER_LOAD
from harness.start_parts import NOT_SPLIT

NOT_ASKED_FOR = (
    *(NO_SUCH_MODEL.format(model) for model in ("closed", "open")),
    NOT_SEARCHED,
    NOT_PROBED,
    NOT_TRIED,
    NOT_SPLIT,
    NOT_STOPPED_UNDER_LOAD,
)
COUNTS = ("findings", "findings on the container", "vulnerabilities")
"""The titles of counts that others, by severity, are parts of."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One thing that is missing: of which variants, what, and why."""

    variants: tuple[str, ...]
    what: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class InvalidTrial:
    """One load trial whose figures were not used."""

    variant: str
    round: int
    attempt: int
    guard: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class BrokenOften:
    """One guard that trials of one variant broke: how often, in which rounds, and the evidence of the first."""

    variant: str
    guard: str
    times: int
    rounds: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """All of it, each kind by itself."""

    not_measured: tuple[Gap, ...]
    skipped: tuple[Gap, ...]
    not_assessed: tuple[Gap, ...]
    invalid: tuple[InvalidTrial, ...]
    valid_trials: int
    all_trials: int

    @property
    def broken(self) -> tuple[BrokenOften, ...]:
        """The invalid trials by variant and guard."""
        together: dict[tuple[str, str], list[InvalidTrial]] = {}
        for one in self.invalid:
            together.setdefault((one.variant, one.guard), []).append(one)
        return tuple(
            BrokenOften(
                variant=variant,
                guard=guard,
                times=len(found),
                rounds=", ".join(str(number) for number in dict.fromkeys(one.round for one in found)),
                evidence=found[0].evidence,
            )
            for (variant, guard), found in together.items()
        )

    @property
    def count(self) -> int:
        """How many gaps there are, invalid trials apart."""
        return len(self.not_measured) + len(self.skipped) + len(self.not_assessed)


def find(measured: Measurements) -> Gaps:
    """Collect what a run does not know."""
    results = measured.results
    return Gaps(
        not_measured=_not_measured(measured),
        skipped=_skipped(results),
        not_assessed=_not_assessed(results),
        invalid=_invalid(results),
        valid_trials=sum(trial.valid for trial in results.load_trials),
        all_trials=len(results.load_trials),
    )


def _not_measured(measured: Measurements) -> tuple[Gap, ...]:
    """Collect figures without a value: one entry a variant and reason, then one for all variants that share both."""
    titles: dict[tuple[str, str], list[str]] = {}
    for variant in measured.results.variants:
        for kind in REGISTRY:
            value = measured.metric(kind.name, variant.name).value
            if isinstance(value, NotMeasured) and value.not_measured not in NOT_ASKED_FOR:
                together = titles.setdefault((variant.name, value.not_measured), [])
                # Counts by severity lack what the whole count lacks.
                if not any(title in kind.title for title in together if title in COUNTS):
                    together.append(kind.title)
        image = next((one for one in measured.results.images if one.variant == variant.name), None)
        if image is not None and isinstance(image.interpreter, NotMeasured):
            titles.setdefault((variant.name, image.interpreter.not_measured), []).append("interpreter")
    return _grouped([(variant, ", ".join(what), reason) for (variant, reason), what in titles.items()])


def _skipped(results: Results) -> tuple[Gap, ...]:
    return _grouped(
        [
            (scan.variant, step.name, step.outcome.reason)
            for scan in results.scans
            for step in scan.steps
            if isinstance(step.outcome, Skipped)
        ]
    )


def _not_assessed(results: Results) -> tuple[Gap, ...]:
    return _grouped(
        [
            (scan.variant, one.ecosystem, one.reason or "no reason given")
            for scan in results.scans
            for one in scan.assessments
            if one.assessed_by is None
        ]
    )


def _invalid(results: Results) -> tuple[InvalidTrial, ...]:
    return tuple(
        InvalidTrial(
            variant=trial.variant,
            round=trial.round,
            attempt=trial.attempt,
            guard=broken.guard.value,
            evidence=broken.evidence,
        )
        for trial in results.load_trials
        for broken in trial.broken_guards
    )


def _grouped(entries: Sequence[tuple[str, str, str]]) -> tuple[Gap, ...]:
    together: dict[tuple[str, str], list[str]] = {}
    for variant, what, reason in entries:
        together.setdefault((what, reason), []).append(variant)
    return tuple(
        Gap(variants=tuple(variants), what=what, reason=reason) for (what, reason), variants in together.items()
    )
