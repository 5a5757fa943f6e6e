"""The neighbour's container beside one trial: started with it, told when to begin and to end, and what it then says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from harness.engine import signalling
from harness.engine.client import Container, ContainerSpec, ContainerState, Engine
from harness.engine.labels import Role
from harness.errors import SeatrialError, UnreadableOutput
from harness.model import NeighbourKind, NeighbourSeen, NotMeasured, RunProfile, StoppedBy
from loadtests.events import Events
from loadtests.inside.neighbour_orders import NeighbourOrders
from loadtests.inside.orders import VARIABLE
from loadtests.trial import StartContainer

READY_S = 60.0
DONE_S = 30.0
SIGKILLED = 137
CHARGED_AT_ONCE = 1 << 20
"""The kernel charges memory in batches, a few for each core, so a peak stays a little below its limit."""
TOLD = {"warm-up": "SIGUSR1", "measure-begin": "SIGUSR2", "measure-end": "SIGTERM"}
"""A trial's event -> the signal by which the neighbour learns of it."""


@dataclass
class Neighbour:
    """One neighbour beside one trial; a `loadtests.trial.Beside`.

    Args:
        engine: where.
        image: the generator's, which holds the neighbour's program.
        kind: what it does.
        limits: names of the limits that it has.
        profile: how it is started under them.
        cpuset: the core that it runs on.
        orders: what its program is told.

    """

    engine: Engine
    image: str
    kind: NeighbourKind
    limits: Collection[str]
    profile: RunProfile
    cpuset: str
    orders: NeighbourOrders
    done: Mapping[str, Any] | None = None
    state: ContainerState | None = None
    _container: Container | None = None
    _events: Events | None = None
    _told: list[str] = field(default_factory=list)

    def start(self, start: StartContainer, namespace: str) -> None:
        """Start it, where it waits.

        Raises:
            UnreadableOutput: it did not come up.

        """
        floods = self.kind is NeighbourKind.FLOOD and "network" not in self.limits
        container = start(
            ContainerSpec(
                image=self.image,
                role=Role.NEIGHBOUR,
                command=["-m", "loadtests.inside.neighbour"],
                profile=self.profile,
                network=namespace if floods else "none",
                cpuset=self.cpuset,
                env={VARIABLE: self.orders.to_json()},
            )
        )
        self._container, self._events = container, Events(self.engine.follow(container))
        if self._await("ready", READY_S) is None:
            said = self.engine.logs(container).strip()[-300:]
            raise UnreadableOutput(f"The neighbour's container did not come up: {said or 'it said nothing'}")

    def saw(self, event: str) -> None:
        """Tell it to begin, that the victim is measured from now on, or to end."""
        if event in TOLD:
            self._tell(TOLD[event])

    def end(self) -> None:
        """Take its own account, and how its container ended."""
        if self._container is None:
            return
        # Where the victim never came to its load, the neighbour still waits to begin.
        if TOLD["measure-end"] not in self._told:
            self._tell(TOLD["measure-end"])
        self.done = self._await("done", DONE_S)
        self.state = self.engine.state(self._container)

    @property
    def began(self) -> bool:
        """Whether it was told to begin: before that, nothing that befalls the victim is its doing."""
        return TOLD["warm-up"] in self._told

    def seen(self) -> NeighbourSeen:
        """Return what it did."""
        return seen_of(self.done, self.state, self.limits)

    def _tell(self, signal: str) -> None:
        self._told.append(signal)
        # One that has ended already cannot be told, and its account says why.
        with suppress(SeatrialError):
            if self._container is not None:
                signalling.send(self.engine, self._container, signal)

    def _await(self, name: str, timeout_s: float) -> Mapping[str, Any] | None:
        events = self._events
        while events is not None and (event := events.next(timeout_s)) is not None:
            if event["event"] == name:
                return event
        return None


def seen_of(done: Mapping[str, Any] | None, state: ContainerState | None, limits: Collection[str]) -> NeighbourSeen:
    """Return what a neighbour did from its account and its container's end. Pure."""
    if done is None:
        none = NotMeasured(not_measured="the neighbour gave no account")
        return NeighbourSeen(
            did={}, stopped_by=_end_of(state, limits), cpu_share=none, throttled_seconds=none, most_memory_bytes=none,
            ended=_ending(state),
        )  # fmt: skip
    readings = done["readings"]
    did = {name: float(value) for name, value in done["did"].items()}
    return NeighbourSeen(
        did=did,
        stopped_by=_stops(done, did, limits),
        cpu_share=_cpu_share(readings),
        throttled_seconds=_grown(readings, "throttled_seconds"),
        most_memory_bytes=_peak(readings),
        ended="its time was over before the victim's" if done["over"] == "time" else "",
    )


def _stops(done: Mapping[str, Any], did: Mapping[str, float], limits: Collection[str]) -> tuple[StoppedBy, ...]:
    """Return what held it up: what its calls were refused, and what its cgroup counted."""
    account = ", ".join(f"{what}: {count:,.0f}" for what, count in did.items())
    refused = {(_whose(limit, limits), how): (int(count), account) for limit, how, count in done["stops"]}
    readings = done["readings"]
    periods, seconds = _grown(readings, "throttled_periods"), _grown(readings, "throttled_seconds")
    if isinstance(periods, float) and periods > 0:
        told = f"{seconds:.2f} s in {periods:.0f} periods" if isinstance(seconds, float) else f"{periods:.0f} periods"
        refused[_whose("cpus", limits), "CPU throttled"] = (int(periods), told)
    kills = _grown(readings, "oom_kills")
    if isinstance(kills, float) and kills > 0:
        refused[_whose("memory", limits), "OOM kill"] = (int(kills), account)
    met = _met(readings)
    if met:
        peak = _peak(readings)
        told = f"at {peak / (1 << 20):.0f} MB" if isinstance(peak, int) else account
        refused[_whose("memory", limits), "reclaim at the limit"] = (met, told)
    return tuple(
        StoppedBy(limit=limit, how=how, count=count, evidence=evidence)
        for (limit, how), (count, evidence) in refused.items()
    )


def _met(readings: Mapping[str, Mapping[str, float]]) -> int:
    """Return how often memory met its limit; once, where the kernel counts none but the peak is there."""
    counted, end = _grown(readings, "memory_at_limit"), readings["end"]
    if isinstance(counted, float) and counted > 0:
        return int(counted)
    peak, limit = end.get("memory_peak_bytes"), end.get("memory_limit_bytes")
    return int(peak is not None and limit is not None and peak >= limit - CHARGED_AT_ONCE)


def _whose(limit: str, limits: Collection[str]) -> str:
    """Return whose limit it was: without one of that name, the harness's own; no connection, the victim's."""
    if limit in limits:
        return limit
    return "victim" if limit in ("network", "victim") else "harness"


def _grown(readings: Mapping[str, Mapping[str, float]], name: str) -> float | NotMeasured:
    if name not in readings["begin"] or name not in readings["end"]:
        return NotMeasured(not_measured="the kernel does not show it inside the neighbour's container")
    return readings["end"][name] - readings["begin"][name]


def _cpu_share(readings: Mapping[str, Mapping[str, float]]) -> float | NotMeasured:
    began, ended = readings.get("measured"), readings["end"]
    if began is None:
        return NotMeasured(not_measured="the victim was never measured beside it")
    if "cpu_seconds" not in began or "cpu_seconds" not in ended or ended["at"] <= began["at"]:
        return NotMeasured(not_measured="the kernel does not show it inside the neighbour's container")
    return (ended["cpu_seconds"] - began["cpu_seconds"]) / (ended["at"] - began["at"])


def _peak(readings: Mapping[str, Mapping[str, float]]) -> int | NotMeasured:
    if "memory_peak_bytes" not in readings["end"]:
        return NotMeasured(not_measured="the kernel does not show it inside the neighbour's container")
    return int(readings["end"]["memory_peak_bytes"])


def _end_of(state: ContainerState | None, limits: Collection[str]) -> tuple[StoppedBy, ...]:
    if state is None or not state.oom_killed:
        return ()
    return (StoppedBy(limit=_whose("memory", limits), how="OOM kill", count=1, evidence=_ending(state)),)


def _ending(state: ContainerState | None) -> str:
    if state is None or state.running:
        return "it did not end when it was told to"
    killed = " (SIGKILL)" if state.exit_code == SIGKILLED else ""
    return f"its container ended with exit code {state.exit_code}{killed}"
