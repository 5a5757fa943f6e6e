"""How long a scan takes: of one image beside syft alone, of all seven cold, and of all seven when nothing changed.

What a user types is what is timed: `seatrial scan`, and `syft docker:IMAGE`, in turn. The caches are folders of this
benchmark's own, so what advisories have to be downloaded is downloaded once, before, and told apart. `cold` has those
downloads and nothing else: no index of them, no bill of materials, no scan. Ends with code 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.bench import Kept
from harness import tools
from harness.engine.client import Engine
from harness.engine.find import open_engine
from harness.errors import SeatrialError
from harness.locks import new_run_id
from harness.model import Image
from harness.process import call
from seatrial.workspace import built_images, open_workspace
from security.advisories.fetching import default_folder

RATIO_BOUND, COLD_BOUND_S, WARM_BOUND_S = 1.5, 30.0, 2.0
PAIRS, COLD, WARM = 9, 5, 9
PAIRED = "slim-gunicorn"
TIMEOUT_S = 900.0


class Command:
    """Runs `seatrial scan` as a user would, on the images of one folder, with caches of its own.

    Args:
        engine: where the images are.
        results: the run's folder that knows them.
        advisories: data in the layout of OSV's dumps.
        cache: the folder of the caches.

    """

    def __init__(self, engine: Engine, results: Path, advisories: Path, cache: Path) -> None:
        self._env = {"DOCKER_HOST": engine.host, "XDG_CACHE_HOME": str(cache)}
        self._advisories = ("--advisories", advisories)
        self._results = results
        self._kept = cache / "seatrial"

    def scan(self, *variants: str, fresh: bool = False) -> float:
        """Scan and return the seconds it took; afterwards the folder knows what it knew before, and the scans."""
        words = ("scan", *variants, "--results", self._results, *self._advisories, *(("--fresh",) if fresh else ()))
        return self._timed([sys.executable, "-m", "seatrial", *words])

    def syft(self, image: Image) -> float:
        """Let syft alone list what is in an image of the engine, and return the seconds it took."""
        program = tools.require("syft", hint="It is in the locked requirements.")
        return self._timed([program, f"docker:{image.reference}", "-q", "-o", "cyclonedx-json"])

    def last_scan(self, variant: str) -> float:
        """Return the seconds that the last scan of an image says of itself."""
        return float(json.loads((self._results / "scans" / f"{variant}.json").read_text("utf-8"))["seconds"])

    def forget(self) -> None:
        """Remove all that is cached but what was downloaded."""
        for name in ("scans", "sboms", "scratch"):
            shutil.rmtree(self._kept / name, ignore_errors=True)
        shutil.rmtree(self._kept / "advisories" / "index", ignore_errors=True)

    def _timed(self, argv: list[str | Path]) -> float:
        began = time.monotonic()
        call(argv, timeout_s=TIMEOUT_S, env={**self._env, "SYFT_CHECK_FOR_APP_UPDATE": "false"})
        return time.monotonic() - began


def main() -> int:
    """Measure what is missing, print, and return 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/latest"), help="a run's folder with all images")
    parser.add_argument("--advisories", type=Path, default=None, help="OSV's dumps; what was fetched by default")
    parser.add_argument("--share", type=float, default=1.0, help="make this share of the measurements, for a trial")
    words = parser.parse_args()
    advisories = (words.advisories or default_folder()).resolve()
    try:
        workspace = open_workspace(None, words.results)
        with (
            open_engine(new_run_id(), say=print) as engine,
            tempfile.TemporaryDirectory(prefix="seatrial-bench-") as cache,
        ):
            images = {image.variant: image for image in built_images(workspace, engine)}
            return _measure(Command(engine, words.results, advisories, Path(cache)), images, words.share)
    except SeatrialError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code


def _measure(command: Command, images: dict[str, Image], share: float) -> int:
    all_of_them = hashlib.sha256("".join(sorted(image.digest for image in images.values())).encode()).hexdigest()
    kept = Kept("scan", images=all_of_them[:16])
    downloads = command.scan()
    kept.add("downloads", seconds=downloads, images_scanned=len(images))
    print(f"the first scan of {len(images)} images, everything downloaded and made: {downloads:.1f} s", flush=True)

    def pair(number: int) -> dict[str, Any]:
        # In turn, the first one first in every other pair: the machine's drift hits both.
        order = ("scan", "syft") if number % 2 else ("syft", "scan")
        seconds: dict[str, float] = {}
        for name in order:
            one = images[PAIRED]
            seconds[name] = command.scan(PAIRED, fresh=True) if name == "scan" else command.syft(one)
        # What the scan itself took, without the start of the program and its reports, stands beside; it is not judged.
        inner = command.last_scan(PAIRED)
        return {"seconds": {**seconds, "within": inner}, "ratio": seconds["scan"] / seconds["syft"]}

    def cold(number: int) -> dict[str, Any]:
        command.forget()
        return {"seconds": command.scan()}

    pairs = _repeat(kept, "one beside syft", _times(PAIRS, share), pair)
    colds = _repeat(kept, "all cold", _times(COLD, share), cold)
    warms = _repeat(kept, "all unchanged", _times(WARM, share), lambda number: {"seconds": command.scan()})
    broken = [
        _told(f"{PAIRED}, scan beside syft alone", [one["ratio"] for one in pairs], RATIO_BOUND, "x"),
        _told(f"{len(images)} images cold", [one["seconds"] for one in colds], COLD_BOUND_S, "s"),
        _told(f"{len(images)} images unchanged", [one["seconds"] for one in warms], WARM_BOUND_S, "s"),
    ]
    return int(any(broken))


def _times(all_of_them: int, share: float) -> int:
    return max(1, round(all_of_them * share))


def _repeat(kept: Kept, kind: str, times: int, make: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Make so many anew: unlike ratios of two images, seconds of another day or machine do not go with these."""
    lines = []
    for number in range(1, times + 1):
        line = kept.add(kind, number=number, cores=os.cpu_count(), **make(number))
        print(f"{kind} {number} of {times}: {line.get('ratio', line['seconds']):.2f}", flush=True)
        lines.append(line)
    return lines


def _told(what: str, values: list[float], bound: float, unit: str) -> bool:
    middle = statistics.median(values)
    spread = f"{min(values):.2f} to {max(values):.2f}"
    verdict = "BROKEN" if middle > bound else "kept"
    print(f"{what}: median {middle:.2f} {unit} ({spread}), bound {bound:g} {unit}: {verdict}", flush=True)
    return middle > bound


if __name__ == "__main__":
    sys.exit(main())
