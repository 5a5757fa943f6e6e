"""The conclusion in sentences: what to ship, why, what it gives up, how sure that is, and what it does not cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness import figures, recommendation, vulnerability_counts
from harness.metrics import Measurements, kind_of
from harness.model import Interval, NotMeasured, Ratio, Results
from harness.recommendation import Recommendation, Standing
from harness.samples import image_of, scan_of
from report import vulnerabilities

AGAINST_BASELINE = ("throughput_rps", "p99_ms", "startup_seconds", "compressed_bytes", "anonymous_memory_bytes")

FOREIGN_SHARE = 0.10
"""More than this of the target's core in others' hands is told; the engine and Seatrial themselves took 1 or 2%."""


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What the run says, each part in whole sentences.

    Args:
        headline: the pick, or that there is none.
        why: the reason.
        baseline: the pick beside the baseline.
        gives_up: where another candidate is better.
        doubts: what limits the conclusion, one sentence each.
        rule: how the pick is made.

    """

    pick: str | None
    headline: str
    why: str
    baseline: str
    gives_up: str
    still_wrong: str
    doubts: tuple[str, ...]
    rule: str
    standings: dict[str, str]
    order: tuple[str, ...]


def conclude(measured: Measurements) -> Conclusion:
    """Put the recommendation into words."""
    found = recommendation.recommend(measured)
    return Conclusion(
        pick=found.pick,
        headline=_headline(found),
        why=_why(measured, found),
        baseline=_against_baseline(measured, found.pick),
        gives_up=_gives_up(measured, found),
        still_wrong=_still_wrong(measured, found.pick),
        doubts=_doubts(measured, found),
        rule=recommendation.rule_of(measured.results),
        standings={one.variant: _standing(one, found.pick) for one in found.standings},
        order=_order(measured, found),
    )


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does: `a`, `a and b`, `a, b and c`."""
    found = list(words)
    return " and ".join(([", ".join(found[:-1])] if found[:-1] else []) + found[-1:])


def _headline(found: Recommendation) -> str:
    if found.pick is None:
        return "No variant can be recommended from this run."
    if found.not_told_from:
        names = sorted((found.pick, *found.not_told_from))
        return f"Ship {', '.join(names[:-1])} or {names[-1]}: this run does not tell them apart."
    return f"Ship {found.pick}."


def _why(measured: Measurements, found: Recommendation) -> str:
    if found.pick is None:
        return _nobody(found)
    same = (*found.not_told_from, *found.close)
    rivals = [one for one in found.standings if one.unbeaten and one.variant not in (found.pick, *same)]
    beaten = [one.variant for one in found.standings if not one.out and found.pick in one.beaten_by]
    candidates = [one for one in found.standings if not one.out]
    if len(candidates) == 1:
        return "It is the only variant that was measured whole, breaks no budget and stops when it is told to."
    parts = []
    if beaten:
        parts.append(f"It is better than {listed(beaten)} in some respect and worse in none.")
    if rivals:
        own = next(one.score for one in found.standings if one.variant == found.pick)
        scores = listed(f"{one.variant} ({_score(one.score)})" for one in rivals)
        verb = "are" if len(rivals) > 1 else "is"
        parts.append(
            f"No variant beats it in every respect. {scores} {verb} unbeaten too; {_weighing(found)}, and "
            f"only differences that are significant, {found.pick} scores better: {_score(own)}, where 1.00 is "
            "behind in none."
            if _ahead(found)
            else f"No variant beats it in every respect. {scores} {verb} unbeaten too, but not picked: graver findings "
            f"come first. Its score is {_score(own)}, where 1.00 is behind in none."
        )
    if found.not_told_from:
        parts.append(
            f"Neither the score nor a count tells {found.pick} from {listed(found.not_told_from)}; "
            f"what follows is about {found.pick}."
        )
    if found.decided_by:
        parts.append(_by_count(measured, found))
    if found.best_in:
        parts.append(f"It is better than every other candidate in {_titles(found.best_in)}.")
    return " ".join(parts)


def _weighing(found: Recommendation) -> str:
    if not found.stated:
        return "weighing every respect the same"
    shares = listed(f"{kind.title} {share:.0%}" for metric, share in found.weights.items() if (kind := kind_of(metric)))
    return f"weighing as was asked ({shares})"


def _by_count(measured: Measurements, found: Recommendation) -> str:
    """Say which count decided between candidates that the score cannot tell apart, with the counts."""
    kind = kind_of(found.decided_by)
    if kind is None or found.pick is None:
        return ""
    own = _figure(measured, kind.name, found.pick, kind.unit)
    others = listed(f"{name} has {_figure(measured, kind.name, name, kind.unit)}" for name in found.close)
    return (
        f"By their score it cannot be told from {listed(found.close)}; what is counted decides, "
        f"here {kind.title}: it has {own}, {others}."
    )


def _nobody(found: Recommendation) -> str:
    """Say why each variant is left out, those with the same reason together."""
    together: dict[str, list[str]] = {}
    for one in found.standings:
        together.setdefault(one.out, []).append(one.variant)
    if len(together) == 1:
        return f"Every variant is left out: {next(iter(together))}."
    return " ".join(
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} left out: {why}." for why, names in together.items()
    )


def _ahead(found: Recommendation) -> bool:
    scores = {one.variant: one.score for one in found.standings if one.unbeaten and one.score is not None}
    return found.pick is not None and scores.get(found.pick) == min(scores.values(), default=None)


def _against_baseline(measured: Measurements, pick: str | None) -> str:
    baseline = measured.results.baseline_variant
    if baseline is None:
        return "The run has no baseline."
    if pick is None or pick == baseline:
        return ""
    better: list[str] = []
    worse: list[str] = []
    same, unjudged = [], []
    for metric in AGAINST_BASELINE:
        kind, ratio = kind_of(metric), measured.ratio(metric, pick, baseline)
        if kind is None or isinstance(ratio, NotMeasured):
            continue
        if ratio.significant:
            side = better if (ratio.value < 1) == kind.lower_is_better else worse
            side.append(f"{kind.title} ({figures.times(ratio.value)})")
        elif ratio.significant is None:
            unjudged.append(kind.title)
        else:
            same.append(kind.title)
    if not better and not worse and not same and not unjudged:
        return f"It could not be compared with {baseline}, which was not measured."
    sides = [f"{word} in {listed(found)}" for word, found in (("better", better), ("worse", worse)) if found]
    told = [f"Against {baseline} it is {', and '.join(sides)}."] if sides else []
    if same:
        told.append(f"In {listed(same)} no difference from {baseline} could be told.")
    if unjudged:
        told.append(f"Of {listed(unjudged)} there are too few trials to judge against {baseline}.")
    return " ".join(told)


def _gives_up(measured: Measurements, found: Recommendation) -> str:
    if found.pick is None:
        return ""
    ahead = dict(found.worse_in)
    baseline = measured.results.baseline_variant
    lost: dict[str, list[str]] = {metric: [other] for metric, other in ahead.items()}
    if baseline is not None and baseline != found.pick:
        for metric in found.respects:
            if measured.better(metric, baseline, found.pick) and ahead.get(metric) != baseline:
                lost.setdefault(metric, []).append(baseline)
    if not lost:
        return _nothing_lost(measured, found)
    parts = []
    for metric in found.respects:
        kind = kind_of(metric)
        if kind is not None and metric in lost:
            own = _figure(measured, metric, found.pick, kind.unit)
            others = listed(f"{name} has {_figure(measured, metric, name, kind.unit)}" for name in lost[metric])
            parts.append(f"{kind.title} ({own}; {others})")
    return f"It gives up {listed(parts)}."


def _nothing_lost(measured: Measurements, found: Recommendation) -> str:
    """Say beside whom the pick gives nothing up: only those that have figures to be better by."""
    pick, baseline = found.pick or "", measured.results.baseline_variant
    candidates = [one.variant for one in found.standings if not one.out and one.variant != pick]
    compared = baseline not in (None, pick, *candidates) and any(
        isinstance(measured.ratio(metric, pick, baseline or ""), Ratio) for metric in found.respects
    )
    who = [*(["another candidate"] if candidates else []), *(["the baseline"] if compared else [])]
    if not who:
        return "What it gives up is not known: there is no other candidate, and no baseline with figures."
    said = f"neither {' nor '.join(who)} is" if len(who) > 1 else f"{who[0].replace('another', 'no other')} is"
    if who == ["the baseline"]:
        said = "the baseline is not"
    return f"It gives nothing up: {said} significantly better in any respect that was measured in both."


def _still_wrong(measured: Measurements, pick: str | None) -> str:
    if pick is None:
        return ""
    scan = scan_of(measured.results, pick)
    if scan is None:
        return "It was not scanned."
    counts: dict[str, int] = {}
    for finding in sorted(scan.findings, key=lambda one: -one.severity.rank):
        if finding.suppressed is None:
            counts[finding.severity.value] = counts.get(finding.severity.value, 0) + 1
    total = sum(counts.values())
    if not counts:
        found = "The scan found nothing wrong with it"
    else:
        each = listed(f"{count} {severity}" for severity, count in counts.items())
        found = f"Still wrong with it: {total} finding{'s' if total > 1 else ''} ({each})"
    if vulnerability_counts.is_assessed(scan):
        found += f"; {vulnerabilities.in_words(scan)}"
    blind = vulnerability_counts.unassessed(scan)
    unseen = f"; known vulnerabilities of {listed(blind)} were not assessed" if blind else ""
    return f"{found}{unseen}."


def _doubts(measured: Measurements, found: Recommendation) -> tuple[str, ...]:
    results, doubts = measured.results, []
    stand_ins = [v.name for v in results.variants if _is_stand_in(measured, v.name)]
    if stand_ins:
        bases = sorted({image.base.public for n in stand_ins if (image := image_of(results, n)) is not None})
        every = len(stand_ins) == len(results.images)
        names = "Every variant was" if every else f"{listed(stand_ins)} {'was' if len(stand_ins) == 1 else 'were'}"
        doubts.append(
            f"{names} measured on a stand-in for {'its public base' if every else listed(bases)}: "
            "what is said here about bases holds for the stand-ins only."
        )
    rounds = {trial.round for trial in results.load_trials}
    if rounds and len(rounds) < 3:
        doubts.append(f"With {len(rounds)} round{'s' if len(rounds) > 1 else ''} no load figure can be judged.")
    pairs = _undecided(measured, found)
    if pairs:
        doubts.append(pairs)
    crowd = _crowd(results)
    if crowd:
        doubts.append(crowd)
    if results.environment.cores < 2:
        doubts.append("Target and generator shared the only core, so all load figures are lower than they should be.")
    return tuple(doubts)


def _crowd(results: Results) -> str:
    """Say that other programs ran on the target's core while it was measured; empty where they hardly did."""
    trials = [trial for trial in results.load_trials if trial.valid and trial.target_cpus != trial.generator_cpus]
    shares = [trial.foreign_cpu_share for trial in trials if isinstance(trial.foreign_cpu_share, float)]
    crowded = [share for share in shares if share > FOREIGN_SHARE]
    if not crowded:
        return ""
    return (
        f"Other programs took up to {max(crowded):.0%} of the target's core, and over {FOREIGN_SHARE:.0%} in "
        f"{len(crowded)} of {len(shares)} load trials: load figures are lower and scatter more than on a quiet machine."
    )


def _undecided(measured: Measurements, found: Recommendation) -> str:
    """Say how many of the pick's comparisons with the other candidates this run could decide."""
    others = [one.variant for one in found.standings if not one.out and one.variant != found.pick]
    if found.pick is None or not others:
        return ""
    every = [measured.ratio(metric, found.pick, other) for other in others for metric in found.respects]
    decided = sum(isinstance(ratio, Ratio) and bool(ratio.significant) for ratio in every)
    return (
        f"{decided} of the pick's {len(every)} comparisons with the other candidates are significant at 95%; "
        "each is judged by itself, so one in twenty may be a false alarm."
    )


def _standing(one: Standing, pick: str | None) -> str:
    if one.variant == pick:
        return "the pick"
    if one.out:
        return f"out: {one.out}"
    if one.beaten_by:
        return f"beaten by {listed(one.beaten_by)}"
    return f"unbeaten, {_score(one.score)}"


def _order(measured: Measurements, found: Recommendation) -> tuple[str, ...]:
    """Return the variants as a table lists them: baseline, pick, the other candidates by score, then the rest."""
    baseline = measured.results.baseline_variant

    def place(one: Standing) -> tuple[int, int, float]:
        rank = 0 if one.variant == baseline else 1 if one.variant == found.pick else 2 if not one.out else 3
        return rank, len(one.beaten_by) if rank == 2 else 0, one.score or 0.0

    return tuple(one.variant for one in sorted(found.standings, key=place))


def _titles(metrics: Sequence[str]) -> str:
    return listed(kind.title for kind in map(kind_of, metrics) if kind is not None)


def _figure(measured: Measurements, metric: str, variant: str, unit: str) -> str:
    value = measured.metric(metric, variant).value
    return figures.figure(value.value, unit) if isinstance(value, Interval) else "not measured"


def _score(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"


def _is_stand_in(measured: Measurements, variant: str) -> bool:
    image = image_of(measured.results, variant)
    return image is not None and image.base.stand_in_for is not None
