"""The open model against arithmetic: response times under a planted stall, and the rate that is held.

A server that answers one request after the other stalls for 200 ms every so many requests. What each request then
waits follows from when it was due (Lindley's recursion), and nothing is left to the server's own pace but the short
time that it takes without a stall, which is measured first.

Bounds: mean, p90, p95 and p99 of the recorded response times are within 5% of the arithmetic; the rate is within 0.5%
of what was asked for wherever the generator's core was not used up. `python -m benchmarks.stall`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

from benchmarks.bench import GUNICORN, Bench, Kept, loaded, opened, repeat
from harness import histograms
from harness.engine import run_profiles
from harness.engine.client import ContainerSpec
from harness.errors import UnreadableOutput
from harness.model import Image, NotMeasured, Percentiles
from loadtests.guards import RATE_TOLERANCE, SATURATED_SHARE
from loadtests.judging import Order
from loadtests.load_profile import LoadProfile
from loadtests.questions import with_arguments
from loadtests.setting import Setting
from loadtests.trial import containers, orders_of

VARIANT = "slim-gunicorn"
STALL_S = 0.2
EVERY = "STALL_EVERY"
PLANTER = f"""
import importlib, os, sys, time
sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[-1].partition(":")
every, asked = int(os.environ["{EVERY}"]), 0
inner = getattr(importlib.import_module(module), name)
def planted(environ, start_response):
    global asked
    asked += 1
    if every and asked % every == 0:
        time.sleep({STALL_S})
    return inner(environ, start_response)
setattr(sys.modules[module], name, planted)
sys.argv[0] = "gunicorn"
from gunicorn.app.wsgiapp import run
run()
"""
"""Runs gunicorn as the image does, with a stall before every so many requests; with 0 there is none."""
SERIAL = "-k sync --workers 1 --threads 1"
THREADED = "-k gthread --workers 1 --threads 8"
TRIALS, RATE, STALL_EVERY, SECONDS = 8, 100.0, 100, 20.0
TOLERANCE = 0.05
FIGURES = ("mean_ms", "p90_ms", "p95_ms", "p99_ms")
RATES = (100.0, 500.0, 1500.0, 3000.0)
HELD_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class _Planted(Setting):
    """A setting whose target stalls."""

    command: Sequence[str]
    every: int

    def target(self, image: Image, namespace: str) -> ContainerSpec:
        plain = super().target(image, namespace)
        env = {**plain.env, EVERY: str(self.every)}
        return replace(plain, entrypoint=["python3", "-c", PLANTER], command=list(self.command), env=env)


def main() -> int:
    """Measure what is missing, print, and return 1 where a bound is broken."""
    with opened(__doc__ or "", VARIANT) as bench:
        (image,) = bench.images.values()
        kept = Kept("stall", image_digest=image.digest, generator=bench.generator_image)
        stalls = repeat(kept, "stall", max(1, round(TRIALS * bench.share)), lambda seed: one_stall(bench, image, seed))
        rates = [
            (rate, line)
            for rate in RATES
            for line in repeat(
                kept, f"{rate:g} a second", max(1, round(4 * bench.share)), partial(one_rate, bench, image, rate)
            )
        ]
    broken = [not _stalls_told(stalls), *(not _rate_told(rate, line) for rate, line in rates)]
    print(f"bounds: {'BROKEN' if any(broken) else 'kept'}")
    return int(any(broken))


def expected_ms(rate: float, every: int, service_s: float, requests: int) -> list[float]:
    """Return the response times, in milliseconds, of requests to a server that does one after the other.

    Lindley (1952): a request waits for what the one before it still had to wait and take when it was due itself.

    Args:
        rate: requests a second, evenly due.
        every: how many requests there are from one stall to the next.
        service_s: what a request takes without a stall.
        requests: how many.

    """
    found, waited = [], 0.0
    for number in range(1, requests + 1):
        took = waited + service_s + (STALL_S if number % every == 0 else 0.0)
        found.append(took * 1e3)
        waited = max(0.0, took - 1 / rate)
    return found


def one_stall(bench: Bench, image: Image, seed: int) -> dict[str, Any]:
    """Measure the server without a stall and with it; return what was recorded, and what arithmetic says."""
    plain = _recorded(_result(bench, image, SERIAL, 0, RATE, SECONDS / 2, seed))
    recorded = _recorded(_result(bench, image, SERIAL, STALL_EVERY, RATE, SECONDS, seed))
    due = _percentiles(expected_ms(RATE, STALL_EVERY, plain.p50_ms / 1e3, round(RATE * SECONDS)))
    ratios = {name: getattr(recorded, name) / getattr(due, name) for name in FIGURES}
    return {
        "ratio": {"value": ratios["mean_ms"]}, "ratios": ratios, "service_ms": plain.p50_ms, "rate": RATE,
        "stall_s": STALL_S, "every": STALL_EVERY, "seconds": SECONDS, "recorded": recorded.model_dump(),
        "expected": due.model_dump(),
    }  # fmt: skip


def one_rate(bench: Bench, image: Image, rate: float, seed: int) -> dict[str, Any]:
    """Offer a rate; return what was sent of it, and how busy that made the generator."""
    result = _result(bench, image, THREADED, 0, rate, HELD_SECONDS, seed)
    return {
        "ratio": {"value": result["sent"] / result["window_s"] / rate}, "due": result["due"], "sent": result["sent"],
        "generator_cpu_share": result["cpu_seconds"] / result["window_s"], "seconds": HELD_SECONDS,
    }  # fmt: skip


def _result(
    bench: Bench, image: Image, arguments: str, every: int, rate: float, seconds: float, seed: int
) -> dict[str, Any]:
    profile = run_profiles.without_quota(run_profiles.load("hardened")).model_copy(update={"restart": "no"})
    load = LoadProfile(name="open", title="open", rate=rate, measure_s=seconds, journeys={"hello": 1})
    planted = _Planted(
        run_profile=profile, load_profile=load, generator_image=bench.generator_image, cores=bench.cores, every=every,
        command=[*image.entrypoint[len(GUNICORN) :], *image.command],
    )  # fmt: skip
    setting = with_arguments(planted, arguments)
    order = Order(image=image, model="open", round=1, attempt=1, seed=seed)
    with containers(bench.engine) as start:
        namespace = f"container:{start(setting.pause()).id}"
        start(setting.target(image, namespace))
        return loaded(bench, start, orders_of(order, setting), setting, namespace)


def _recorded(result: dict[str, Any]) -> Percentiles:
    encoded = [one["latency"].encode("ascii") for one in result["endpoints"].values()]
    return _known(histograms.percentiles(histograms.merge(histograms.decode(one) for one in encoded)))


def _percentiles(latencies_ms: Sequence[float]) -> Percentiles:
    histogram = histograms.new()
    for one in latencies_ms:
        histograms.record(histogram, one * 1e3)
    return _known(histograms.percentiles(histogram))


def _known(found: Percentiles | NotMeasured) -> Percentiles:
    if isinstance(found, NotMeasured):
        raise UnreadableOutput(f"Nothing was measured: {found.not_measured}.")
    return found


def _stalls_told(lines: Sequence[dict[str, Any]]) -> bool:
    """Print the ratios of what was recorded to what was due, and return whether they are within the bound."""
    middle = {name: median(line["ratios"][name] for line in lines) for name in FIGURES}
    shown = ", ".join(f"{name.removesuffix('_ms')} {ratio:.3f}" for name, ratio in middle.items())
    print(f"stalls of {STALL_S:g} s, recorded over arithmetic, median of {len(lines)}: {shown}")
    return all(abs(ratio - 1) <= TOLERANCE for ratio in middle.values())


def _rate_told(rate: float, line: dict[str, Any]) -> bool:
    """Print what was held of a rate, and return whether that is within the bound."""
    held, share = float(line["ratio"]["value"]), float(line["generator_cpu_share"])
    print(f"{rate:g} a second: {held:.4f} of it sent; the generator used {share:.0%} of its core")
    return abs(held - 1) <= RATE_TOLERANCE or share > SATURATED_SHARE


if __name__ == "__main__":
    sys.exit(main())
