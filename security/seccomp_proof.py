"""Proofs of a tight profile: all that was recorded is done again under it, and must go as it did."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from harness.engine.client import Container, ContainerSpec, Engine, EngineRefused
from harness.engine.inspection import inspect
from harness.engine.labels import Role
from harness.model import Asks, Image, NotMeasured, RunProfile, Say, SeccompProof, Starts
from security import seccomp_kit as kit
from security.seccomp_record import STOP_TIMEOUT_S, Recording
from security.seccomp_rude import send

HEALTHY_WITHIN_S = 30.0
HEALTH_EVERY_S = 1
PYTHON = ("python3", "-c", "print(6 * 7)")
REFUSED = re.compile(r"Operation not permitted|PermissionError|Function not implemented|Bad system call")


@dataclass(frozen=True, kw_only=True)
class Proving:
    """What proofs are made of.

    Args:
        engine: where.
        image: whose profile it is.
        profile: a run profile that uses it.
        ask: asks a container its contract, and loads it.
        starts: starts fresh containers.
        count: how many.
        port: where the app listens.
        say: told in a line what is being done.

    """

    engine: Engine
    image: Image
    profile: RunProfile
    ask: Asks
    starts: Starts
    count: int
    port: int
    say: Say

    def prove(self, recording: Recording) -> tuple[SeccompProof, ...]:
        """Do it all under the profile; once something keeps containers from starting, the rest is not tried."""
        self.say(f"Proving the profile of {self.image.variant}")
        first = self._starts()
        if first.outcome != "held":
            later = ("contract", "load", *(("health check",) if self._checked() else ()), "exec", "error path", "stop")
            return (first, *(not_tried(name, "it does not start") for name in later))
        try:
            return (first, *self._one(recording))
        except EngineRefused as error:
            return (first, _proof("contract", held=False, evidence=error.message))

    def _checked(self) -> bool:
        config = (self.engine.image(self.image.digest) or {}).get("Config") or {}
        return kit.health_command(config) is not None

    def _starts(self) -> SeccompProof:
        try:
            made = self.starts(self.image, self.profile, self.count)
        except EngineRefused as error:
            return _proof("starts", held=False, evidence=error.message)
        whys = [one.seconds_to_first_answer.not_measured for one in made
                if isinstance(one.seconds_to_first_answer, NotMeasured)]  # fmt: skip
        told = f"{len(made) - len(whys)} of {self.count} starts came to a correct answer"
        return _proof("starts", held=not whys and len(made) >= self.count, evidence="; ".join([told, *whys[:1]]))

    def _one(self, recording: Recording) -> list[SeccompProof]:
        """Start one container, and do in it what was recorded."""
        checked = self._checked()
        spec = ContainerSpec(
            image=self.image.digest,
            role=Role.TARGET,
            variant=self.image.variant,
            profile=self.profile.model_copy(update={"publish": {}}),
            env={"PORT": str(self.port)},
            healthcheck=checked,
            overrides={"healthcheck": {"interval": HEALTH_EVERY_S * 10**9}} if checked else {},
        )
        with self.engine.running(spec) as container:
            asked = self.ask(f"container:{container.id}", self.port, lambda: self.engine.state(container).running)
            before = [line for line in asked.faults if "under load" not in line and "after the load" not in line]
            later = [line for line in asked.faults if line not in before]
            loaded = bool(asked.requests) and not later
            found = [
                _proof("contract", held=bool(asked.verified) and not before,
                       evidence="; ".join(before[:1]) or f"{asked.verified} answers as the contract has them"),
                _proof("load", held=loaded, evidence="; ".join(later[:1]) or f"{asked.requests} requests")
                if not before else not_tried("load", "the contract is broken"),
            ]  # fmt: skip
            found += [self._health(container)] if checked else []
            found += [self._exec(container), self._errors(container, recording), self._stop(container, recording)]
        return found

    def _health(self, container: Container) -> SeccompProof:
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        health: dict[str, Any] = {}
        while time.monotonic() < deadline:
            health = dict(inspect(self.engine, container)["State"].get("Health") or {})
            if health.get("Status") == "healthy":
                return _proof("health check", held=True, evidence="healthy, by the engine's own runs of it")
            time.sleep(0.2)
        last = str((health.get("Log") or [{}])[-1].get("Output", "")).strip()[-200:]
        return _proof("health check", held=False, evidence=f"{health.get('Status', 'no health')}: {last}")

    def _exec(self, container: Container) -> SeccompProof:
        try:
            code, said = kit.execute(self.engine, container, PYTHON)
        except EngineRefused as error:
            return _proof("exec", held=False, evidence=error.message)
        held = code == 0 and said.strip() == "42"
        return _proof("exec", held=held, evidence=f"`python3 -c` ends with exit code {code}: {said.strip()[-100:]}")

    def _errors(self, container: Container, recording: Recording) -> SeccompProof:
        try:
            came = send(self.engine, container, self.image.digest, self.port)
        except EngineRefused as error:
            return _proof("error path", held=False, evidence=error.message)
        return _proof("error path", held=came.like(recording.rude), evidence=str(came))

    def _stop(self, container: Container, recording: Recording) -> SeccompProof:
        self.engine.stop(container, timeout_s=STOP_TIMEOUT_S)
        state = self.engine.state(container)
        new = refused_lines(self.engine.logs(container)) - refused_lines(recording.log)
        told = [f"exit code {state.exit_code}, {recording.exit_code} when it was recorded"]
        told += [f"its log has: {line}" for line in sorted(new)[:1]]
        return _proof("stop", held=state.exit_code == recording.exit_code and len(told) == 1, evidence="; ".join(told))


def refused_lines(log: str) -> frozenset[str]:
    """Return the lines of a log that tell of a refused call, less what differs from run to run."""
    lines = (line for line in log.splitlines() if REFUSED.search(line))
    return frozenset(re.sub(r"\d+", "#", line.strip())[:200] for line in lines)


def not_tried(name: Any, why: str) -> SeccompProof:
    """Return a proof that could not be tried."""
    return SeccompProof(name=name, outcome="not tried", evidence=why)


def _proof(name: Any, *, held: bool, evidence: str) -> SeccompProof:
    return SeccompProof(name=name, outcome="held" if held else "broke", evidence=evidence)
