"""From what was seen of a trial to its figures, or to the guards that it broke. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hdrh.histogram import HdrHistogram

from harness import histograms
from harness.model import (
    BrokenGuard,
    EndpointFigures,
    GeneratorUse,
    Guard,
    Image,
    LoadTrial,
    MemorySample,
    NotMeasured,
    Percentiles,
    ResourceUse,
)
from loadtests import guards
from loadtests.guards import Observed
from loadtests.seen import Seen, memory, resources
from loadtests.setting import Setting

ALL = "all"
EXAMINATIONS = {
    "ready": "waiting for the first answer",
    "before": "before the load",
    "after": "after the load",
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """Which trial: of what, under which model, in which round, for which time."""

    image: Image
    model: Literal["closed", "open"]
    round: int
    attempt: int
    seed: int

    @property
    def id(self) -> str:
        """The trial's name, unique in a run."""
        return f"load-{self.image.variant}-{self.model}-r{self.round}-a{self.attempt}"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A trial, its histograms by file name, and what the target printed."""

    trial: LoadTrial
    histograms: Mapping[str, bytes]
    log: str
    memory: tuple[MemorySample, ...] = ()
    """The target's anonymous memory within the measured window."""


def judged(order: Order, setting: Setting, seen: Seen, *, started_at: datetime) -> Measured:
    """Return a trial's figures and the guards that it broke; one that broke the contract has no figures at all."""
    result = seen.result
    broken = guards.broken(observed(order, setting, seen))
    withheld = _withheld(seen, broken)
    endpoints = {} if withheld else result["endpoints"]
    found = {name: _histogram(one["latency"], order.id) for name, one in endpoints.items()}
    total = histograms.merge(found.values())
    service = histograms.merge(_histogram(one["service"], order.id) for one in endpoints.values() if one["service"])
    used = NotMeasured(not_measured=withheld) if withheld else resources(seen, _rate(result))
    window_s = float(result.get("window_s", 0.0))
    requests = sum(int(one["requests"]) for one in endpoints.values())
    failures = sum(int(one["failures"]) for one in endpoints.values())
    files = _files(order, found) if found else {}
    kept = {ALL: total} | found
    if files and order.model == "open":
        files[histograms.SERVICE], kept[histograms.SERVICE] = f"{order.id}-service.hdr", service
    no_latency = NotMeasured(not_measured=withheld or "no request ended in the measured time")
    trial = LoadTrial(
        id=order.id,
        variant=order.image.variant,
        image_digest=order.image.digest,
        round=order.round,
        attempt=order.attempt,
        load_profile=setting.load_profile.name,
        run_profile=setting.run_profile.name,
        model=order.model,
        started_at=started_at,
        warmup_seconds=setting.load_profile.warmup_s,
        measured_seconds=window_s,
        users=setting.load_profile.users or 0 if order.model == "closed" else 0,
        offered_rps=setting.load_profile.rate if order.model == "open" else None,
        requests=requests,
        failures=failures,
        throughput_rps=(requests - failures) / window_s if window_s else 0.0,
        latency=_percentiles(total, no_latency),
        service_latency=_percentiles(service, no_latency) if order.model == "open" else None,
        endpoints={
            name: EndpointFigures(
                requests=one["requests"],
                failures=one["failures"],
                throughput_rps=(one["requests"] - one["failures"]) / window_s,
                latency=_percentiles(found[name], NotMeasured(not_measured="no request of it succeeded")),
            )
            for name, one in endpoints.items()
        },
        histograms=files,
        resources=used,
        generator=_generator(setting, result),
        foreign_cpu_share=_foreign(setting, result, used),
        answers_verified=sum(int(seen.events.get(name, {}).get("verified", 0)) for name in EXAMINATIONS)
        + int(result.get("verified", 0)),
        broken_guards=broken,
        target_cpus=setting.cores.target,
        generator_cpus=setting.cores.generator,
        user=seen.state.user if seen.state else None,
    )
    encoded = {files[name]: histograms.encode(one) for name, one in kept.items()} if files else {}
    return Measured(trial=trial, histograms=encoded, log=seen.log, memory=memory(seen))


def observed(order: Order, setting: Setting, seen: Seen) -> Observed:
    """Return a trial's facts, as the guards judge them."""
    result = seen.result
    endpoints = list(result.get("endpoints", {}).values())
    asked = [(when, seen.events[name]) for name, when in EXAMINATIONS.items() if name in seen.events]
    wrong = [f"under load: {fault}" for fault in result.get("faults", ())]
    wrong += [f"{when}: {fault}" for when, one in asked for fault in one["wrong"]]
    used = resources(seen, None)
    share_used = _share(used)
    state = seen.state
    share = _generator(setting, result)
    foreign = _foreign(setting, result, used) if result else None
    return Observed(
        model=order.model,
        running=state is None or state.running,
        exit_code=state.exit_code if state else 0,
        restarts=state.restarts if state else 0,
        oom_killed=state is not None and state.oom_killed,
        user=state.user if state else "",
        log_tail=seen.log.splitlines()[-guards.LOG_LINES :],
        target_share=share_used / setting.target_cores if isinstance(share_used, float) else None,
        cpu_limited=setting.run_profile.cpus is not None,
        throttled_seconds=used.throttled_seconds if isinstance(used, ResourceUse) else None,
        foreign_share=foreign if isinstance(foreign, float) and not setting.cores.shared else None,
        foreign_share_max=setting.load_profile.foreign_share_max,
        core=setting.cores.target,
        wrong_answers=wrong,
        unanswered=[f"{when}: {what}" for when, one in asked for what in one["unanswered"]],
        requests=sum(one["requests"] for one in endpoints) if result else None,
        failures=sum(one["failures"] for one in endpoints),
        failure_share_max=setting.load_profile.failure_share_max,
        failure_examples=list(result.get("failure_examples", ())),
        law_expected=result.get("law_expected"),
        law_found=result.get("law_found"),
        generator_share=share.cpu_share if isinstance(share, GeneratorUse) and not setting.cores.shared else None,
        clock_step_s=result.get("clock_step_s"),
        due=result.get("due"),
        sent=result.get("sent"),
        rate=setting.load_profile.rate or 0.0,
        lost=result.get("unanswered", 0) if order.model == "open" else 0,
        backlog_begin=result.get("backlog_begin", 0),
        backlog_end=result.get("backlog_end", 0),
        timed_out=seen.timed_out,
        ended_early=_ended_early(seen),
    )


def _withheld(seen: Seen, broken: tuple[BrokenGuard, ...]) -> str:
    """Say why there are no figures; empty where there are."""
    lies = [one.evidence for one in broken if one.guard is Guard.CONTRACT_BROKEN]
    if lies:
        return f"the contract is broken: {lies[0]}"
    if not seen.result:
        return f"no load was measured: {broken[0].guard if broken else 'the generator gave no result'}"
    return ""


def _ended_early(seen: Seen) -> str | None:
    """Say that the generator itself failed: it gave no result, and nothing that the target did explains it."""
    findings = [seen.events[name] for name in EXAMINATIONS if name in seen.events]
    explained = any(one["wrong"] or one["unanswered"] for one in findings)
    gone = seen.state is not None and not seen.state.running
    if seen.result or explained or gone or seen.timed_out:
        return None
    return "The load generator ended without a result: " + " | ".join(seen.generator_log.strip().splitlines()[-3:])


def _rate(result: Mapping[str, Any]) -> float:
    """Return requests a second, those that failed included: they cost the target time too."""
    return sum(int(one["requests"]) for one in result["endpoints"].values()) / float(result["window_s"])


def _share(used: ResourceUse | NotMeasured) -> float | NotMeasured:
    return used if isinstance(used, NotMeasured) else used.cpu_share


def _foreign(setting: Setting, result: Mapping[str, Any], used: ResourceUse | NotMeasured) -> float | NotMeasured:
    share = _share(used)
    if isinstance(share, NotMeasured):
        return share
    if "," in setting.cores.target:
        return NotMeasured(not_measured="the target had several cores, and only one was watched")
    if result.get("core_busy_s") is None:
        return NotMeasured(not_measured="the kernel does not say how busy the target's core was")
    return max(0.0, float(result["core_busy_s"]) / float(result["window_s"]) - share)


def _generator(setting: Setting, result: Mapping[str, Any]) -> GeneratorUse | NotMeasured:
    if not result:
        return NotMeasured(not_measured="the generator gave no result")
    # One process cannot use more than a core, so the busiest can be the bottleneck while other cores are idle.
    cores = len(setting.cores.generator.split(","))
    return GeneratorUse(
        cpu_share=max(result["cpu_seconds"] / cores, *result["process_cpu_seconds"]) / result["window_s"],
        processes=result["processes"],
        client=result["client"],
        looking_share=result["looking_seconds"] / cores / result["window_s"],
    )


def _histogram(encoded: str, where: str) -> HdrHistogram:
    return histograms.decode(encoded.encode("ascii"), f"the generator's histogram of {where}")


def _percentiles(histogram: HdrHistogram, otherwise: NotMeasured) -> Percentiles | NotMeasured:
    return histograms.percentiles(histogram) if histogram.get_total_count() else otherwise


def _files(order: Order, endpoints: Iterable[str]) -> dict[str, str]:
    """Name each histogram's file; endpoints are named by the user, so two may look alike, or like a path."""
    files = {ALL: f"{order.id}.hdr"}
    for number, name in enumerate(endpoints, 1):
        files[name] = f"{order.id}-{number}-{re.sub('[^A-Za-z0-9]+', '_', name)}.hdr"
    return files
