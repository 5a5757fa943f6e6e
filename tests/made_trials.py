"""Records of load trials that were never made, for tests that need no engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.model import BrokenGuard, GeneratorUse, Guard, LoadTrial, NotMeasured, Percentiles

BUSY = GeneratorUse(cpu_share=0.5, processes=1, client="c")


def percentiles(p99_ms: float) -> Percentiles:
    return Percentiles(p50_ms=1, p75_ms=1, p90_ms=1, p95_ms=1, p99_ms=p99_ms, p99_9_ms=p99_ms, max_ms=p99_ms, mean_ms=1)


def rate_trial(rate: float = 100.0, p99_ms: float = 10, *, name: str = "a", **changed: Any) -> LoadTrial:
    fields: dict[str, Any] = {
        "id": name, "variant": "a1", "image_digest": "sha256:" + "1" * 64, "round": 1, "attempt": 1,
        "load_profile": "t", "run_profile": "hardened", "model": "open", "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "warmup_seconds": 1, "measured_seconds": 10, "users": 0, "offered_rps": rate, "requests": 1000, "failures": 0,
        "throughput_rps": rate, "latency": percentiles(p99_ms), "endpoints": {}, "histograms": {},
        "resources": NotMeasured(not_measured="a test"), "generator": BUSY, "answers_verified": 1, "target_cpus": "0",
        "generator_cpus": "1",
    }  # fmt: skip
    return LoadTrial(**(fields | changed))


def broke(*guards: Guard) -> dict[str, Any]:
    return {"broken_guards": tuple(BrokenGuard(guard=guard, evidence="seen") for guard in guards)}
