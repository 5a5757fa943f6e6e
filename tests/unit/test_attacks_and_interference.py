"""Probes that succeeded and interference by neighbours, as figures that budgets and comparisons read."""

from __future__ import annotations

from typing import Any

import pytest

from harness import verdicts
from harness.metrics import Measurements
from harness.model import (
    Budget,
    Failed,
    Hardening,
    Interference,
    Interval,
    LoadTrial,
    NeighbourCaps,
    NeighbourKind,
    NeighbourLimit,
    NeighbourRow,
    NeighbourTrial,
    NotMeasured,
    Outcome,
    Passed,
    Percentiles,
    ProbeResult,
    Ratio,
    Results,
    Severity,
    Skipped,
    Verdict,
    VerdictKind,
    VictimFate,
)
from tests.results_factory import NOON, digest_of, make

MADE = make()
VARIANT = "slim-gunicorn"
CAPS = NeighbourCaps.model_validate(dict.fromkeys(NeighbourCaps.model_fields, 1))
LIMITS = ("cpus", "memory")


def judged(results: Results, metric: str, **limit: float) -> Verdict:
    (found,) = verdicts.judge(results, [Budget(metric=metric, variants=VARIANT, **limit)], MADE.histogram)  # type: ignore[arg-type]
    return found


def figure(results: Results, metric: str) -> Interval | NotMeasured:
    return Measurements(results, MADE.histogram).metric(metric, VARIANT).value


def probe(identifier: str, outcome: Outcome) -> ProbeResult:
    return ProbeResult(
        id=identifier, title=identifier, severity=Severity.HIGH, outcome=outcome, attempts=(), remediation="", seconds=1
    )


def probed(*outcomes: Outcome, profile: str = "hardened") -> Results:
    one = Hardening(
        variant=VARIANT,
        image_digest=digest_of(VARIANT),
        run_profile=profile,
        probed_at=NOON,
        seconds=1,
        container_checks=(),
        probes=tuple(probe(f"PROBE-{number}", outcome) for number, outcome in enumerate(outcomes)),
    )
    return MADE.results.model_copy(update={"hardenings": (one,)})


BAD, GOOD, GAP = Failed(evidence=("it worked",)), Passed(), Skipped(reason="there is no such device")


def test_probes_that_succeeded_are_counted() -> None:
    found = figure(probed(BAD, GOOD, BAD), "probes_succeeded")
    assert isinstance(found, Interval)
    assert found.value == 2
    assert judged(probed(BAD, GOOD), "probes_succeeded", max=0).kind is VerdictKind.EXCEEDED
    assert judged(probed(GOOD, GOOD), "probes_succeeded", max=0).kind is VerdictKind.KEPT


def test_no_success_is_no_pass_where_a_probe_could_not_be_tried() -> None:
    found = judged(probed(GOOD, GAP), "probes_succeeded", max=0)
    assert found.kind is VerdictKind.NOT_MEASURED
    assert "PROBE-1 could not be tried: there is no such device" in found.message
    assert judged(probed(BAD, GAP), "probes_succeeded", max=0).kind is VerdictKind.EXCEEDED


@pytest.mark.parametrize(
    "results",
    [MADE.results, probed(GOOD, profile="article"), probed(GAP)],
    ids=["never", "another profile", "all gaps"],
)
def test_what_was_not_probed_keeps_no_budget(results: Results) -> None:
    assert judged(results, "probes_succeeded", max=99).kind is VerdictKind.NOT_MEASURED


def trial(round_: int, p99_ms: float) -> NeighbourTrial:
    some = next(one for one in MADE.results.load_trials if one.variant == VARIANT)
    latency = Percentiles.model_validate({**dict.fromkeys(Percentiles.model_fields, 1.0), "p99_ms": p99_ms})
    load: LoadTrial = some.model_copy(update={"round": round_, "latency": latency, "model": "open"})
    return NeighbourTrial(outcome="held", reason="", victim=VictimFate.UNHARMED, neighbour=None, trial=load)


def row(kind: NeighbourKind | None, factor: float, share: float = 0.7, **changes: Any) -> NeighbourRow:
    trials = tuple(trial(number, 10.0 * factor * (1 + number / 100)) for number in (1, 2, 3))
    ratio = None if kind is None else Ratio(value=factor, low=factor, high=factor, significant=True, method="")
    said = {
        "id": f"{kind}-{share}",
        "kind": kind,
        "share": share,
        "offered_rps": 700.0,
        "victim_limited": True,
        "limits": () if kind is None else LIMITS,
        "purpose": "grid",
        "baseline": None if kind is None else f"None-{share}",
        "held": 3,
        "not_held": 0,
        "void": 0,
        "p99_ms": NotMeasured(not_measured="not of interest"),
        "p99_ratio": ratio,
        "requests": 1,
        "failures": 0,
        "victim": VictimFate.UNHARMED,
        "trials": trials,
    }
    return NeighbourRow.model_validate({**said, **changes})


def beside(*rows: NeighbourRow, **changes: Any) -> Results:
    said: dict[str, Any] = {
        "variant": VARIANT,
        "image_digest": digest_of(VARIANT),
        "run_profile": "hardened",
        "started_at": NOON,
        "finished": True,
        "load_profile": "quick",
        "size": "quick",
        "capacity_rps": 1000.0,
        "capacity_from": "a search",
        "shares": (0.3, 0.7),
        "kinds": tuple(one.kind for one in rows if one.kind),
        "rounds": 3,
        "warmup_s": 1.0,
        "measure_s": 1.0,
        "seed": 1,
        "victim_limits": "",
        "neighbour_profile": "neighbour",
        "neighbour_limits": tuple(NeighbourLimit(name=name, what=name) for name in LIMITS),
        "caps": CAPS,
        "victim_cpus": "0",
        "neighbour_cpus": "0",
        "generator_cpus": "1",
        "factor": 2.0,
        "rows": rows,
        "smallest": NotMeasured(not_measured="not looked for"),
    }
    known = {name: value for name, value in {**said, **changes}.items() if name in Interference.model_fields}
    return MADE.results.model_copy(update={"neighbours": (Interference.model_validate(known),)})


UNDISTURBED, QUIET = row(None, 1.0), row(None, 1.0, share=0.3)


def test_interference_is_the_worst_kind_at_the_highest_load() -> None:
    results = beside(
        UNDISTURBED,
        QUIET,
        row(NeighbourKind.CPU, 1.4),
        row(NeighbourKind.FORK, 1.9),
        row(NeighbourKind.DISK, 5, share=0.3),
    )
    found = figure(results, "interference_p99_ratio")
    assert isinstance(found, Interval)
    assert found.value == pytest.approx(1.9)
    assert found.n == 3
    assert judged(results, "interference_p99_ratio", max=2).kind is VerdictKind.KEPT
    over = judged(results, "interference_p99_ratio", max=1.5)
    assert over.kind is VerdictKind.EXCEEDED
    assert "over by 0.400 times" in over.message


def test_only_rows_in_which_both_have_all_their_limits_count() -> None:
    results = beside(
        UNDISTURBED,
        row(NeighbourKind.CPU, 1.2),
        row(NeighbourKind.FORK, 9, limits=()),
        row(NeighbourKind.DISK, 9, limits=("cpus",), purpose="one limit"),
        row(NeighbourKind.FLOOD, 9, victim_limited=False),
    )
    found = figure(results, "interference_p99_ratio")
    assert isinstance(found, Interval)
    assert found.value == pytest.approx(1.2)


def test_a_victim_that_did_not_serve_what_was_offered_breaks_any_limit() -> None:
    lost = row(NeighbourKind.FORK, 1, held=1, not_held=2, p99_ratio=NotMeasured(not_measured="not held"))
    found = judged(beside(UNDISTURBED, row(NeighbourKind.CPU, 1.1), lost), "interference_p99_ratio", max=1e9)
    assert (found.kind, found.measured) == (VerdictKind.EXCEEDED, "not served")
    assert "beside a neighbour that forks it did not serve 700 requests a second in 2 of 3 rounds" in found.message


@pytest.mark.parametrize(
    "results",
    [
        MADE.results,
        beside(UNDISTURBED),
        beside(UNDISTURBED, row(NeighbourKind.CPU, 1.1), finished=False),
        beside(UNDISTURBED, row(NeighbourKind.CPU, 1.1), run_profile="article"),
        beside(UNDISTURBED, row(NeighbourKind.CPU, 1.1, p99_ratio=NotMeasured(not_measured="void"), held=0, void=3)),
    ],
    ids=["never tried", "no limited row", "stopped half way", "another run profile", "void"],
)
def test_what_was_not_measured_keeps_no_limit(results: Results) -> None:
    assert judged(results, "interference_p99_ratio", max=1e9).kind is VerdictKind.NOT_MEASURED
