"""Load trials of real containers: a right server gives figures; each way of going wrong gives its named reason."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness import histograms
from harness.engine import labels, run_profiles
from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import UsageError
from harness.model import (
    Calibration,
    Guard,
    Image,
    LoadTrial,
    NotMeasured,
    Percentiles,
    ResourceUse,
    RunProfile,
    StartTrial,
    StopTrial,
    Trial,
)
from loadtests import journeys, peak_memory, pending, schedule, starts, trial
from loadtests.judging import Measured, Order
from loadtests.load_profile import LoadProfile
from loadtests.setting import Cores, Setting
from tests.integration.tiny_target import SERVER, TinySetting

HARDENED = run_profiles.load("hardened")
PLAIN = HARDENED.model_copy(update={"restart": "no"})
SHORT = LoadProfile(
    name="test", title="test", rounds=1, users=4, warmup_s=0.3, measure_s=1.5, sample_share=0.3, repeats=1, starts=2,
    stops=1, stop_timeout_s=2, ready_timeout_s=8, request_timeout_s=1.5, foreign_share_max=1.0,
)  # fmt: skip
"""Tests may run on a machine that is busy with other things."""
BUSY = "while True: pass"
STALLS = {Guard.OFF_SCHEDULE, Guard.CLOCK_STEPPED}


def run(
    engine: Engine,
    tiny: Image,
    generator_image: str,
    cores: Cores,
    fault: str,
    *,
    run_profile: RunProfile = PLAIN,
    after_s: float = 0.9,
    live: Callable[[float], None] | None = None,
    **changed: object,
) -> Measured:
    setting = TinySetting(
        run_profile=run_profile,
        load_profile=SHORT.model_copy(update=changed),
        generator_image=generator_image,
        cores=cores,
        fault=fault,
        after_s=after_s,
        live=live,
    )
    model = setting.load_profile.models[0]
    return trial.run(Order(image=tiny, model=model, round=1, attempt=1, seed=5), setting, engine)


def undisturbed(once: Callable[[], Measured]) -> Measured:
    """Repeat a trial, as a run does, where a machine that stalled for a moment was all that was wrong with it."""
    for _ in range(SHORT.repeats):
        measured = once()
        if not measured.trial.broken_guards or not STALLS.issuperset(reasons(measured)):
            return measured
    return once()


def reasons(measured: Measured) -> list[Guard]:
    return [one.guard for one in measured.trial.broken_guards]


def test_a_right_server_gives_figures(engine: Engine, tiny_image: Image, generator_image: str, cores: Cores) -> None:
    told: list[float] = []
    measured = run(engine, tiny_image, generator_image, cores, "none", live=told.append)
    one = measured.trial
    assert len(told) == 1, "once a second, within the window"
    # What came in a second or more of the window is part of what came in all of it, however busy the machine is.
    assert 0 < told[0] <= 1.05 * one.requests
    assert one.broken_guards == ()
    assert one.failures == 0
    assert one.requests > 50
    assert one.throughput_rps == pytest.approx(one.requests / one.measured_seconds)
    assert 1 < one.measured_seconds < 3
    assert one.answers_verified > 20 + 0.1 * one.requests
    assert {name: parts.requests > 0 for name, parts in one.endpoints.items()} == {
        "double": True,
        "half/../double": True,
    }
    whole = histograms.merge(histograms.decode(measured.histograms[one.histograms[name]]) for name in one.endpoints)
    assert whole.get_total_count() == one.requests
    assert histograms.percentiles(whole) == one.latency
    assert all("/" not in name for name in measured.histograms)
    assert isinstance(one.resources, ResourceUse)
    assert isinstance(one.resources.cpu_share, float)
    assert 0 < one.resources.cpu_share < 1.5, "counted twice, it would be near 2"
    assert isinstance(one.resources.cpu_seconds_per_request, float)
    assert isinstance(one.resources.anonymous_memory_bytes, int)
    assert one.resources.anonymous_memory_bytes > 1 << 20


@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        ("constant", Guard.CONTRACT_BROKEN, "is right"),
        ("lies", Guard.CONTRACT_BROKEN, "under load"),
        ("dies", Guard.EXITED, "giving up"),
        ("fails", Guard.FAILURES, "500"),
        ("hangs", Guard.LITTLES_LAW, "never ended"),
        ("refuses to start", Guard.EXITED, "no such setting"),
    ],
)
def test_a_wrong_server_gives_its_reason(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores, fault: str, reason: Guard, said: str
) -> None:
    measured = run(engine, tiny_image, generator_image, cores, fault)
    assert reasons(measured)[0] == reason
    assert said in measured.trial.broken_guards[0].evidence


def test_a_program_that_takes_half_of_the_targets_core_makes_a_trial_invalid(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    if cores.shared:
        pytest.skip("there is one core only, which the generator has too")
    neighbour = ContainerSpec(image=generator_image, role=Role.INSPECTOR, command=["-c", BUSY], cpuset=cores.target)
    with engine.running(neighbour):
        # The engine has to look in time, though it has half of a core too.
        measured, borne = (
            run(
                engine,
                tiny_image,
                generator_image,
                cores,
                "none",
                foreign_share_max=most,
                measure_s=6.0,
                ready_timeout_s=30.0,
            )
            for most in (0.25, 1.0)
        )
    assert reasons(measured) == [Guard.CORE_SHARED]
    assert borne.trial.valid
    for one in (measured.trial, borne.trial):
        assert isinstance(one.foreign_cpu_share, float)
        assert 0.3 < one.foreign_cpu_share < 1.0


def test_only_an_image_that_would_run_as_root_is_given_the_run_profiles_user(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    found = engine.image(generator_image)
    assert found is not None
    own = str(found["Config"].get("User") or "")
    measured = run(engine, tiny_image, generator_image, cores, "refuses to start")
    assert measured.trial.user == (own or "65532:65532")
    assert f"running as user {measured.trial.user}" in measured.trial.broken_guards[0].evidence
    for image_user, runs_as in (("root", "65532:65532"), ("0:0", "65532:65532"), ("10001:10001", "10001:10001")):
        with of_user(engine, generator_image, image_user) as image:
            spec = ContainerSpec(image=image, role=Role.TARGET, command=["-c", SERVER], profile=HARDENED)
            with engine.running(spec) as container:
                assert engine.state(container).user == runs_as


@contextmanager
def of_user(engine: Engine, generator_image: str, user: str) -> Iterator[str]:
    """Lend the generator's image with another user."""
    made = engine.create(ContainerSpec(image=generator_image, role=Role.INSPECTOR))
    try:
        image = made.commit("seatrial-test/user", user.replace(":", "-"), changes=f"USER {user}")
    finally:
        engine.remove(made)
    try:
        yield str(image.id)
    finally:
        engine.remove_image(str(image.id))


def test_a_variant_that_breaks_the_contract_gets_no_numbers(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    measured = run(engine, tiny_image, generator_image, cores, "lies")
    assert isinstance(measured.trial.latency, NotMeasured)
    assert isinstance(measured.trial.resources, NotMeasured)
    assert measured.trial.endpoints == {}
    assert measured.histograms == {}


def test_a_server_that_is_restarted(engine: Engine, tiny_image: Image, generator_image: str, cores: Cores) -> None:
    measured = run(engine, tiny_image, generator_image, cores, "dies", run_profile=HARDENED)
    assert reasons(measured)[0] == Guard.RESTARTED


def test_a_server_that_runs_out_of_memory(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    measured = run(engine, tiny_image, generator_image, cores, "hoards")
    assert reasons(measured)[:2] == [Guard.OUT_OF_MEMORY, Guard.EXITED]


def test_a_server_that_is_throttled_though_nothing_limits_it(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    over = threading.Event()

    def throttle() -> None:
        mine = [f"{labels.ROLE}=target", f"{labels.RUN}={engine.run_id}"]
        wanted: dict[str, str | list[str] | bool] = {"label": mine}
        while not over.wait(0.05):
            for container in engine.client.containers.list(filters=wanted, ignore_removed=True):
                container.update(cpu_period=100_000, cpu_quota=8_000)
                return

    planter = threading.Thread(target=throttle)
    planter.start()
    try:
        unlimited = PLAIN.model_copy(update={"cpus": None})
        measured = run(engine, tiny_image, generator_image, cores, "none", run_profile=unlimited, ready_timeout_s=30.0)
    finally:
        over.set()
        planter.join()
    assert Guard.THROTTLED in reasons(measured)


def test_the_open_model_counts_a_stall_from_the_moment_that_requests_were_due(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    rate = 100.0
    one = undisturbed(
        lambda: run(engine, tiny_image, generator_image, cores, "stalls", users=None, rate=rate, after_s=0.7)
    ).trial
    assert one.broken_guards == ()
    assert one.model == "open"
    assert one.requests == pytest.approx(rate * one.measured_seconds, abs=10), (
        "a client that waited out the stall would have sent 20 fewer"
    )
    assert isinstance(one.latency, Percentiles)
    assert isinstance(one.service_latency, Percentiles)
    assert one.latency.max_ms >= 200
    assert one.latency.mean_ms >= one.service_latency.mean_ms


def test_an_offered_rate_that_is_too_high_is_not_a_latency_figure(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    limited = PLAIN.model_copy(update={"cpus": 0.1})
    measured = run(
        engine, tiny_image, generator_image, cores, "none",
        users=None, rate=600.0, run_profile=limited, ready_timeout_s=30.0,
    )  # fmt: skip
    assert Guard.RATE_NOT_MET in reasons(measured)


def test_a_server_that_stalls_for_good_does_not_keep_up_with_what_is_due(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    measured = run(engine, tiny_image, generator_image, cores, "hangs", users=None, rate=100.0)
    guards = {one.guard: one.evidence for one in measured.trial.broken_guards}
    assert "saturated" in guards[Guard.RATE_NOT_MET]


class Memory:
    """A store that keeps what it is given, as a run's folder does."""

    def __init__(self) -> None:
        self.kept: list[Trial] = []
        self.timings: list[Calibration] = []
        self.files: dict[str, bytes] = {}
        self.logs: dict[str, str] = {}

    def trials(self) -> list[Trial]:
        return list(self.kept)

    def calibrations(self) -> list[Calibration]:
        return list(self.timings)

    def write_trial(self, one: Trial) -> None:
        self.kept.append(one)

    def write_histogram(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def write_calibration(self, one: Calibration) -> None:
        self.timings.append(one)

    def write_log(self, name: str, text: str) -> None:
        self.logs[name] = text


class Silent:
    """Counts the announced steps."""

    done = 0

    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def test_starts_and_stops(engine: Engine, tiny_image: Image, generator_image: str, cores: Cores) -> None:
    setting = TinySetting(run_profile=PLAIN, load_profile=SHORT, generator_image=generator_image, cores=cores)
    begun = list(starts.start_trials([(tiny_image, 1), (tiny_image, 2)], setting, engine))
    assert [one.index for one in begun] == [1, 2]
    for one in begun:
        assert isinstance(one.seconds_to_first_answer, float)
        assert 0.05 < one.seconds_to_first_answer < 8
    stopped: list[StopTrial | None] = []
    began = time.monotonic()
    starts.stop_trials([(tiny_image, 1), (tiny_image, 2)], setting, engine, stopped.append)
    took = time.monotonic() - began
    # As PID 1 without a handler, Python ignores SIGTERM.
    for one_stop in stopped:
        assert one_stop is not None
        assert one_stop.killed
        assert one_stop.exit_code == 137
        assert one_stop.seconds >= 2
    assert took < 20


def test_a_start_that_fails_says_why(engine: Engine, tiny_image: Image, generator_image: str, cores: Cores) -> None:
    setting = TinySetting(
        run_profile=PLAIN, load_profile=SHORT, generator_image=generator_image, cores=cores, fault="refuses to start"
    )
    (one,) = starts.start_trials([(tiny_image, 1)], setting, engine)
    assert isinstance(one.seconds_to_first_answer, NotMeasured)
    assert "no such setting" in one.seconds_to_first_answer.not_measured


def test_a_run_keeps_every_part_and_goes_on_from_them(
    engine: Engine, tiny_image: Image, generator_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Setting.target
    monkeypatch.setattr(
        Setting,
        "target",
        lambda self, image, namespace: dataclasses.replace(
            plain(self, image, namespace), command=["-c", SERVER, "none", "9"]
        ),
    )
    plan = pending.Plan(images=[tiny_image], run_profile=PLAIN, load_profile=SHORT, seed=3)
    store, progress = Memory(), Silent()
    announced = pending.steps_left(plan, store.trials())
    schedule.run(plan, engine=engine, generator_image=generator_image, store=store, progress=progress)
    assert progress.done == announced == 4
    assert sum(isinstance(one, StartTrial) for one in store.kept) == 2
    assert sum(isinstance(one, StopTrial) for one in store.kept) == 1
    loads = [one for one in store.kept if isinstance(one, LoadTrial)]
    assert [one.valid for one in loads][-1:] == [True]
    assert set(loads[-1].histograms.values()) <= set(store.files)
    assert [one.round for one in store.timings] == [1]
    kept = list(store.kept)
    again = Silent()
    schedule.run(plan, engine=engine, generator_image=generator_image, store=store, progress=again)
    assert store.kept == kept
    assert again.done == pending.steps_left(plan, store.trials()) == 0


def test_a_journey_that_the_contract_lacks_is_refused_before_anything_is_measured(
    engine: Engine, generator_image: str
) -> None:
    def named(*names: str) -> LoadProfile:
        return SHORT.model_copy(update={"journeys": dict.fromkeys(names, 1)})

    journeys.check(engine, generator_image, named("double"))
    with pytest.raises(
        UsageError, match=r"the journey 'treble', of which the contract has no case: KeyError"
    ) as caught:
        journeys.check(engine, generator_image, named("double", "treble"))
    assert "double" in caught.value.hint


def test_a_peak_that_cannot_be_seen_is_not_measured_and_says_why(
    engine: Engine, generator_image: str, cores: Cores
) -> None:
    """What is asked where the engine gives no peak; an engine on cgroup v2 lets it be seen, one on v1 does not."""
    setting = Setting(run_profile=PLAIN, load_profile=SHORT, generator_image=generator_image, cores=cores)
    spec = ContainerSpec(image=generator_image, role=Role.TARGET, command=["-c", "import time; time.sleep(60)"])
    with engine.running(spec) as container:
        found = peak_memory.read(engine, container, setting)
    if engine.info().get("CgroupVersion") == "2":
        assert isinstance(found, int)
        assert found > 1 << 20
    else:
        assert isinstance(found, NotMeasured)
        assert "memory.peak" in found.not_measured
