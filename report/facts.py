"""The facts about a run that are no measurements: bases and interpreters, budgets, environment, how it was measured."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from harness import figures, statistics, verdicts
from harness.model import BaseSource, Image, Layer, NotMeasured, Results, RunProfile, VerdictKind

IMPORTED = "Imported from -"
"""What an engine writes down for a layer that came out of an archive on its standard input."""
SOURCES = {
    BaseSource.PACKAGES: "made from packages",
    BaseSource.REGISTRY: "pulled from its registry",
    BaseSource.ENGINE: "what the engine had by that name; no registry's digest of it is known",
}
POLICY = re.compile(r"(\w+)=\(([^)]*)\)")
QUOTED = re.compile(r"'([^']*)'")
KINDS = {VerdictKind.EXCEEDED: 0, VerdictKind.NOT_MEASURED: 1, VerdictKind.KEPT: 2}


@dataclass(frozen=True, kw_only=True)
class BaseFacts:
    """One base image and the interpreter that the variants on it run."""

    name: str
    public: str
    source: str
    digest: str
    stand_in: str
    interpreter: str
    flags: str
    variants: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BudgetFacts:
    """One verdict as a table shows it."""

    sentence: str
    variant: str
    kind: str
    measured: str
    limit: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """How one image is made and started."""

    variant: str
    digest: str
    user: str
    command: str
    built: str
    labels: tuple[tuple[str, str], ...]


def bases(results: Results) -> tuple[BaseFacts, ...]:
    """Return every base with its source and interpreter, in the variants' order."""
    groups: dict[tuple[str, str], list[Image]] = {}
    for image in results.images:
        groups.setdefault((image.base.digest, _interpreter(image)[0]), []).append(image)
    return tuple(
        BaseFacts(
            name=images[0].base.name,
            public=images[0].base.public,
            source=SOURCES[images[0].base.source],
            digest=images[0].base.digest,
            stand_in=images[0].base.stand_in_for or "",
            interpreter=_interpreter(images[0])[0],
            flags=_interpreter(images[0])[1],
            variants=tuple(image.variant for image in images),
        )
        for images in groups.values()
    )


def budgets(results: Results) -> tuple[BudgetFacts, ...]:
    """Return the run's verdicts: exceeded ones first, then those not measured, then the kept ones."""
    return tuple(
        BudgetFacts(
            sentence=verdicts.sentence(one),
            variant=one.variant,
            kind=one.kind.value,
            measured=one.measured,
            limit=one.limit,
            message=one.message,
        )
        for one in sorted(results.verdicts, key=lambda one: KINDS[one.kind])
    )


def images(results: Results) -> tuple[ImageFacts, ...]:
    """Return how each image is made."""
    return tuple(
        ImageFacts(
            variant=image.variant,
            digest=image.digest,
            user=image.user or "root (none is set)",
            command=" ".join((*image.entrypoint, *image.command)),
            built=_built(image),
            labels=tuple(sorted(image.labels.items())),
        )
        for image in results.images
    )


def made_by(image: Image, layer: Layer) -> str:
    """Say which instruction made a layer; of a base that was imported from an archive, which has none, its name."""
    return f"base: {image.base.name}" if layer.created_by.strip() == IMPORTED else layer.created_by


def environment(results: Results) -> tuple[tuple[str, str], ...]:
    """Return name and value of what the run was measured on."""
    env = results.environment
    tools = ", ".join(f"{name} {version}" for name, version in sorted(env.tools.items())) or "none"
    return (
        ("Seatrial", f"{env.seatrial_version}, on Python {env.python}"),
        ("Engine", f"{env.engine} {env.engine_version} (API {env.engine_api}), found as: {env.engine_source}"),
        ("Storage, cgroup", f"{env.storage_driver}, version {env.cgroup_version}"),
        ("System", f"{env.operating_system}, kernel {env.kernel}, {env.architecture}"),
        ("Machine", f"{env.cores} cores, {figures.figure(env.memory_bytes, 'bytes')} of memory"),
        ("Tools", tools),
    )


def method(results: Results) -> tuple[tuple[str, str], ...]:
    """Return name and value of how the run was measured."""
    loads = results.load_trials
    rounds = len({trial.round for trial in loads})
    rows = [
        ("Load profile", results.load_profile or "none"),
        ("Run profile", _run_profile(results)),
        (
            "Rounds",
            f"{rounds}, of one trial a variant, in an order drawn with seed {results.seed}" if loads else "none",
        ),
        ("Baseline", results.baseline_variant or "none"),
    ]
    if loads:
        one = loads[0]
        clients = Counter(t.generator.client for t in loads if not isinstance(t.generator, NotMeasured))
        rows += [
            (
                "A trial",
                f"{_seconds(one.measured_seconds)} measured after {_seconds(one.warmup_seconds)} of warm-up, "
                "in a fresh container",
            ),
            ("Load", f"{one.model} model, {one.users} users, client {', '.join(clients) or 'not recorded'}"),
            ("Cores", f"target on {one.target_cpus}, generator on {one.generator_cpus}"),
            ("Answers", f"{sum(t.answers_verified for t in loads):,} were compared whole with what is correct"),
        ]
    rows.append(("Machine drift", _drift(results)))
    return tuple(rows)


def settings(results: Results) -> tuple[tuple[str, str], ...]:
    """Return the run's settings in words; those that are set to nothing are left out."""
    return tuple(
        (name, words) for name, value in results.settings.items() if (words := _setting(value)) not in ("", "None")
    )


def limits(profile: RunProfile) -> tuple[str, ...]:
    """Say how a run profile starts a container, one phrase for each limit; what it leaves open is said too."""
    caps = [f"capabilities dropped: {', '.join(profile.cap_drop)}"] if profile.cap_drop else []
    caps += [f"capabilities added: {', '.join(profile.cap_add)}"] if profile.cap_add else []
    memory = None if profile.memory_bytes is None else figures.figure(profile.memory_bytes, "bytes")
    seccomp = profile.seccomp.rpartition("/")[2]
    return (
        "read-only root" if profile.read_only else "writable root",
        *(f"tmpfs {path} ({options})" for path, options in profile.tmpfs.items()),
        _user(profile),
        *(caps or ["the engine's own capabilities"]),
        "no new privileges" if profile.no_new_privileges else "new privileges allowed",
        f"seccomp profile: {seccomp}",
        _limit("CPUs", None if profile.cpus is None else f"{profile.cpus:g}"),
        _limit("memory", memory),
        _limit("processes", None if profile.pids_limit is None else str(profile.pids_limit)),
        *(f"{one.name} at most {one.soft} ({one.hard})" for one in profile.ulimits),
        *(f"{name} = {value}" for name, value in profile.sysctls.items()),
    )


def _user(profile: RunProfile) -> str:
    if profile.user is not None:
        return f"user {profile.user}"
    return "the image's own user" + (f", {profile.user_if_root} where that is root" if profile.user_if_root else "")


def _limit(what: str, most: str | None) -> str:
    return f"no limit on {what}" if most is None else f"{what} at most {most}"


def _run_profile(results: Results) -> str:
    used = results.run_profile_used
    if used is None:
        return results.run_profile or "none"
    return f"{used.name}: {'; '.join(limits(used))}; in trials no health check, no restart, no outside network"


def _setting(value: str) -> str:
    """Write a setting without Python's own marks; `allow=('MIT',) deny=()` as `allow MIT`."""
    if not POLICY.search(value):
        return value
    found = ((name, ", ".join(QUOTED.findall(entries))) for name, entries in POLICY.findall(value))
    return "; ".join(f"{name} {entries}" for name, entries in found if entries)


def _seconds(value: float) -> str:
    return f"{round(value, 1):g} s"


def _interpreter(image: Image) -> tuple[str, str]:
    found = image.interpreter
    if isinstance(found, NotMeasured):
        return f"not known: {found.not_measured}", ""
    flags = f"{'PGO' if found.pgo else 'no PGO'}, {'LTO' if found.lto else 'no LTO'}; {found.compiler}; {found.libc}"
    return f"{found.implementation} {found.version}", flags


def _built(image: Image) -> str:
    def seconds(value: float | NotMeasured) -> str:
        return "not measured" if isinstance(value, NotMeasured) else figures.figure(value, "s")

    earlier = f"; timed by an earlier run, {image.built_at:%-d %B %Y}" if image.built_earlier and image.built_at else ""
    return (
        f"{seconds(image.build_cold_seconds)} from nothing, {seconds(image.build_cached_seconds)} from cache, "
        f"by {image.builder}, {image.built_in_parallel} at a time{earlier}"
    )


def _drift(results: Results) -> str:
    seconds = [one.seconds for one in results.calibrations if one.seconds > 0]
    if not seconds:
        return "not measured: the calibration loop did not run"
    spread = max(seconds) / min(seconds) - 1
    mean = figures.figure(statistics.mean_interval(seconds).value, "s")
    return f"a fixed loop took {mean} before the rounds; the slowest was {spread:.0%} above the fastest"
