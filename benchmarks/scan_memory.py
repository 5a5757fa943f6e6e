"""How much memory the scan of a 1 GB image takes: at most 500 MB, Seatrial and syft together.

The image is made: 1 GB in programs, sources, package databases and Python packages, imported as a stream and removed
afterwards. The scan runs in a process of its own, which tells its peak and that of its largest child. These two need
not fall together, so their sum is the most that it can have been. Ends with code 1 where the bound is broken.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.bench import Kept
from harness.engine.client import Engine
from harness.engine.find import open_engine
from harness.errors import SeatrialError
from harness.locks import new_run_id
from harness.model import BaseImage, BaseSource, Image, Layer, NotMeasured
from harness.process import call
from security import advisories as known
from security.scan import scan_image

BOUND_MB = 500
IMAGE_BYTES = 1_000_000_000
LIBRARY_BYTES = 50_000_000
SOURCE_BYTES = 40_000
SOURCES = 12_000
PACKAGES, PYTHON_PACKAGES = 400, 120
TAG = "seatrial-bench-memory:1"
OS_RELEASE = b'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'
TIMEOUT_S = 900.0


def main() -> int:
    """Measure, print, and return 1 where the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--advisories", type=Path, default=None, help="OSV's dumps; what was fetched by default")
    parser.add_argument("--child", action="store_true", help="scan the image that is there, and tell the peaks in JSON")
    words = parser.parse_args()
    try:
        with open_engine(new_run_id(), say=lambda line: print(line, file=sys.stderr)) as engine:
            if words.child:
                print(json.dumps(_scan(engine, words.advisories)))
                return 0
            return _measure(engine, words.advisories)
    except SeatrialError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code


def _measure(engine: Engine, advisories: Path | None) -> int:
    repository, _, tag = TAG.rpartition(":")
    engine.api.import_image_from_data(_archive(), repository=repository, tag=tag, changes=["USER 10001"])
    try:
        argv: list[str | Path] = [sys.executable, "-m", "benchmarks.scan_memory", "--child"]
        argv += ["--advisories", advisories.resolve()] if advisories else []
        said = json.loads(call(argv, timeout_s=TIMEOUT_S, env={"DOCKER_HOST": engine.host}).stdout)
    finally:
        engine.remove_image(TAG)
    total = said["own_mb"] + said["child_mb"]
    Kept("scan", images="made, 1 GB").add("memory", **said, total_mb=total)
    verdict = "BROKEN" if total >= BOUND_MB else "kept"
    print(f"image of {said['image_mb']} MB, {said['components']} components, scanned in {said['seconds']:.1f} s")
    print(
        f"peak memory {total} MB at most: {said['own_mb']} MB own, {said['child_mb']} MB syft; "
        f"bound {BOUND_MB} MB: {verdict}"
    )
    return int(total >= BOUND_MB)


def _scan(engine: Engine, advisories: Path | None) -> dict[str, float]:
    inspected = engine.image(TAG) or {}
    sources = known.default_sources(advisories=advisories, refresh=False)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as folder:
        path = Path(folder) / "Dockerfile"
        path.write_text("FROM scratch\nCOPY . /\nUSER 10001\n", "utf-8")
        found = scan_image(
            _record(inspected), dockerfile=path, engine=engine, sbom_dir=Path(folder), use_cache=False,
            assess=lambda components, *, os_release, sbom: known.assess(
                components, os_release=os_release, sources=sources, sbom=sbom),
        )  # fmt: skip
    if isinstance(found.components, NotMeasured) or len(found.components) < PACKAGES + PYTHON_PACKAGES:
        raise SeatrialError("The scan did not find the packages that were put into the image.", str(found.components))
    peaks = {
        name: resource.getrusage(who).ru_maxrss // 1024
        for name, who in (("own_mb", resource.RUSAGE_SELF), ("child_mb", resource.RUSAGE_CHILDREN))
    }
    return {
        "image_mb": inspected["Size"] // 1_000_000, "components": len(found.components),
        "seconds": time.monotonic() - began, **peaks,
    }  # fmt: skip


def _record(inspected: dict[str, object]) -> Image:
    unknown = NotMeasured(not_measured="the image was made for a benchmark")
    rootfs = inspected["RootFS"]
    assert isinstance(rootfs, dict)
    return Image.model_validate({
        "variant": "made", "reference": TAG, "digest": inspected["Id"], "created_at": "2026-01-01T00:00:00Z",
        "size_bytes": inspected["Size"], "compressed_bytes": 1, "wheelhouse_bytes": 0,
        "layers": [Layer(diff_id=one, size_bytes=1, compressed_bytes=1, created_by="") for one in rootfs["Layers"]],
        "build_cold_seconds": unknown, "build_cached_seconds": unknown, "built_in_parallel": 1, "builder": "classic",
        "user": "10001", "entrypoint": (), "command": (), "exposed_ports": (), "healthcheck": None, "labels": {},
        "base": BaseImage(name="made", public="scratch", reference="scratch", digest="", source=BaseSource.PACKAGES),
        "interpreter": unknown,
    })  # fmt: skip


def _archive() -> Iterator[bytes]:
    """Yield the tar stream of a file system of 1 GB, a file at a time; the same every time."""
    random = Random(1)  # noqa: S311 - no secret is made of it
    yield from _file("etc/os-release", OS_RELEASE)
    status = "".join(
        f"Package: made{number}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.{number}-1\n"
        f"Maintainer: Nobody <nobody@example.org>\nDescription: made\n\n"
        for number in range(PACKAGES)
    )
    yield from _file("var/lib/dpkg/status", status.encode())
    for number in range(PYTHON_PACKAGES):
        name = f"usr/local/lib/python3.13/site-packages/made_{number}-1.0.dist-info"
        yield from _file(f"{name}/METADATA", f"Metadata-Version: 2.1\nName: made-{number}\nVersion: 1.0\n".encode())
        yield from _file(f"{name}/RECORD", b"")
    words = [f"name_{number} = call({number}, key='value')  # a line as sources have it\n" for number in range(500)]
    for number in range(SOURCES):
        text = "".join(random.choices(words, k=SOURCE_BYTES // 60)).encode()
        yield from _file(f"usr/local/lib/python3.13/site-packages/made_{number % PYTHON_PACKAGES}/m{number}.py", text)
    left = IMAGE_BYTES - SOURCES * SOURCE_BYTES
    for number in range(left // LIBRARY_BYTES):
        yield from _file(f"usr/lib/libmade{number}.so", b"\x7fELF" + random.randbytes(LIBRARY_BYTES - 4), mode=0o755)
    yield b"\0" * 1024


def _file(name: str, data: bytes, *, mode: int = 0o644) -> Iterator[bytes]:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    yield member.tobuf(tarfile.USTAR_FORMAT)
    for start in range(0, len(data), 1 << 20):
        yield data[start : start + (1 << 20)]
    yield b"\0" * (-len(data) % 512)


if __name__ == "__main__":
    sys.exit(main())
