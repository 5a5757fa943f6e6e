"""What the benchmarks of the sliced comparison have in common: the two sides, planted slowdowns, what is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import GUNICORN, half_width, of_ratio, opened
from harness.engine import run_profiles
from harness.engine.client import ContainerSpec, Engine
from harness.errors import UsageError
from harness.model import Image, LoadTrial, NotMeasured, Ratio, SlicedComparison
from harness.statistics import paired_ratio
from loadtests import slices, trial
from loadtests.judging import Order
from loadtests.load_profile import LoadProfile
from loadtests.setting import Cores, Setting
from loadtests.slicing_sides import Side

TURNS = "PLANTED_TURNS"
PLANTER = f"""
import importlib, os, sys
sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[-1].partition(":")
turns = int(os.environ["{TURNS}"])
inner = getattr(importlib.import_module(module), name)
def planted(environ, start_response):
    for _ in range(turns):
        pass
    return inner(environ, start_response)
setattr(sys.modules[module], name, planted)
sys.argv[0] = "gunicorn"
from gunicorn.app.wsgiapp import run
run()
"""
"""Runs gunicorn as the image does, with so many turns of an empty loop before each request; on side A none."""


class Quiet:
    """Shows nothing."""

    def step(self, what: str) -> None:
        """Show nothing."""

    def advance(self, steps: int = 1) -> None:
        """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the comparisons are made, and of what."""

    engine: Engine
    generator_image: str
    cores: Cores
    image: Image

    def side(self, turns: int, *, cpus: float | None = None) -> Side:
        """Return the variant with so many turns planted; its run profile's CPU limit is off, or this one."""
        profile = run_profiles.without_quota(run_profiles.load("hardened")).model_copy(update={"restart": "no"})
        return Side(
            image=self.image,
            run_profile=profile.model_copy(update={"cpus": cpus}),
            entrypoint=["python3", "-c", PLANTER],
            command=[*self.image.entrypoint[len(GUNICORN) :], *self.image.command],
            env={TURNS: str(turns), "WEB_CONCURRENCY": "1", "THREADS": "8"},
        )

    def sliced(self, a: Side, b: Side, *, seed: int, pairs: int, seconds: float) -> SlicedComparison:
        """Compare two sides by slices."""
        plan = slices.Plan(id="bench", a=a, b=b, seed=seed, pairs=pairs, seconds=seconds, quota_taken_off=True)
        return slices.compare(
            plan, engine=self.engine, generator_image=self.generator_image, cores=self.cores, store=None,
            progress=Quiet(),
        )  # fmt: skip

    def rounds(self, a: Side, b: Side, *, seed: int, rounds: int, seconds: float, users: int) -> Ratio | NotMeasured:
        """Compare two sides by interleaved rounds of closed load; the ratio is of time a request, as the slices' is."""
        # A core that others use too is what the two methods are compared on, so it makes no round invalid here.
        profile = LoadProfile(name="rounds", title="rounds", users=users, warmup_s=1.0, measure_s=seconds,
                              journeys={"hello": 1}, foreign_share_max=1.0)  # fmt: skip
        found: dict[str, dict[int, float]] = {"a": {}, "b": {}}
        for round_ in range(1, rounds + 1):
            for name in ("a", "b") if (seed + round_) % 2 else ("b", "a"):
                setting = _OfSide(
                    run_profile=(a if name == "a" else b).run_profile, load_profile=profile,
                    generator_image=self.generator_image, cores=self.cores, side=a if name == "a" else b,
                )  # fmt: skip
                order = Order(image=self.image, model="closed", round=round_, attempt=1, seed=seed + round_)
                one: LoadTrial = trial.run(order, setting, self.engine).trial
                if one.valid:
                    found[name][round_] = 1 / one.throughput_rps
        if not found["a"].keys() & found["b"].keys():
            return NotMeasured(not_measured="no round was valid on both sides")
        return paired_ratio(found["b"], found["a"])


@dataclass(frozen=True, kw_only=True)
class _OfSide(Setting):
    """A trial's setting whose target is a side of a sliced comparison."""

    side: Side

    def target(self, image: Image, namespace: str) -> ContainerSpec:
        return self.side.spec(namespace, self.cores)


def figures(found: SlicedComparison) -> dict[str, Any]:
    """Return what a line keeps of a comparison."""
    names = ("request_time", "throughput", "throughput_untrimmed", "cpu_seconds_per_request")
    return {name: of_ratio(getattr(found, name)) for name in names} | {
        "pairs": [pair.log_request_time for pair in found.pairs if pair.valid],
        "invalid": [one.evidence for pair in found.pairs for one in pair.broken_guards],
        "measured_seconds": round(sum(pair.measured_seconds for pair in found.pairs), 1),
    }


def summary(lines: Sequence[dict[str, Any]], what: str, figure: str = "request_time") -> tuple[int, float | None]:
    """Print and return how many comparisons called a difference, and the median half width."""
    judged = [one[figure] for one in lines if one[figure].get("significant") is not None]
    calls = sum(one["significant"] for one in judged)
    halves = sorted(half for one in judged if (half := half_width(one)) is not None)
    middle = halves[len(halves) // 2] if halves else None
    widths = f"half width: median {middle:.2%}, largest {halves[-1]:.2%}" if middle is not None else "no half width"
    narrow = sum(half <= 0.01 for half in halves)
    unjudged = f"; {len(lines) - len(judged)} without judgement" if len(judged) < len(lines) else ""
    print(f"{what}: called in {calls} of {len(judged)}; {widths}; 1% or less in {narrow}{unjudged}")
    return calls, middle


@contextmanager
def place(description: str) -> Iterator[tuple[Place, float]]:
    """Give the place for the length of a block, and the share of the comparisons that is wanted; see `opened`."""
    with opened(description, "slim-gunicorn") as bench:
        (image,) = bench.images.values()
        if image.entrypoint[: len(GUNICORN)] != GUNICORN:
            raise UsageError(f"{image.variant} does not begin with {' '.join(GUNICORN)}.", "Name one that does.")
        yield (
            Place(engine=bench.engine, generator_image=bench.generator_image, cores=bench.cores, image=image),
            bench.share,
        )
