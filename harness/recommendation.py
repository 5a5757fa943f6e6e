"""Which variant to ship: those that no other beats in every respect, and the pick among them, with the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.metrics import Measurements, kind_of
from harness.model import BaseSource, NotMeasured, Results, VerdictKind
from harness.preferences import SCORED, weights_of
from harness.samples import Sample, image_of
from harness.statistics import LEAST_ROUNDS
from harness.verdicts import IGNORES

RESPECTS = (*SCORED, "stop_seconds", "findings_critical", "findings_high")
"""A variant is beaten by one that is better in one of these, or in what the user weighs, by a significant difference,
and worse in none.
"""

GRAVE = ("findings_critical", "findings_high")
COUNTED = ("vulnerabilities_fixable", "findings", "compressed_bytes")
"""What decides between candidates that the score cannot tell apart, in this order: counts, which have no noise."""

LEAST_SHARE = 0.01
"""Compressed sizes that differ by less than this share decide nothing."""

KILLED = "ignores SIGTERM until it is killed"

RULE = (
    "Left out: what was not measured whole or in too few trials to judge, what breaks a budget, and what has to be "
    "killed to stop. "
    "Of the rest, those that no other beats: better in one respect by a significant difference and worse in none. "
    "Of these, the fewest CRITICAL and then HIGH findings; then the score: the geometric mean over compressed size, "
    "start-up, throughput, p99, CPU per request and memory, each weighing the same, in which a difference that is not "
    "significant counts as none, and which decides only where it is larger than the uncertainty of what it is made of. "
    "Where it is not, counts decide: the fewest fixable vulnerabilities, the fewest findings, the smallest compressed "
    "size (by 1% or more). Where these are the same too, the candidates are not told apart."
)

STATED_RULE = (
    "Left out: what was not measured whole or in too few trials to judge, what breaks a budget, and what has to be "
    "killed to stop. "
    "Of the rest, those that no other beats: better in one respect by a significant difference and worse in none. "
    "Of these, the best score by the weights that were stated ({}): the weighted geometric mean, in which a difference "
    "that is not significant counts as none, and which decides only where it is larger than the uncertainty of what it "
    "is made of. Where it is not, counts decide: the fewest CRITICAL and then HIGH findings, the fewest fixable "
    "vulnerabilities, the fewest findings, the smallest compressed size (by 1% or more). Where these are the same too, "
    "the candidates are not told apart."
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one variant stands: out of the choice with a reason, beaten by another, or unbeaten with its score.

    Args:
        out: why it cannot be picked, empty where it can.
        beaten_by: the variants that beat it.
        score: geometric mean of its figures over the best of each, 1.0 for what is not significantly worse in any;
            None where it is out.

    """

    variant: str
    out: str = ""
    beaten_by: tuple[str, ...] = ()
    score: float | None = None

    @property
    def unbeaten(self) -> bool:
        """Whether it can be picked and no other variant beats it."""
        return not self.out and not self.beaten_by


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The pick, if there is one, and where every variant stands.

    Args:
        not_told_from: other candidates that nothing measured or counted tells from the pick, which is then the first
            of them in the alphabet.
        close: other candidates that the score cannot tell from the pick; a count did.
        decided_by: that count's metric; empty where the findings or the score decided, or nothing.
        best_in: the respects in which the pick is significantly better than every other candidate.
        tied_in: those in which none is better than the pick, and some cannot be told from it.
        worse_in: those in which another candidate is better: metric -> the best one in it.

    """

    pick: str | None
    standings: tuple[Standing, ...]
    not_told_from: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    decided_by: str = ""
    best_in: tuple[str, ...] = ()
    tied_in: tuple[str, ...] = ()
    worse_in: tuple[tuple[str, str], ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    """What the score weighs: metric -> share, all together 1."""
    stated: bool = False
    """Whether the user stated those weights."""
    stand_ins: tuple[str, ...] = ()
    """Variants among the candidates whose base is a stand-in for the public image."""

    @property
    def respects(self) -> tuple[str, ...]:
        """What is told of the pick: what the score weighs, and what it would weigh without being asked."""
        return tuple(dict.fromkeys((*self.weights, *SCORED)))


def recommend(measured: Measurements) -> Recommendation:
    """Choose among a run's variants by `RULE`; without a candidate there is no pick."""
    results = measured.results
    weighed = Recommendation(
        pick=None, standings=(), weights=weights_of(results), stated=results.preference is not None
    )
    names = [variant.name for variant in results.variants]
    out = {name: _out(measured, name) for name in names}
    candidates = [name for name in names if not out[name]]
    standings = tuple(
        Standing(
            variant=name,
            out=out[name],
            beaten_by=tuple(other for other in candidates if other != name and beats(measured, other, name)),
            score=None if out[name] else _score(measured, name, candidates),
        )
        for name in names
    )
    unbeaten = [one for one in standings if one.unbeaten]
    if not unbeaten:
        return replace(weighed, standings=standings)
    pick, close, metric = _choose(measured, unbeaten)
    found = _explained(measured, pick, candidates, replace(weighed, standings=standings))
    return replace(found, close=close, decided_by=metric) if metric else replace(found, not_told_from=close)


def rule_of(results: Results) -> str:
    """Return the rule of a run's pick in words."""
    if results.preference is None:
        return RULE
    return STATED_RULE.format(
        ", ".join(
            f"{kind.title if (kind := kind_of(metric)) else metric} {share:.0%}"
            for metric, share in weights_of(results).items()
        )
    )


def respects_of(results: Results) -> tuple[str, ...]:
    """Return the metrics in which one variant may beat another: the rule's own, and those that the user weighs."""
    return tuple(dict.fromkeys((*RESPECTS, *weights_of(results))))


def ahead(measured: Measurements, variant: str, other: str) -> bool:
    """Say whether a variant's score is better than another's by more than the uncertainty of what it is made of.

    The score is the mean of the log ratios of what differs significantly. What it is made of hangs together (a request
    that takes less CPU has a better throughput and p99), so the half widths of the ratios' intervals are added up as
    they are, which is the most that they can come to.
    """
    total = reach = 0.0
    for metric, weight in weights_of(measured.results).items():
        ratio = measured.ratio(metric, variant, other)
        if isinstance(ratio, NotMeasured):
            total += weight * _count_gain(measured, metric, variant, other)
            continue
        if not ratio.significant or ratio.low is None or ratio.high is None:
            continue
        lower = measured.metric(metric, variant).lower_is_better
        total += weight * (-math.log(ratio.value) if lower else math.log(ratio.value))
        reach += weight * max(math.log(ratio.high / ratio.value), math.log(ratio.value / ratio.low))
    return total > reach


def beats(measured: Measurements, variant: str, other: str) -> bool:
    """Say whether one variant is better than another in some respect, significantly, and worse in none."""
    respects = respects_of(measured.results)
    better = any(measured.better(metric, variant, other) for metric in respects)
    return better and not any(measured.better(metric, other, variant) for metric in respects)


def _choose(measured: Measurements, unbeaten: Sequence[Standing]) -> tuple[str, tuple[str, ...], str]:
    """Return the pick, those that are not told from it, and the count that decided between them, if one did."""
    stated = measured.results.preference is not None
    fewest = min(_findings(measured, one.variant) for one in unbeaten)
    equal = [one for one in unbeaten if stated or _findings(measured, one.variant) == fewest]
    names = [one.variant for one in equal]
    # Where each is behind another, as in a ring, none is ahead of all.
    leading = [one for one in equal if not any(ahead(measured, name, one.variant) for name in names)] or equal
    first = min(leading, key=lambda one: (one.score or math.inf, one.variant)).variant
    close = sorted(one.variant for one in leading if one.variant == first or not ahead(measured, first, one.variant))
    left = close
    for metric in (*(GRAVE if stated else ()), *COUNTED):
        counts = {name: _value(measured, metric, name) for name in left}
        if not all(math.isfinite(count) for count in counts.values()):
            continue
        least = min(counts.values())
        reach = least * (1 + LEAST_SHARE) if metric == "compressed_bytes" else least
        left = [name for name in left if counts[name] <= reach]
        if len(left) == 1:
            return left[0], tuple(name for name in close if name != left[0]), metric if len(close) > 1 else ""
    return left[0], tuple(left[1:]), ""


def _explained(measured: Measurements, pick: str, candidates: Sequence[str], found: Recommendation) -> Recommendation:
    others = [name for name in candidates if name != pick]
    best, tied, worse = [], [], []
    for metric in found.respects:
        ahead = [name for name in others if measured.better(metric, name, pick)]
        if ahead:
            worse.append((metric, max(ahead, key=lambda name: _gain(measured, metric, name, pick))))
        elif others and all(measured.better(metric, pick, name) for name in others):
            best.append(metric)
        else:
            tied.append(metric)
    return replace(
        found,
        pick=pick,
        best_in=tuple(best),
        tied_in=tuple(tied),
        worse_in=tuple(worse),
        stand_ins=tuple(name for name in candidates if _stand_in(measured.results, name)),
    )


def _out(measured: Measurements, variant: str) -> str:
    """Say why a variant cannot be picked; empty where it can."""
    results = measured.results
    killed = any(trial.killed for trial in results.stop_trials if trial.variant == variant)
    weights = weights_of(results)
    for metric in respects_of(results):
        figure = measured.metric(metric, variant)
        if isinstance(figure.value, NotMeasured) and metric == "stop_seconds" and killed:
            return KILLED
        if isinstance(figure.value, NotMeasured) and figure.value.not_measured.startswith("at least"):
            return f"{figure.title} only known to be {figure.value.not_measured}"
        if isinstance(figure.value, NotMeasured):
            return f"{figure.title} not measured"
        # A capacity is one value, and judged by the steps of its search.
        searched = isinstance(sample := measured.sample(metric, variant), Sample) and sample.step is not None
        if metric in weights and not searched and 0 < len(figure.trials) < LEAST_ROUNDS:
            return f"too few trials ({figure.title}: {len(figure.trials)} of the {LEAST_ROUNDS} that a judgement needs)"
    # A stale entry of the ignore file fails the gate, and says nothing against the image.
    # Nor does it that a variant was better once: it may still be the best there is.
    exceeded = (v for v in results.verdicts if v.kind is VerdictKind.EXCEEDED and v.metric != IGNORES)
    broken = [v for v in exceeded if v.variant == variant and v.about == "budget"]
    if broken:
        return f"breaks {len(broken)} budget{'s' if len(broken) > 1 else ''}"
    return KILLED if killed else ""


def _findings(measured: Measurements, variant: str) -> tuple[float, float]:
    return _value(measured, "findings_critical", variant), _value(measured, "findings_high", variant)


def _score(measured: Measurements, variant: str, candidates: Sequence[str]) -> float:
    total = 0.0
    for metric, weight in weights_of(measured.results).items():
        kind = measured.metric(metric, variant)
        own = _value(measured, metric, variant)
        better = [_value(measured, metric, name) for name in candidates if measured.better(metric, name, variant)]
        pair = (own, min([own, *better])) if kind.lower_is_better else (max([own, *better]), own)
        # Of counts, one of which may be 0, one more than each: none against one is as one against two.
        more = 0.0 if min(pair) > 0 else 1.0
        total += weight * math.log((pair[0] + more) / (pair[1] + more))
    return math.exp(total)


def _count_gain(measured: Measurements, metric: str, variant: str, other: str) -> float:
    """Return by how much, as a logarithm, a count of which one may be 0 is better; 0 where no difference is told."""
    own, theirs = _value(measured, metric, variant), _value(measured, metric, other)
    if not (measured.better(metric, variant, other) or measured.better(metric, other, variant)):
        return 0.0
    gain = math.log((theirs + 1) / (own + 1))
    return gain if measured.metric(metric, variant).lower_is_better else -gain


def _gain(measured: Measurements, metric: str, variant: str, other: str) -> float:
    own, theirs = _value(measured, metric, variant), _value(measured, metric, other)
    return theirs - own if measured.metric(metric, variant).lower_is_better else own - theirs


def _value(measured: Measurements, metric: str, variant: str) -> float:
    value = measured.metric(metric, variant).value
    return math.inf if isinstance(value, NotMeasured) else value.value


def _stand_in(results: Results, variant: str) -> bool:
    image = image_of(results, variant)
    return image is not None and image.base.source is BaseSource.PACKAGES
