"""Makes synthetic results for tests: seven variants, invalid trials, gaps, and strings that an attacker would choose.

None of these figures was measured.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import NormalDist

from hdrh.histogram import HdrHistogram

from harness import histograms
from harness.model import (
    Assessment,
    BaseImage,
    BaseSource,
    BrokenGuard,
    Calibration,
    Component,
    EndpointFigures,
    Environment,
    Failed,
    Finding,
    GeneratorUse,
    Guard,
    HealthCheck,
    Image,
    ImageFiles,
    Interpreter,
    Layer,
    LoadTrial,
    NotMeasured,
    Passed,
    Percentiles,
    ResourceUse,
    Results,
    Scan,
    ScanStep,
    Severity,
    Skipped,
    StartTrial,
    StopTrial,
    Variant,
    Waste,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOSTILE = (
    "<script>window.hacked = 1</script>",
    '"><img src="https://evil.example/x.png" onerror="window.hacked = 1">',
    "</script><svg onload='window.hacked = 1'>",
    "javascript:window.hacked=1",
    "{{ 7 * 7 }} {% raw %}",
    "=HYPERLINK(1)",
    "| a | [link](https://evil.example) `tick` <b>bold</b>",
    "[red]markup[/red] [link=https://evil.example]here[/link]",
    "right‮to left\x1b[31m\x07",
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The true figures that one variant's synthetic trials scatter around."""

    mb: float
    start: float
    rps: float
    p50: float
    spread: float
    memory_mb: float
    killed: bool
    findings: tuple[tuple[Severity, int], ...]


SHAPES = {
    "article": Shape(
        mb=139,
        start=1.31,
        rps=1090,
        p50=14.2,
        spread=0.62,
        memory_mb=34,
        killed=True,
        findings=((Severity.HIGH, 2), (Severity.MEDIUM, 3), (Severity.LOW, 2)),
    ),
    "slim-dev": Shape(
        mb=117, start=0.81, rps=1430, p50=10.6, spread=0.55, memory_mb=31, killed=True, findings=((Severity.MEDIUM, 1),)
    ),
    "slim-gunicorn": Shape(
        mb=117, start=0.74, rps=3480, p50=4.4, spread=0.34, memory_mb=52, killed=False, findings=((Severity.LOW, 1),)
    ),
    "alpine-dev": Shape(
        mb=43, start=0.83, rps=1120, p50=13.4, spread=0.57, memory_mb=28, killed=True, findings=((Severity.MEDIUM, 1),)
    ),
    "alpine-gunicorn": Shape(
        mb=43, start=0.79, rps=2650, p50=5.8, spread=0.36, memory_mb=47, killed=False, findings=()
    ),
    "distroless-dev": Shape(
        mb=58, start=0.78, rps=1410, p50=10.8, spread=0.56, memory_mb=30, killed=True, findings=((Severity.MEDIUM, 1),)
    ),
    "distroless-gunicorn": Shape(
        mb=58, start=0.72, rps=3390, p50=4.5, spread=0.35, memory_mb=51, killed=False, findings=()
    ),
}
INVALID = {
    ("alpine-gunicorn", 2): BrokenGuard(
        guard=Guard.LITTLES_LAW, evidence="throughput times mean time gives 4.5 users where there were 8"
    ),
    **{
        ("slim-dev", round_): BrokenGuard(
            guard=Guard.FAILURES, evidence="212 of 9,840 requests failed (2.2%), the limit is 0.1%"
        )
        for round_ in range(1, 40)
    },
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """Synthetic results and the histogram files they name."""

    results: Results
    files: dict[str, bytes]

    @property
    def histogram(self) -> Callable[[str], bytes]:
        """Return what gives the bytes of a histogram file."""
        return self.files.__getitem__


@cache
def make(
    *,
    seed: int = 1,
    rounds: int = 4,
    machine: float = 1.0,
    hostile: bool = False,
    findings: int = 0,
    run_id: str = "20261124-120000-synthetic",
) -> Made:
    """Make a run; made once for the same arguments, since it is frozen.

    Args:
        seed: of the trials' scatter.
        rounds: load trials a variant.
        machine: how much slower the machine is than usual.
        hostile: whether findings, labels and evidence carry markup and scripts.
        findings: this many more findings on the article.
        run_id: the run's name.

    """
    dice = random.Random(seed)
    files: dict[str, bytes] = {}
    drift = [machine * dice.lognormvariate(0, 0.05) for _ in range(rounds)]
    loads = [
        _load_trial(dice, name, shape, round_ + 1, drift[round_], files)
        for round_ in range(rounds)
        for name, shape in SHAPES.items()
    ]
    results = Results(
        run_id=run_id,
        started_at=NOON,
        finished_at=NOON + timedelta(minutes=5, seconds=41),
        load_profile="quick",
        run_profile="hardened",
        seed=seed,
        baseline_variant="article",
        environment=_environment(),
        settings={"bases": "auto", "load_profile": "quick", "run_profile": "hardened"},
        variants=tuple(_variant(name) for name in SHAPES),
        images=tuple(_image(name, shape, hostile) for name, shape in SHAPES.items()),
        start_trials=tuple(
            _start(dice, name, shape, i, machine) for name, shape in SHAPES.items() for i in range(1, 6)
        ),
        stop_trials=tuple(_stop(dice, name, shape, i) for name, shape in SHAPES.items() for i in range(1, 4)),
        load_trials=tuple(loads),
        calibrations=tuple(Calibration(round=i + 1, seconds=0.21 * drift[i]) for i in range(rounds)),
        scans=tuple(_scan(name, shape, hostile, findings) for name, shape in SHAPES.items()),
        verdicts=(),
    )
    return Made(results=results, files=files)


def without(results: Results, variant: str) -> Results:
    """Return results that know a variant and measured nothing of it."""
    return results.model_copy(
        update={
            part: tuple(one for one in getattr(results, part) if one.variant != variant)
            for part in ("images", "start_trials", "stop_trials", "load_trials", "scans")
        }
    )


def digest_of(variant: str) -> str:
    """Return the digest of a variant's synthetic image."""
    return "sha256:" + f"{abs(hash_of(variant)):064x}"[:64]


def hash_of(text: str) -> int:
    """Return a number for a text, the same in every process."""
    return int.from_bytes(text.encode().ljust(24, b"\0")[:24], "big")


def _variant(name: str) -> Variant:
    public = "python:3.7-slim" if name == "article" else f"python:3.13-{name.partition('-')[0]}"
    return Variant(name=name, dockerfile=f"images/{name}.Dockerfile", public_bases={"BASE": public})


def _image(name: str, shape: Shape, hostile: bool) -> Image:
    total = int(shape.mb * 1e6)
    parts = (("base files", 0.66), ("COPY --from=build /venv", 0.31), ("COPY app", 0.03))
    layers = tuple(
        Layer(
            diff_id=f"sha256:{i:064x}",
            size_bytes=int(total * part),
            compressed_bytes=int(total * part * 0.38),
            created_by=HOSTILE[i % 3] if hostile else by,
        )
        for i, (by, part) in enumerate(parts)
    )
    size = sum(layer.size_bytes for layer in layers)
    dev = name.endswith("-dev") or name == "article"
    return Image(
        variant=name,
        reference=f"seatrial/{name}:synthetic",
        digest=digest_of(name),
        created_at=NOON,
        size_bytes=size,
        compressed_bytes=sum(layer.compressed_bytes for layer in layers),
        wheelhouse_bytes=4_812_000 if name == "article" else 0,
        layers=layers,
        build_cold_seconds=NotMeasured(not_measured="the builder's cache could not be left aside")
        if name == "alpine-dev"
        else 8.0 + shape.mb / 20,
        build_cached_seconds=0.8,
        built_in_parallel=2,
        builder="buildkit",
        user="" if name == "article" else "10001",
        entrypoint=(),
        command=("python", "app.py") if dev else ("gunicorn",),
        exposed_ports=("5000/tcp",),
        healthcheck=None if name == "article" else HealthCheck(test=("CMD", "python3", "-I", "health.py")),
        labels={"org.opencontainers.image.title": HOSTILE[1] if hostile else name},
        base=_base(name),
        interpreter=NotMeasured(not_measured="its Python did not start under -I")
        if name == "distroless-dev"
        else _interpreter(name),
    )


def _base(name: str) -> BaseImage:
    base = name.partition("-")[0]
    public = {
        "article": "python:3.7-slim",
        "slim": "python:3.13-slim-trixie",
        "alpine": "python:3.13-alpine3.23",
        "distroless": "gcr.io/distroless/python3-debian13:nonroot",
    }[base]
    stand_in = {
        "article": "Stands in for python:3.7-slim: Debian 11 with Python 3.9.2, where the original has 3.7.",
        "alpine": "Stands in for python:3.13-alpine3.23: its Python is 3.13.2 with LTO, out of a wheel.",
    }.get(base)
    return BaseImage(
        name=base,
        public=public,
        reference=f"seatrial/base-{base}:1",
        digest=digest_of(base),
        source=BaseSource.PACKAGES if stand_in else BaseSource.REGISTRY,
        stand_in_for=stand_in,
        wheelhouse_bytes=4_812_000 if base == "article" else 0,
    )


def _interpreter(name: str) -> Interpreter:
    alpine, article = name.startswith("alpine"), name == "article"
    return Interpreter(
        implementation="CPython",
        version="3.9.2" if article else "3.13.2" if alpine else "3.13.5",
        compiler="GCC 10.2.1" if article else "GCC 14.2.0",
        libc="musl 1.2.5" if alpine else "glibc 2.41",
        config_args="'--with-lto'" if alpine else "'--enable-optimizations' '--with-lto'",
        pgo=not alpine,
        lto=True,
    )


def _start(dice: random.Random, name: str, shape: Shape, index: int, machine: float) -> StartTrial:
    failed = name == "alpine-dev" and index == 3
    return StartTrial(
        id=f"start-{name}-{index}",
        variant=name,
        image_digest=digest_of(name),
        run_profile="hardened",
        index=index,
        started_at=NOON,
        seconds_to_first_answer=NotMeasured(not_measured="no correct answer within 30 seconds")
        if failed
        else shape.start * machine * dice.lognormvariate(0, 0.04),
    )


def _stop(dice: random.Random, name: str, shape: Shape, index: int) -> StopTrial:
    return StopTrial(
        id=f"stop-{name}-{index}",
        variant=name,
        image_digest=digest_of(name),
        run_profile="hardened",
        index=index,
        started_at=NOON,
        timeout_s=10.0,
        seconds=dice.uniform(10.05, 10.11) if shape.killed else dice.uniform(0.24, 0.36),
        exit_code=137 if shape.killed else 0,
        killed=shape.killed,
    )


def _load_trial(
    dice: random.Random, name: str, shape: Shape, round_: int, drift: float, files: dict[str, bytes]
) -> LoadTrial:
    slow = drift * dice.lognormvariate(0, 0.015)
    rps, seconds = shape.rps / slow, 8.0
    requests = int(rps * seconds)
    broken = INVALID.get((name, round_))
    names, endpoints = {}, {}
    for endpoint, share, weight in (("all", 1.0, 1.0), ("GET /", 0.5, 0.8), ("GET /fortunes", 0.5, 1.2)):
        histogram = _histogram(shape.p50 * slow * weight, shape.spread, int(requests * share))
        file = f"load-{name}-{round_}-{endpoint.strip('GET /') or 'root'}.hdr"
        files[file] = histograms.encode(histogram)
        names[endpoint] = file
        figures = histograms.percentiles(histogram)
        if endpoint == "all":
            latency = figures
        else:
            endpoints[endpoint] = EndpointFigures(
                requests=int(requests * share), failures=0, throughput_rps=rps * share, latency=figures
            )
    assert isinstance(latency, Percentiles)
    return LoadTrial(
        id=f"load-{name}-{round_}",
        variant=name,
        image_digest=digest_of(name),
        round=round_,
        attempt=1,
        load_profile="quick",
        run_profile="hardened",
        model="closed",
        started_at=NOON,
        warmup_seconds=2.0,
        measured_seconds=seconds,
        users=16,
        requests=requests,
        failures=212 if broken and broken.guard is Guard.FAILURES else 0,
        throughput_rps=rps,
        latency=latency,
        endpoints=endpoints,
        histograms=names,
        resources=ResourceUse(
            cpu_seconds=7.9,
            cpu_seconds_per_request=0.98 / rps,
            cpu_share=0.98,
            throttled_seconds=0.0,
            memory_samples=32,
            anonymous_memory_bytes=int(shape.memory_mb * 1e6 * dice.lognormvariate(0, 0.01)),
            peak_memory_bytes=int(shape.memory_mb * 1.4e6)
            if name != "slim-gunicorn"
            else NotMeasured(not_measured="this engine's API gives no peak on cgroup v2"),
        ),
        generator=GeneratorUse(cpu_share=0.66, processes=1, client="FastHttpUser"),
        answers_verified=240,
        broken_guards=(broken,) if broken else (),
        target_cpus="0",
        generator_cpus="1",
    )


def _histogram(p50_ms: float, spread: float, requests: int) -> HdrHistogram:
    """Fill a histogram from the quantiles of a log-normal distribution."""
    histogram, steps = histograms.new(), 120
    normal = NormalDist()
    for step in range(steps):
        at = (step + 0.5) / steps
        value = p50_ms * 1000 * pow(2.718281828, spread * normal.inv_cdf(at))
        histograms.record(histogram, value, max(requests // steps, 1))
    return histogram


def _scan(name: str, shape: Shape, hostile: bool, extra: int) -> Scan:
    found = [
        _finding(name, f"{severity.value} finding {i}", severity, f"SYN-{severity.rank}.{i}")
        for severity, count in shape.findings
        for i in range(1, count + 1)
    ]
    if hostile and name == "article":
        found += [_finding(name, text, Severity.CRITICAL, f"EVIL-{i}") for i, text in enumerate(HOSTILE)]
    if name == "article":
        found += [_finding(name, f"One of many, {i}", Severity.LOW, f"MANY-{i}") for i in range(extra)]
    steps = (
        ScanStep(name="syft", version="1.18.1", outcome=Passed(), seconds=2.1),
        ScanStep(
            name="hadolint",
            version="2.15.1",
            outcome=Failed(evidence=("line 4: DL3042",)) if name == "article" else Passed(),
            seconds=0.1,
        ),
        ScanStep(
            name="trivy",
            version="",
            outcome=Skipped(reason="trivy is not installed") if name == "slim-gunicorn" else Passed(),
            seconds=0.0,
        ),
    )
    components = tuple(
        Component(
            variant=name, name=f"package{i}", version="1.0", purl=f"pkg:deb/debian/package{i}@1.0", type="library"
        )
        for i in range(6)
    )
    return Scan(
        variant=name,
        image_digest=digest_of(name),
        scanned_at=NOON,
        seconds=2.3,
        steps=steps,
        findings=tuple(found),
        components=components,
        assessments=(
            Assessment(ecosystem="Debian", assessed_by=None, as_of=None, reason="no advisories were at hand"),
            Assessment(ecosystem="PyPI", assessed_by="OSV", as_of="2026-11-20", reason=""),
        ),
        sbom=f"sbom/{name}.cdx.json",
        files=ImageFiles(
            number=3000,
            efficiency=0.97,
            wasted_bytes=120_000,
            most_wasted=(Waste(path="var/lib/dpkg/status", bytes=100_000, copies=2),),
            setuid=("usr/bin/su",) if name == "article" else (),
            listing=f"files/{name}.files.gz",
        ),
        configuration={"user": "root" if name == "article" else "10001", "environment LANG": "C.UTF-8"},
    )


def _finding(variant: str, title: str, severity: Severity, identifier: str) -> Finding:
    return Finding(
        id=identifier,
        title=title,
        severity=severity,
        variant=variant,
        where=f"images/{variant}.Dockerfile:4",
        evidence=f"Synthetic evidence for {title}",
        remediation=f"Mend {title}.",
        sources=("synthetic",),
    )


def _environment() -> Environment:
    return Environment(
        seatrial_version="0.1.0",
        python="3.11.2",
        engine="docker",
        engine_version="20.10.24",
        engine_api="1.41",
        engine_source="running",
        storage_driver="overlay2",
        cgroup_version="1",
        architecture="x86_64",
        kernel="6.1.0",
        operating_system="Debian GNU/Linux 12 (bookworm)",
        cores=2,
        memory_bytes=8_000_000_000,
        tools={"syft": "1.18.1", "hadolint": "2.15.1"},
    )
