"""An image's own seccomp profile: recorded, completed by what the runtime needs, written, proved, counted, priced."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.engine.run_profiles import FOLDER as RUN_PROFILES
from harness.errors import NoValidMeasurement, UsageError
from harness.model import (
    Asks,
    ComparesProfiles,
    Image,
    NotMeasured,
    Recorder,
    RunProfile,
    RuntimeCalls,
    Say,
    SeccompProfile,
    Starts,
)
from security import seccomp_kit as kit
from security import seccomp_log, seccomp_rules
from security.seccomp_proof import Proving
from security.seccomp_record import Recording, Volumes, record
from security.seccomp_runtime import Trial, find

STARTS = 10
NO_COST = "it was not asked for"
UNPROVED = "the profile is not proved"


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What other rooms do for this one.

    Args:
        recorder: strace, with all that it needs.
        ask: asks a container its contract, and loads it.
        starts: starts fresh containers, each until its first correct answer.
        compare: prices one run profile over another; None where that is not asked for.
        port: where the app is told to listen.

    """

    recorder: Recorder
    ask: Asks
    starts: Starts
    compare: ComparesProfiles | None
    port: int


@dataclass(frozen=True, kw_only=True)
class Tight:
    """What came of one image."""

    found: SeccompProfile
    profile: dict[str, Any]
    """The seccomp profile as an engine takes it."""


def tighten(
    engine: Engine, image: Image, profile: RunProfile, handed: Handed, *, starts: int = STARTS, say: Say,
    keep: Callable[[Tight], None],
) -> Tight:  # fmt: skip
    """Make, prove and price an image's own seccomp profile.

    Args:
        engine: where the image is.
        image: the variant's image.
        profile: how it is run; its own seccomp profile, if it names one, is not used.
        handed: what other rooms do.
        starts: how many starts prove it.
        say: told in a line what is being done.
        keep: takes what is known before the price is, and again with it.

    Raises:
        ToolMissing: nothing can be recorded on this machine, or its system calls are not known.
        ContractBroken: the image answers wrongly under the recorder.
        NoValidMeasurement: it fails under the recorder, or no profile lets a container start.

    """
    began, at = time.monotonic(), datetime.now(UTC).replace(microsecond=0)
    names = seccomp_rules.numbers(engine.machine)
    default = seccomp_rules.allowed_by_default(engine.machine, seccomp_rules.capabilities(profile))
    template = json.loads((RUN_PROFILES / seccomp_rules.TEMPLATE).read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="seatrial-seccomp-") as folder:
        writer = _Writer(Path(folder), engine.machine, template, profile)
        with kit.brought_in(engine, handed.recorder, image.digest) as volumes:
            seen = record(
                engine, image, profile, volumes=volumes, ask=handed.ask, port=handed.port, names=names, say=say
            )
            refused = seen.refused - default | (seen.calls & {seccomp_rules.ASKED_ANEW})
            unnamed = frozenset(name for name in seen.calls if seccomp_log.unnamed(name))
            own = seen.calls - refused - unnamed
            say("Finding what the runtime itself calls")
            runtime = _runtime(engine, image, writer, volumes, handed.port, own=own, seen=seen, default=default)
        allowed = own | set(runtime.calls) | set(runtime.by_table)
        tight = writer.run_profile(allowed)
        proofs = Proving(
            engine=engine, image=image, profile=tight, ask=handed.ask, starts=handed.starts, count=starts,
            port=handed.port, say=say,
        ).prove(seen)  # fmt: skip
        info = engine.info()
        found = Tight(
            profile=writer.profile(allowed),
            found=SeccompProfile(
                variant=image.variant,
                image_digest=image.digest,
                run_profile=profile.name,
                recorded_at=at,
                seconds=round(time.monotonic() - began, 1),
                architecture=engine.machine,
                kernel=str(info.get("KernelVersion", "unknown")),
                recorder=handed.recorder.name,
                phases=seen.phases,
                runtime=runtime,
                allowed=tuple(sorted(allowed)),
                refused=tuple(sorted(refused)),
                unnamed=tuple(sorted(unnamed)),
                default_profile=str(seccomp_rules.dockers()["source"]),
                default_calls=len(default),
                closed=tuple(sorted(default - allowed)),
                proofs=proofs,
                cost=NotMeasured(not_measured=NO_COST),
                cpu_cost=NotMeasured(not_measured=NO_COST),
            ),
        )
        keep(found)
        priced = _priced(found, image, profile, tight, handed.compare, say)
        keep(priced)
    return priced


@dataclass(frozen=True)
class _Writer:
    """Makes run profiles that use a seccomp profile, in a folder that lasts as long as they are used."""

    folder: Path
    machine: str
    template: dict[str, Any]
    base: RunProfile

    def profile(self, calls: frozenset[str]) -> dict[str, Any]:
        return seccomp_rules.profile(self.machine, calls, self.template)

    def run_profile(self, calls: frozenset[str]) -> RunProfile:
        path = self.folder / "tight.json"
        path.write_text(json.dumps(self.profile(calls)), "utf-8")
        # A container that ends is seen to have ended, whatever would start it anew.
        changed = {"seccomp": str(path), "name": f"{self.base.name}-own-seccomp", "restart": "no"}
        return self.base.model_copy(update=changed)


def _runtime(
    engine: Engine, image: Image, writer: _Writer, volumes: Volumes, port: int, *, own: frozenset[str],
    seen: Recording, default: frozenset[str],
) -> RuntimeCalls:  # fmt: skip
    def spec(calls: frozenset[str]) -> ContainerSpec:
        profile = writer.run_profile(calls)
        return ContainerSpec(
            image=image.digest,
            role=Role.TARGET,
            variant=image.variant,
            profile=profile.model_copy(update={"publish": {}}),
            env={"PORT": str(port)},
            volumes=volumes,
        )

    return find(engine, Trial(engine=engine, spec=spec), seen=own, loader=seen.loader, candidates=default)


def _priced(
    found: Tight, image: Image, profile: RunProfile, tight: RunProfile, compare: ComparesProfiles | None, say: Say
) -> Tight:
    """Return it with its cost over the engine's default profile, all other flags alike."""
    if compare is None:
        return found
    if not found.found.proved:
        why = NotMeasured(not_measured=UNPROVED)
        return Tight(profile=found.profile, found=found.found.model_copy(update={"cost": why, "cpu_cost": why}))
    say("Comparing it with the engine's default profile")
    plain = {"seccomp": "default", "name": f"{profile.name}-default-seccomp", "restart": tight.restart}
    default = profile.model_copy(update=plain)
    try:
        compared = compare(image, default, tight)
    except (UsageError, NoValidMeasurement) as error:
        why = NotMeasured(not_measured=error.message)
        return Tight(profile=found.profile, found=found.found.model_copy(update={"cost": why, "cpu_cost": why}))
    costs = {
        "cost": compared.request_time, "cpu_cost": compared.cpu_seconds_per_request, "comparison": compared.id,
    }  # fmt: skip
    return Tight(profile=found.profile, found=found.found.model_copy(update=costs))
