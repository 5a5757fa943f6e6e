"""The measured configuration of one variant: what was proved of it, what was not, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness import figures
from harness.engine.run_profiles import ROOT_USERS, user_for
from harness.errors import UnreadableOutput, UsageError
from harness.metrics import Measurements
from harness.model import Failed, Hardening, HealthCheck, Image, Interval, Results, RunProfile, Skipped, Tuning
from harness.samples import Histogram
from report.deployments.proof import proof

NAME = re.compile(r"[a-z0-9][a-z0-9-]+")
"""A variant's name as its model allows it: what goes into file names and scripts as it is."""
PINNED = re.compile(r"[a-z0-9][a-zA-Z0-9._/:-]*@sha256:[0-9a-f]{64}")
DEFAULT_PORT = 5000
GUNICORN = "GUNICORN_CMD_ARGS"
CLAIMS = ("read_only", "cap_drop", "no_new_privileges", "seccomp", "pids_limit", "memory_bytes", "cpus", "ulimits",
          "restart", "sysctls")  # fmt: skip
"""What is left out where nothing proved it. The rest a container needs: it stays, with what is known of it."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a format's writer needs to know.

    Args:
        name: the variant's.
        image: by digest; the engine's image id, or a registry's reference.
        local: whether that is an image id, which no registry knows.
        user: whom it runs as; None leaves it to the image, which then has no user of its own.
        profile: the run profile, less what was not proved.
        seccomp_json: the seccomp profile that it names; None for the engine's own.
        port: where the app listens inside of the container.
        health: the image's health check; None where there is none, or the run profile turns it off.
        env: what the container finds in its environment.
        notes: what is said of each field of the run profile, and of `image`, `health` and `env`.
        about: what stands at the head of the file, one paragraph an entry.
        left_out: what was measured and is not here, and why.

    """

    name: str
    image: str
    local: bool
    user: str | None
    profile: RunProfile
    seccomp_json: str | None
    port: int
    health: HealthCheck | None
    env: Mapping[str, str]
    notes: Mapping[str, str]
    about: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def seccomp_file(self) -> str:
        """The name of the seccomp profile's file, which lies beside the deployed one."""
        return f"{self.name}.seccomp.json"


def of(
    results: Results,
    variant: str,
    *,
    run_profile: str | None = None,
    image: str | None = None,
    histogram: Histogram | None = None,
) -> Deployment:
    """Return what a run measured and proved of one variant.

    Args:
        results: the run.
        variant: which.
        run_profile: under which run profile; by default the run's own.
        image: the registry's reference by digest; by default the engine's image id.
        histogram: gives the bytes of a file in `histograms/`.

    Raises:
        UsageError: it was not attacked under that run profile, or variant or image are not named as they have to be.
        UnreadableOutput: the record is an older one, without its run profile.

    """
    if not NAME.fullmatch(variant):
        raise UsageError(f"{variant!r} is no variant's name.", "It is letters in lower case, digits and dashes.")
    found = _hardening(results, variant, run_profile)
    built = next((one for one in results.images if one.variant == variant), None)
    if built is None or built.digest != found.image_digest:
        raise UsageError(f"The run holds no image of {variant} that was attacked.", "Run `seatrial probe` again.")
    if image is not None and not PINNED.fullmatch(image):
        raise UsageError(f"{image!r} does not name an image by its digest.", "Write NAME@sha256:... as a push says it.")
    profile = found.profile
    if profile is None:
        raise UnreadableOutput("The run does not hold its run profile.", f"Run `seatrial probe {variant}` again.")
    notes, kept, left_out = _judged(profile, found)
    env, said = _gunicorn(results, found, profile, built)
    return Deployment(
        name=variant,
        image=image or built.digest,
        local=image is None,
        user=user_for(profile, built.user) or built.user or None,
        profile=kept,
        seccomp_json=found.seccomp_profile if kept.seccomp == profile.seccomp else None,
        port=_port(built),
        health=built.healthcheck if profile.healthcheck else None,
        env=env,
        notes={**notes, "image": _of_image(built, image), "env": said, "health": _of_health(built, profile, notes)},
        about=_about(results, found, histogram),
        left_out=left_out,
    )


def _hardening(results: Results, variant: str, run_profile: str | None) -> Hardening:
    known = [one for one in results.hardenings if one.variant == variant]
    names = [one.run_profile for one in known if not one.failure]
    wanted = run_profile or (results.run_profile if results.run_profile in names or not names else names[0])
    found = next((one for one in known if one.run_profile == wanted), None)
    if found is None:
        raise UsageError(
            f"Nothing was proved of {variant} under {wanted or 'any run profile'}, so there is nothing to export.",
            f"Run `seatrial probe {variant}{f' --run-profile {run_profile}' if run_profile else ''}` first"
            + (f", or name one of: {', '.join(names)}." if names else "."),
        )
    if found.failure:
        raise UsageError(f"{variant} did not start under {wanted}: {found.failure}", "It has to start first.")
    return found


def _judged(profile: RunProfile, found: Hardening) -> tuple[dict[str, str], RunProfile, tuple[str, ...]]:
    """Return what is said of each flag, the run profile less what nothing proved, and what is said of the latter."""
    plain = RunProfile(name=profile.name, title=profile.title)
    notes, back, left_out = {}, {}, []
    for flag in ("user", "tmpfs", "network", "healthcheck", *CLAIMS):
        shown = proof(flag, found)
        notes[flag] = shown.words
        value = getattr(profile, flag)
        if flag in CLAIMS and value != getattr(plain, flag) and not shown.holds:
            back[flag] = getattr(plain, flag)
            left_out.append(f"{flag} = {_written(value)} is left out. {shown.words}")
    notes["cap_add"] = profile.cap_add_because or "Measured with these; no reason is given."
    if profile.cap_add and "cap_drop" in back:
        back["cap_add"] = ()
        left_out.append(f"cap_add = {_written(profile.cap_add)} is left out, since what they were added to is.")
    return notes, profile.model_copy(update=back), tuple(left_out)


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_written(one) for one in value) or "none"
    return str(value)


def _gunicorn(results: Results, found: Hardening, profile: RunProfile, built: Image) -> tuple[dict[str, str], str]:
    """Return the tuned settings for the environment, and what is said of them."""
    if not any(word.rpartition("/")[2] == "gunicorn" for word in (*built.entrypoint, *built.command)):
        return {}, "It is not started by gunicorn, so there are no workers to tune."
    tuned = [one for one in results.tunings if (one.variant, one.image_digest) == (found.variant, found.image_digest)]
    if not tuned:
        return (
            {},
            f"gunicorn was not tuned: the image's own settings stay. `seatrial tune {found.variant}` finds some.",
        )
    one = tuned[-1]
    best = next((each for each in one.configurations if each.name == one.best), None)
    if best is None or not one.finished:
        return {}, "gunicorn's settings were not tuned to the end: the image's own stay."
    if (one.cpus, one.memory_bytes) != (profile.cpus, profile.memory_bytes):
        return {}, (
            f"gunicorn was tuned under {_limits(one)}, which are not the limits here: the image's own settings stay. "
            f"The best were: {best.arguments or 'the same'}."
        )
    final = one.finals.get(best.name)
    rate = final.capacity_rps if final else None
    gain = f" {figures.ratio(one.gain)} that of gunicorn's usual advice." if best.name != one.advice else ""
    held = (
        f"{figures.digits(rate)} req/s with p99 within {one.objective_p99_ms:g} ms" if isinstance(rate, float) else ""
    )
    said = f"Tuned under the limits here, in run {results.run_id}: {held or 'the best of the race'}.{gain}"
    if not best.arguments:
        return {}, f"{said} The image's own settings were the best."
    return {GUNICORN: best.arguments}, f"{said} The attacks were made on the image's own settings."


def _limits(one: Tuning) -> str:
    cpus = f"{one.cpus:g} CPUs" if one.cpus else "no CPU limit"
    memory = figures.figure(one.memory_bytes, "bytes") if one.memory_bytes else "no limit"
    return f"{cpus} and {memory} of memory"


def _port(image: Image) -> int:
    ports = [int(port) for port, _, kind in (one.partition("/") for one in image.exposed_ports) if kind in ("", "tcp")]
    return ports[0] if ports else DEFAULT_PORT


def _of_image(image: Image, given: str | None) -> str:
    if given:
        return f"As it was named for the export; measured was the engine's image {image.digest}."
    return (
        f"The measured image of {image.reference}, by its id: an engine that has it needs no registry. After a push, "
        "export with --image NAME@sha256:..., the digest that the push tells."
    )


def _of_health(image: Image, profile: RunProfile, notes: Mapping[str, str]) -> str:
    if not profile.healthcheck:
        return "The run profile turns the image's health check off."
    if image.healthcheck is None:
        return f"The image has no health check. {notes['healthcheck']}"
    return f"The image's own. {notes['healthcheck']} It was asked every second there."


def _about(results: Results, found: Hardening, histogram: Histogram | None) -> tuple[str, ...]:
    checks = [one.id for one in found.container_checks if isinstance(one.outcome, Failed)]
    probes = [one.id for one in found.probes if isinstance(one.outcome, Failed)]
    untried = [one.id for one in found.container_checks if isinstance(one.outcome, Skipped)]
    untried += [one.id for one in found.probes if isinstance(one.outcome, Skipped)]
    lines = [
        f"{found.variant} as Seatrial measured it under the run profile {found.run_profile}: run {results.run_id}, "
        f"attacked {found.probed_at.isoformat()}. CIS-... and SEA-... are checks, the lower-case names are probes of "
        f"that run's hardening/{found.variant}-{found.run_profile}.json.",
        f"{len(found.container_checks)} checks, failed: {', '.join(checks) or 'none'}. {len(found.probes)} attacks, "
        f"succeeded: {', '.join(probes) or 'none'}. Could not be tried: {', '.join(untried) or 'none'}.",
        _load(results, found, histogram),
    ]
    return (*lines, *found.remarks)


def _load(results: Results, found: Hardening, histogram: Histogram | None) -> str:
    valid = [
        one
        for one in results.load_trials
        if one.valid and (one.variant, one.image_digest) == (found.variant, found.image_digest)
    ]
    if not valid or results.run_profile_used != found.profile:
        return "No load was measured under these limits."
    measured = Measurements(results, histogram)
    said = []
    for name in ("throughput_rps", "p99_ms"):
        metric = measured.metric(name, found.variant)
        if isinstance(metric.value, Interval):
            said.append(f"{metric.title} {figures.interval(metric.value, metric.unit)}")
    return f"Under these limits, load profile {results.load_profile}: {'; '.join(said) or 'no figure'}."


def network_note(one: Deployment) -> str:
    """Say of a network in place of none what was measured, and what was not."""
    return (
        f"Measured without any network: {one.notes['network']} Here it is on one without an outside route, where "
        "whoever joins it, as a reverse proxy, is a neighbour that was not there."
    )


def is_root(user: str | None) -> bool:
    """Whether a container's user is root, or nobody was named, which is root too."""
    return (user or "").partition(":")[0] in ROOT_USERS
