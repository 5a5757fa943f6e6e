"""What benchmarks that take long have in common: command line, engine and images, and results that are kept.

Each comparison is one line of a file in `benchmarks/results/`, written when it ends. A benchmark that is stopped goes
on from the lines that are there for the same images. These come from a run's folder: `seatrial build` makes them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.engine.client import Engine
from harness.engine.find import open_engine
from harness.engine.labels import Role
from harness.errors import SeatrialError, UnreadableOutput
from harness.locks import new_run_id
from harness.model import Image, NotMeasured, Ratio
from loadtests.events import Events
from loadtests.inside.orders import Orders
from loadtests.setting import Cores, Setting, find_cores
from loadtests.trial import SLACK_S, StartContainer
from seatrial.load import generator_image
from seatrial.workspace import built_images, open_workspace

GUNICORN = ("python3", "-m", "gunicorn")
"""How an image that runs gunicorn begins its command."""
FOLDER = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where a benchmark measures, and of what."""

    engine: Engine
    generator_image: str
    cores: Cores
    images: Mapping[str, Image]
    """By variant."""
    share: float
    """Of the comparisons that is wanted: 1.0 is all."""


@contextmanager
def opened(description: str, *variants: str) -> Iterator[Bench]:
    """Read the command line, and give engine and images for the length of a block.

    An error in the block, or before it, ends the program with its message and code.

    Args:
        description: the program's.
        variants: what it measures; where it is one, the command line may name another.

    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--results", type=Path, default=Path("results/latest"), help="a run's folder with the images")
    parser.add_argument("--share", type=float, default=1.0, help="make this share of the comparisons only, for a trial")
    if len(variants) == 1:
        parser.add_argument("--variant", default=variants[0], help="a variant that runs gunicorn")
    words = parser.parse_args()
    chosen = (words.variant,) if len(variants) == 1 else variants
    try:
        workspace = open_workspace(None, words.results, variants=chosen)
        with open_engine(new_run_id(), say=print) as engine:
            images = {image.variant: image for image in built_images(workspace, engine)}
            generator = generator_image(workspace, engine, print)
            cores = find_cores(engine, generator)
            yield Bench(engine=engine, generator_image=generator, cores=cores, images=images, share=words.share)
    except SeatrialError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)


def loaded(bench: Bench, start: StartContainer, orders: Orders, setting: Setting, namespace: str) -> dict[str, Any]:
    """Load a target that is there already by a fresh generator, and return what that summed up.

    The generator waits until the target answers, and examines it before and after, as in any trial.

    Raises:
        UnreadableOutput: the target answers wrongly or not at all, or the generator gave no result.

    """
    generator = start(setting.inside(Role.GENERATOR, "driver", orders, namespace))
    events, result = Events(bench.engine.follow(generator)), None
    while not events.over and (event := events.next(SLACK_S + orders.warmup_s + orders.measure_s)) is not None:
        if event["event"] == "result":
            result, wrong = event, [*event["faults"], *event["failure_examples"]]
        else:
            wrong = [*event.get("wrong", ()), *event.get("unanswered", ())]
        if wrong:
            raise UnreadableOutput(f"The target does not do as it should: {wrong[0]}")
    said = bench.engine.logs(generator, stdout=False)
    bench.engine.remove(generator)
    if result is None:
        raise UnreadableOutput(f"The generator gave no result: {said.strip()[-200:]}")
    return result


class Kept:
    """The lines of one benchmark.

    Args:
        name: of the file, without its ending.
        of: what was measured, such as the image's digest; lines about anything else are left alone, and not counted.

    """

    def __init__(self, name: str, **of: str) -> None:
        self.path = FOLDER / f"{name}.jsonl"
        self._of = of

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return what is there of one kind."""
        if not self.path.exists():
            return []
        found = [json.loads(line) for line in self.path.read_text("utf-8").splitlines() if line.strip()]
        return [one for one in found if one["kind"] == kind and self._of.items() <= one.items()]

    def add(self, kind: str, **what: Any) -> dict[str, Any]:
        """Keep one line, and return it."""
        line = {
            "kind": kind, "at": datetime.now(UTC).isoformat(timespec="seconds"), **self._of,
            "load_average": round(os.getloadavg()[0], 2), **what,
        }  # fmt: skip
        FOLDER.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line


def of_ratio(ratio: Ratio | NotMeasured) -> dict[str, Any]:
    """Return a ratio, ready for JSON."""
    return ratio.model_dump()


def half_width(ratio: dict[str, Any]) -> float | None:
    """Return the half width of a kept ratio's interval."""
    return None if ratio.get("low") is None else (ratio["high"] - ratio["low"]) / 2


def repeat(kept: Kept, kind: str, times: int, make: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Make what is missing of so many comparisons, and return all; `make` takes a seed and returns a line's content."""
    for number in range(len(kept.lines(kind)) + 1, times + 1):
        began = time.monotonic()
        line = kept.add(kind, number=number, **make(seed_of(kind, number)))
        ratio = line.get("request_time") or line.get("ratio") or {}
        half = half_width(ratio)
        shown = f"{value:.4f}" if (value := ratio.get("value")) else "not judged"
        shown += "" if half is None else f" +- {half:.4f}"
        print(f"{kind} {number} of {times}: {shown} ({time.monotonic() - began:.0f} s)", flush=True)
    return kept.lines(kind)[:times]


def seed_of(kind: str, number: int) -> int:
    """Return a comparison's seed."""
    return 1000 * sum(kind.encode()) + number
