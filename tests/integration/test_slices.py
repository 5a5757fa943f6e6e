"""The sliced comparison on real containers: what is slower is called so, and what cannot be compared is named."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from harness.engine import labels, run_profiles, things
from harness.engine.client import ContainerSpec, Engine, EngineRefused
from harness.errors import UsageError
from harness.model import Guard, Image, NotMeasured, Ratio, SlicedComparison, SlicedFigures
from loadtests import slices
from loadtests.setting import Cores
from loadtests.slicing_sides import Side
from tests.integration.tiny_target import SERVER

HARDENED = run_profiles.load("hardened")
PLAIN = run_profiles.without_quota(HARDENED).model_copy(update={"restart": "no"})
WORK = "range(20_000)"
KEEPS = 'protocol_version = "HTTP/1.1"'


class Silent:
    """Shows nothing."""

    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None: ...


class Kept:
    """Keeps what it is given, as a run's folder does."""

    def __init__(self) -> None:
        self.comparisons: list[SlicedComparison] = []
        self.files: dict[str, bytes] = {}
        self.logs: dict[str, str] = {}

    def write_sliced(self, comparison: SlicedComparison) -> None:
        self.comparisons.append(comparison)

    def write_histogram(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def write_log(self, name: str, text: str) -> None:
        self.logs[name] = text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limited(Side):
    """A side whose container gets a CPU limit that its run profile does not tell of."""

    options: Mapping[str, Any]

    def spec(self, namespace: str, cores: Cores) -> ContainerSpec:
        return dataclasses.replace(super().spec(namespace, cores), overrides=self.options)


def side(tiny: Image, fault: str = "none", *, server: str = SERVER, env: Mapping[str, str] | None = None) -> Side:
    return Side(image=tiny, run_profile=PLAIN, command=["-c", server, fault, "0.7"], env=env or {})


def compare(
    engine: Engine, image: str, cores: Cores, a: Side, b: Side, store: Kept | None = None, **changed: Any
) -> SlicedComparison:
    fields: dict[str, Any] = {
        "pairs": 1,
        "seconds": 1.2,
        "warmup_s": 0.3,
        "repeats": 0,
        "request_timeout_s": 1.0,
        "ready_timeout_s": 8.0,
    }
    plan = slices.Plan(id="test", a=a, b=b, seed=7, **(fields | changed))
    return slices.compare(plan, engine=engine, generator_image=image, cores=cores, store=store, progress=Silent())


def things_left(engine: Engine) -> list[str]:
    kinds = (things.Kind.CONTAINER, things.Kind.VOLUME)
    return [one.name for one in things.of_runs(engine.client) if one.run_id == engine.run_id and one.kind in kinds]


def test_a_planted_slowdown_is_called_and_its_direction_is_right(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    slower = side(tiny_image, server=SERVER.replace(WORK, "range(30_000)"))
    store = Kept()
    found = compare(engine, generator_image, cores, side(tiny_image), slower, store, pairs=6, seconds=7.2, repeats=2)
    time, throughput, cpu = found.request_time, found.throughput, found.cpu_seconds_per_request
    assert isinstance(time, Ratio)
    assert isinstance(throughput, Ratio)
    assert isinstance(cpu, Ratio)
    assert time.significant
    assert 1.03 < time.value < 1.6
    assert throughput.value < 1
    assert cpu.value > 1.03
    valid = [pair for pair in found.pairs if pair.valid]
    assert len(valid) == 6
    assert [pair.first_started for pair in valid].count("a") == 3
    for pair in valid:
        assert isinstance(pair.a, SlicedFigures)
        assert pair.a.requests > 50
        assert pair.a.connections == 1
        assert pair.answers_verified > 40
        assert len(pair.slice_log_ratios) > 10
    assert set(store.files) == set(found.histogram_files)
    assert [len(one.pairs) for one in store.comparisons] == list(range(1, len(found.pairs) + 1))
    assert store.comparisons[-1] == found


def test_a_server_against_itself_is_near_one(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    found = compare(
        engine, generator_image, cores, side(tiny_image), side(tiny_image), pairs=6, seconds=6, repeats=2,
        endpoints={"double": 2, "half/../double": 1},
    )  # fmt: skip
    time = found.request_time
    assert isinstance(time, Ratio)
    assert time.low is not None
    assert time.high is not None
    # On a machine that others use the interval is wide; a side that were favoured by a tenth would still show.
    assert time.low < 1.1
    assert time.high > 0.9
    assert not things_left(engine)


def test_a_server_that_closes_every_connection(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    closing = side(tiny_image, server=SERVER.replace(KEEPS, 'protocol_version = "HTTP/1.0"'))
    pair = compare(engine, generator_image, cores, closing, side(tiny_image), repeats=2).pairs[-1]
    assert pair.broken_guards == ()
    assert isinstance(pair.a, SlicedFigures)
    assert isinstance(pair.b, SlicedFigures)
    assert pair.a.connections > pair.a.requests
    assert pair.b.connections == 1


@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        ("constant", Guard.CONTRACT_BROKEN, "is right"),
        ("lies", Guard.CONTRACT_BROKEN, "under load"),
        ("dies", Guard.EXITED, "giving up"),
        ("fails", Guard.CONTRACT_BROKEN, "status 500"),
        ("hangs", Guard.TIMED_OUT, "no answer"),
        ("refuses to start", Guard.EXITED, "no such setting"),
    ],
)
def test_a_wrong_side_gives_its_reason(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores, fault: str, reason: Guard, said: str
) -> None:
    store = Kept()
    found = compare(engine, generator_image, cores, side(tiny_image), side(tiny_image, fault), store)
    first = found.pairs[0].broken_guards[0]
    assert first.guard == reason
    assert first.evidence.startswith("side B: ")
    assert said in " ".join(one.evidence for one in found.pairs[0].broken_guards)
    assert isinstance(found.request_time, NotMeasured)
    assert store.files == {}
    assert any(name.endswith("-b.log") for name in store.logs)
    assert not things_left(engine)


@pytest.mark.parametrize("place", ["a", "b"])
def test_a_cpu_limit_on_either_side_is_refused_by_name(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores, place: str
) -> None:
    plain = side(tiny_image)
    limited = dataclasses.replace(plain, run_profile=HARDENED)
    sides = (limited, plain) if place == "a" else (plain, limited)
    with pytest.raises(UsageError, match=rf"hardened of side {place.upper()} .* CPU limit of 1") as caught:
        compare(engine, generator_image, cores, *sides)
    assert "--without-quota" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nano_cpus": 500_000_000}, "CPU limit"),
        ({"cpu_quota": 50_000}, "CPU limit"),
        ({"cpuset_cpus": "0,1"}, "cores"),
    ],
    ids=["cpus", "quota", "cpuset"],
)
def test_a_container_that_is_not_as_its_run_profile_says_is_refused(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores, options: dict[str, Any], said: str
) -> None:
    plain = side(tiny_image)
    limited = Limited(image=plain.image, run_profile=PLAIN, command=plain.command, options=options)
    with pytest.raises(UsageError, match=f"side B .*{said}|side B runs on the {said}"):
        compare(engine, generator_image, cores, plain, limited)
    assert not things_left(engine)


def test_a_limit_that_comes_later_breaks_a_guard(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    over = threading.Event()

    def throttle() -> None:
        mine = [f"{labels.ROLE}=target", f"{labels.RUN}={engine.run_id}"]
        wanted: dict[str, str | list[str] | bool] = {"label": mine}
        while not over.wait(0.05):
            for container in engine.client.containers.list(filters=wanted, ignore_removed=True):
                container.update(cpu_period=100_000, cpu_quota=10_000)
                return

    planter = threading.Thread(target=throttle)
    planter.start()
    try:
        found = compare(engine, generator_image, cores, side(tiny_image), side(tiny_image))
    except UsageError as refused:
        # It came so early that the container was refused already.
        assert "CPU limit" in refused.message  # noqa: PT017 - either is right
        return
    finally:
        over.set()
        planter.join()
    assert Guard.THROTTLED in [one.guard for one in found.pairs[0].broken_guards]
    assert isinstance(found.request_time, NotMeasured)


def test_other_workers_are_refused(engine: Engine, tiny_image: Image, generator_image: str, cores: Cores) -> None:
    more = side(tiny_image, env={"WEB_CONCURRENCY": "2"})
    with pytest.raises(UsageError, match=r"WEB_CONCURRENCY is not set on side A .* 2 on side B"):
        compare(engine, generator_image, cores, side(tiny_image), more)


def test_nothing_is_left_where_a_side_cannot_be_started(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    missing = dataclasses.replace(side(tiny_image), entrypoint=["/no/such/program"])
    with pytest.raises(EngineRefused, match="no/such/program"):
        compare(engine, generator_image, cores, side(tiny_image), missing)
    assert not things_left(engine)
