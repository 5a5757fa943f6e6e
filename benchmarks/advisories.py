"""How fast advisories are looked up: a fresh index of 20,000 records, and a warm lookup of one image's components.

Its data is PyPI's, from a folder in the layout of OSV's dumps (`--advisories`; by default what `seatrial advisories
update` fetched): the records are copied under other names until there are 20,000. The image's packages are the ten with
the most records, and others evenly chosen: more than any real image has of either. Ends with code 1 where the bound is
broken.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

from benchmarks.bench import Kept
from harness.errors import UsageError
from harness.model import Component
from security.advisories import assess
from security.advisories.fetching import default_folder
from security.advisories.osv import OsvSource

RECORDS = 20_000
PACKAGES = 150
HEAVY = 10
REPEATS = 9
BOUND_S = 0.3


def main() -> int:
    """Measure, print, and return 1 where a warm lookup took longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--advisories", type=Path, default=None, help="OSV's dumps; what was fetched by default")
    folder: Path = parser.parse_args().advisories or default_folder()
    if not (folder / "PyPI" / "all.zip").is_file():
        print(f"error: {folder} holds no PyPI/all.zip.\nhint: Run `seatrial advisories update`.", file=sys.stderr)
        return UsageError.exit_code
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as name:
        data = Path(name)
        components = _make(folder / "PyPI" / "all.zip", data)
        source = OsvSource(data, index_folder=data / "index")
        cold, count = _timed(components, source)
        warm = [_timed(components, source)[0] for _ in range(REPEATS)]
        index = sum(path.stat().st_size for path in (data / "index").glob("*.sqlite"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    middle = statistics.median(warm)
    Kept("advisories", records=str(RECORDS)).add(
        "lookup", packages=len(components), vulnerabilities=count, first_s=cold, warm_s=warm, index_mb=index / 1e6,
        peak_mb=peak,
    )  # fmt: skip
    print(f"{RECORDS} records, {len(components)} packages of one image, {count} vulnerabilities")
    print(f"first lookup, index made: {cold:.2f} s; index {index / 1e6:.1f} MB; peak memory {peak:.0f} MB")
    verdict = "BROKEN" if middle > BOUND_S else "kept"
    print(f"warm lookup, median of {REPEATS}: {middle:.3f} s, bound {BOUND_S} s: {verdict}")
    return int(middle > BOUND_S)


def _timed(components: list[Component], source: OsvSource) -> tuple[float, int]:
    start = time.perf_counter()
    vulnerabilities, (said,) = assess(components, sources=[source])
    seconds = time.perf_counter() - start
    assert said.assessed_by == "osv"
    assert vulnerabilities
    return seconds, len(vulnerabilities)


def _make(dump: Path, folder: Path) -> list[Component]:
    """Write 20,000 records from a dump, and return the components of one image."""
    with zipfile.ZipFile(dump) as archive:
        records = [json.loads(archive.read(name)) for name in archive.namelist()]
    (folder / "PyPI").mkdir()
    counted: Counter[str] = Counter()
    versions: dict[str, str] = {}
    with zipfile.ZipFile(folder / "PyPI" / "all.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, record in enumerate(itertools.islice(itertools.cycle(records), RECORDS)):
            copy = number // len(records)
            for affected in record["affected"]:
                name = affected["package"]["name"].partition("---")[0]
                affected["package"]["name"] = f"{name}---{copy}"
                counted[f"{name}---{copy}"] += 1
                if affected.get("versions"):
                    versions.setdefault(f"{name}---{copy}", affected["versions"][-1])
            archive.writestr(f"{number}.json", json.dumps({**record, "id": f"{record['id']}-{copy}"}))
    ranked = [name for name, _ in counted.most_common() if name in versions and name.endswith("---0")]
    chosen = ranked[:HEAVY] + ranked[HEAVY :: len(ranked) // (PACKAGES - HEAVY)][: PACKAGES - HEAVY]
    return [
        Component(
            variant="slim-dev",
            name=name,
            version=versions[name],
            purl=f"pkg:pypi/{name}@{versions[name]}",
            type="library",
        )
        for name in chosen
    ]


if __name__ == "__main__":
    sys.exit(main())
