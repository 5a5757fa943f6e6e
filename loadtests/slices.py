"""The sliced comparison: is B slower than A? Both run at once on one core and are asked in turn, pair after fresh pair.

After the idea of duet benchmarking (Bulej, Horky, Tuma, Farquet, Prokopec: Duet Benchmarking: Improving Measurement
Accuracy in the Cloud, ICPE 2020): what disturbs the machine disturbs both sides alike, if they run at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from harness.engine.client import Engine
from harness.engine.run_profiles import without_quota
from harness.locks import measuring
from harness.model import Guard, NotMeasured, Percentiles, Progress, SlicedComparison, SlicedFigures, SlicedPair
from loadtests import slicing_pair
from loadtests.inside.slice_orders import SideName, SliceOrders
from loadtests.setting import Cores, fingerprint
from loadtests.slicing_judging import MeasuredPair, by, judged, measured, ratio
from loadtests.slicing_pair import PairOrder
from loadtests.slicing_sides import Side, check, described

PAIRS = 20
SECONDS = 60.0
SLICE_S = 0.02
LONGEST_SLICE_S = 5.0
SECONDS_AROUND_PAIR = 3.5
"""What a pair takes beside its measured time, for the user's patience only."""


class SliceStore(Protocol):
    """Where a comparison goes, and goes again, as its pairs end."""

    def write_sliced(self, comparison: SlicedComparison, /) -> None:
        """Keep a comparison as far as it has come."""

    def write_histogram(self, name: str, data: bytes, /) -> None:
        """Keep one encoded histogram."""

    def write_log(self, name: str, text: str, /) -> None:
        """Keep what a container of an invalid pair printed."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared, and for how long."""

    id: str
    a: Side
    b: Side
    seed: int
    pairs: int = PAIRS
    seconds: float = SECONDS
    """Measured time: all pairs, both sides."""
    slice_s: float = SLICE_S
    warmup_s: float = 0.5
    endpoints: Mapping[str, int] = field(default_factory=dict)
    """Endpoint -> weight; empty: the contract's `READY` alone. A slice asks one of them."""
    connections: int = 1
    repeats: int = 2
    """How many invalid pairs are made again, in all."""
    ready_timeout_s: float = 30.0
    request_timeout_s: float = 5.0
    quota_taken_off: bool = False

    def without_quota(self) -> Plan:
        """Return the same without CPU limits, on either side."""
        a, b = (replace(side, run_profile=without_quota(side.run_profile)) for side in (self.a, self.b))
        return replace(self, a=a, b=b, quota_taken_off=True)


def compare(
    plan: Plan,
    *,
    engine: Engine,
    generator_image: str,
    cores: Cores,
    store: SliceStore | None,
    progress: Progress,
    known: SlicedComparison | None = None,
) -> SlicedComparison:
    """Measure pair after pair, each kept as it ends, and return the comparison.

    Args:
        plan: what is compared; fewer than six pairs give ratios, but no judgement.
        engine: where.
        generator_image: the load generator's image.
        cores: the targets' core, and the generator's.
        store: where it is kept.
        progress: told of each pair.
        known: how far an earlier attempt came; its pairs are taken over where they are of the same comparison.

    Raises:
        UsageError: a side has a CPU limit, or the two have other workers, threads or cores.
        SeatrialError: the engine failed. Invalid pairs are kept as such, and are no error here.

    """
    check(plan.a, plan.b, engine)
    # Its generator is one process, which must not wander between cores.
    cores = replace(cores, generator=cores.generator.partition(",")[0])
    done: list[SlicedPair] = []
    conditions = conditions_of(plan, generator_image)
    kept = list(known.pairs) if known and same(plan, known, conditions, cores) else []
    random = Random(plan.seed)  # noqa: S311 - an order, no secret
    repeats = plan.repeats
    index = 1
    while index <= plan.pairs:
        attempt = 1 + sum(one.index == index for one in done)
        seed = random.randrange(1 << 31)
        pair = kept.pop(0) if kept else None
        if pair is None or (pair.index, pair.attempt, pair.seed) != (index, attempt, seed):
            kept.clear()
            progress.step(f"{plan.a.image.variant} | {plan.b.image.variant}: pair {index} of {plan.pairs}")
            order = _order(plan, index, attempt, seed)
            with measuring(progress.step):
                found = judged(order, slicing_pair.run(order, engine, generator_image, cores), plan.id)
            pair = found.pair
            if store is not None:
                _keep(store, found, assembled(plan, [*done, pair], engine, cores, conditions))
        done.append(pair)
        if _hopeless(done, plan.repeats):
            break
        if not pair.valid and repeats:
            repeats -= 1
            continue
        progress.advance()
        index += 1
    return assembled(plan, done, engine, cores, conditions)


def conditions_of(plan: Plan, generator_image: str) -> str:
    """Return the SHA-256 of how both sides are started and asked, the contract in the generator's image included."""
    sides = [
        {
            "run profile": side.run_profile.model_dump(mode="json"),
            "entrypoint": side.entrypoint and list(side.entrypoint),
            "command": side.command and list(side.command),
            "env": dict(side.env),
        }
        for side in (plan.a, plan.b)
    ]
    return fingerprint([*sides, generator_image, plan.warmup_s, plan.repeats, plan.request_timeout_s])


def same(plan: Plan, known: SlicedComparison, conditions: str, cores: Cores) -> bool:
    """Say whether kept pairs are of this very comparison: the same images, started and asked in the same way."""
    mine = (
        [one.image.digest for one in (plan.a, plan.b)], conditions, plan.pairs, plan.seconds, plan.slice_s, plan.seed,
        dict(plan.endpoints), plan.connections, cores,
    )  # fmt: skip
    return mine == (
        [one.image_digest for one in known.sides], known.conditions, known.pairs_wanted, known.seconds,
        known.slice_seconds, known.seed, known.endpoints, known.connections,
        Cores(target=known.target_cpus, generator=known.generator_cpus),
    )  # fmt: skip


def first_of(seed: int, index: int) -> SideName:
    """Return which side of a pair comes first in all that has an order: by chance, and of each two pairs once each.

    Args:
        seed: the comparison's.
        index: the pair's, from 1.

    """
    turned = Random(f"{seed} {(index - 1) // 2}").getrandbits(1)  # noqa: S311 - an order, no secret
    return "b" if (index + turned) % 2 else "a"


def assembled(
    plan: Plan, pairs: Sequence[SlicedPair], engine: Engine, cores: Cores, conditions: str = ""
) -> SlicedComparison:
    """Put the pairs so far together."""
    return SlicedComparison(
        id=plan.id,
        a=described(plan.a, engine),
        b=described(plan.b, engine),
        without_quota=plan.quota_taken_off,
        endpoints=dict(plan.endpoints),
        connections=plan.connections,
        slice_seconds=plan.slice_s,
        seconds=plan.seconds,
        seed=plan.seed,
        target_cpus=cores.target,
        generator_cpus=cores.generator,
        conditions=conditions,
        pairs_wanted=plan.pairs,
        pairs=tuple(pairs),
        request_time=ratio(pairs, lambda pair: measured(pair.log_request_time)),
        throughput=ratio(pairs, lambda pair: measured(pair.log_throughput)),
        throughput_untrimmed=ratio(pairs, by(lambda side: side.throughput_rps)),
        latency_p99=ratio(pairs, by(lambda side: _latency(side, "p99_ms"))),
        cpu_seconds_per_request=ratio(pairs, by(lambda side: side.cpu_seconds_per_request)),
    )


def _order(plan: Plan, index: int, attempt: int, seed: int) -> PairOrder:
    orders = SliceOrders(
        endpoints=dict(plan.endpoints),
        connections=plan.connections,
        slice_s=plan.slice_s,
        warmup_s=plan.warmup_s,
        measure_s=plan.seconds / plan.pairs,
        ready_timeout_s=plan.ready_timeout_s,
        request_timeout_s=plan.request_timeout_s,
    )
    first = first_of(plan.seed, index)
    return PairOrder(a=plan.a, b=plan.b, index=index, attempt=attempt, seed=seed, first=first, orders=orders)


def _keep(store: SliceStore, measured: MeasuredPair, comparison: SlicedComparison) -> None:
    for name, data in measured.histograms.items():
        store.write_histogram(name, data)
    if not measured.pair.valid:
        for name, text in measured.logs.items():
            store.write_log(name, text)
    store.write_sliced(comparison)


def _hopeless(done: Sequence[SlicedPair], repeats: int) -> bool:
    """Say whether more pairs would be a waste: a side answers wrongly, or none of the first ones was valid."""
    wrong = any(one.guard is Guard.CONTRACT_BROKEN for one in done[-1].broken_guards)
    return wrong or (len(done) > repeats and not any(one.valid for one in done))


def _latency(side: SlicedFigures, name: str) -> float | NotMeasured:
    return getattr(side.latency, name) if isinstance(side.latency, Percentiles) else side.latency
