"""Probes tried on one running container, one after the other; what each printed becomes a result."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from harness.engine import networks
from harness.engine.client import Container, Engine, EngineRefused
from harness.engine.inspection import inspect
from harness.model import Attempt, Failed, Outcome, Passed, ProbeResult, Say, Skipped
from security import bounds
from security.inside.kit import MARKER
from security.probe import Ceilings, LoadedProbe, discover, script
from security.proving_ground import Ground

DEFAULT_PORT = 5000
NO_NETWORK_OF_ITS_OWN = ("none", "host", "container:")


@dataclass(frozen=True, kw_only=True)
class App:
    """What the app probes may know of the app: its port inside the container, and paths beside `/`."""

    port: int
    paths: tuple[str, ...] = ()


def run_all(
    engine: Engine,
    container: Container,
    *,
    ground: Ground | None = None,
    app: App | None = None,
    ceilings: Ceilings | None = None,
    only: Collection[str] = (),
    say: Say | None = None,
) -> tuple[ProbeResult, ...]:
    """Try every probe from inside a running container, in order; nothing is copied in.

    Args:
        engine: the engine that the container runs in.
        container: it needs `python3` on its PATH, and no shell.
        ground: what network probes aim at; without it they are skipped. A container on a bridge gets an interface
            on the ground's network meanwhile.
        app: port and paths of the app; by default its `PORT`, else its exposed port, else 5000.
        ceilings: how far counted attacks go; by default a little further than the limits that the container has.
        only: ids of the probes to try; all where it is empty.
        say: told one line for each probe.

    """
    about = inspect(engine, container)
    known = engine.info()
    bound = bounds.of(about, known, ceilings)
    results = []
    with _attached(engine, container, ground, about) as on_neighbours_network:
        facts = {
            **_network_facts(about, ground, on_neighbours_network),
            **_app_facts(app or app_of(about)),
            "ceilings": asdict(bound.ceilings),
            "cpu_limit": bound.cpus,
            "cores": int(known.get("NCPU") or 0),
        }
        for loaded in discover():
            if only and loaded.probe.id not in only:
                continue
            reason = bound.beyond.get(loaded.probe.id)
            result = _skipped(loaded, reason) if reason else attempt(engine, container, loaded, facts)
            if say:
                say(f"{result.outcome.outcome:8} {result.id}")
            results.append(result)
    return tuple(results)


def attempt(engine: Engine, container: Container, loaded: LoadedProbe, facts: Mapping[str, Any]) -> ProbeResult:
    """Try one probe, and look whether the container is still there afterwards."""
    nonce = secrets.token_hex(6)
    before = engine.state(container)
    began = time.monotonic()
    try:
        code, output = engine.exec_python(container, script(loaded, {**facts, "nonce": nonce}))
    except EngineRefused as error:
        return _skipped(loaded, error.message)
    seconds = time.monotonic() - began
    after = engine.state(container)
    result = read(loaded, output, nonce=nonce, exit_code=code, seconds=seconds)
    if before.running and (not after.running or after.restarts > before.restarts):
        how = f"exit code {after.exit_code}, out of memory: {'yes' if after.oom_killed else 'no'}"
        down = Attempt(what="take the container down with it", result="succeeded", evidence=how)
        result = _judged(loaded, (*result.attempts, down), result.notes, result.counts, seconds, "")
    return result


def read(loaded: LoadedProbe, output: str, *, nonce: str, exit_code: int, seconds: float) -> ProbeResult:
    """Turn what a probe's script printed into its result; anything but one whole line of it is no pass."""
    start = f"{MARKER}{nonce}:"
    line = next((text for text in reversed(output.splitlines()) if text.startswith(start)), "")
    try:
        report = json.loads(line[len(start) :])
        entries, ended = [dict(entry) for entry in report["entries"]], str(report["ended"])
        attempts = tuple(Attempt.model_validate(entry) for entry in entries if "what" in entry)
        notes = tuple(str(entry["note"]) for entry in entries if "note" in entry)
        counts = {str(e["progress"][0]): float(e["progress"][1]) for e in entries if "progress" in e}
    except (ValueError, KeyError, TypeError, IndexError):
        said = output.strip().splitlines()[-1:] or ["nothing"]
        return _skipped(
            loaded, f"The probe gave no result (exit code {exit_code}); it printed: {said[0][:200]}", seconds
        )
    cut = "" if any("done" in entry for entry in entries) else ended or "it ended too early"
    for entry in entries:
        if "crashed" in entry:
            cut = "failed: " + (str(entry["crashed"]).strip().splitlines() or ["?"])[-1]
    return _judged(loaded, attempts, notes, counts, seconds, cut)


def judge(attempts: tuple[Attempt, ...], cut: str) -> Outcome:
    """Say what attempts add up to: one that succeeded fails the probe, and a probe that was cut short never passes."""
    succeeded = tuple(_line(one) for one in attempts if one.result == "succeeded")
    if succeeded:
        return Failed(evidence=succeeded)
    if cut:
        return Skipped(reason=f"The probe did not come to its end: {cut}")
    if any(one.result == "stopped" for one in attempts):
        return Passed()
    return Skipped(reason="; ".join(_line(one) for one in attempts) or "The probe found nothing to try.")


def _line(one: Attempt) -> str:
    return f"{one.what}: {', '.join(part for part in (one.errno, one.evidence) if part)}"


def _judged(
    loaded: LoadedProbe,
    attempts: tuple[Attempt, ...],
    notes: tuple[str, ...],
    counts: dict[str, float],
    seconds: float,
    cut: str,
) -> ProbeResult:
    return ProbeResult(
        id=loaded.probe.id,
        title=loaded.probe.title,
        severity=loaded.probe.severity,
        outcome=judge(attempts, cut),
        attempts=attempts,
        notes=notes,
        counts=counts,
        remediation=loaded.probe.remediation,
        seconds=round(seconds, 3),
    )


def _skipped(loaded: LoadedProbe, reason: str, seconds: float = 0.0) -> ProbeResult:
    result = _judged(loaded, (), (), {}, seconds, "")
    return result.model_copy(update={"outcome": Skipped(reason=reason)})


@contextmanager
def _attached(engine: Engine, container: Container, ground: Ground | None, about: dict[str, Any]) -> Iterator[bool]:
    """Put a container that has a network of its own on the neighbour's network too; yield whether it is on it."""
    mode = str(about["HostConfig"].get("NetworkMode") or "default")
    if ground is None or mode.startswith(NO_NETWORK_OF_ITS_OWN):
        yield False
    elif ground.network in (about["NetworkSettings"].get("Networks") or {}):
        yield True
    else:
        with networks.connected(engine, container, ground.network):
            yield True


def _network_facts(about: dict[str, Any], ground: Ground | None, on_neighbours_network: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {"host_network": about["HostConfig"].get("NetworkMode") == "host"}
    if ground is not None:
        facts |= {
            "neighbour": [ground.neighbour_address, ground.neighbour_port],
            "on_neighbours_network": on_neighbours_network,
            "loopback_port": ground.loopback_port,
            "word": ground.word,
        }
    return facts


def app_of(about: Mapping[str, Any]) -> App:
    """Return where a container's app listens, by its inspect document: `PORT`, else an exposed port, else 5000."""
    config = about.get("Config") or {}
    env = dict(pair.partition("=")[::2] for pair in config.get("Env") or ())
    exposed = [port.split("/")[0] for port in config.get("ExposedPorts") or {} if port.endswith("/tcp")]
    ports = [int(port) for port in (env.get("PORT", ""), *sorted(exposed)) if port.isdigit()]
    return App(port=ports[0] if ports else DEFAULT_PORT)


def _app_facts(app: App) -> dict[str, Any]:
    return {"port": app.port, "paths": list(app.paths)}
