"""What a run is asked: each question is answered in tables from its parts, or names the command that measures it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from harness.asked import answered
from harness.figures import times
from harness.model import (
    ArmResult,
    AskedQuestion,
    CapacityResult,
    Configuration,
    Experiment,
    Interval,
    NotMeasured,
    Ratio,
    Results,
    StartSplit,
    StartTrial,
    StopLoad,
    StopTrial,
    Tuning,
)
from harness.results import RunFolder
from harness.statistics import LEAST_ROUNDS
from seatrial.answers import command, rendered
from seatrial.terminal import Terminal
from tests import results_factory
from tests.made_trials import percentiles

MADE = results_factory.make()
NOT = NotMeasured(not_measured="made for a test")
METHOD = "made for a test"


def ask(number: int, **parts: Any) -> AskedQuestion:
    results = MADE.results.model_copy(update=parts)
    return answered(results, MADE.histogram)[number - 1]


def judged(value: float, **changed: Any) -> Ratio:
    fields: dict[str, Any] = {"value": value, "low": value * 0.9, "high": value * 1.1, "significant": True}
    return Ratio(**(fields | {"method": METHOD} | changed))


def rate(value: float) -> Interval:
    return Interval(value=value, low=value * 0.9, high=value * 1.1, n=6)


def arm(name: str, baseline: str | None = None, **changed: Any) -> ArmResult:
    fields: dict[str, Any] = {
        "name": name, "what": f"way {name}", "baseline": baseline, "method": "rounds", "throughput_rps": rate(100),
        "latency": percentiles(9), "cpu_ms_per_request": rate(1),
        "throughput_ratio": judged(0.5) if baseline else None,
    }  # fmt: skip
    return ArmResult(**(fields | changed))


def experiment(question: str, *arms: ArmResult, **changed: Any) -> Experiment:
    fields: dict[str, Any] = {
        "variant": "slim-gunicorn", "image_digest": "d", "run_profile": "hardened", "finished": True,
        "question": question, "title": "T", "load_profile": "quick", "users": 32, "rounds": 6, "arms": arms,
        "remarks": ("A remark.",),
    }  # fmt: skip
    return Experiment(**(fields | changed))


def search(variant: str, rps: float) -> CapacityResult:
    return CapacityResult(
        variant=variant, image_digest="d", run_profile="hardened", finished=True, load_profile="quick",
        objective_p99_ms=100, tolerance=0.05, start_rps=100, capacity_rps=rps, step_up_rps=rps * 1.05, confirmed=True,
    )  # fmt: skip


def test_all_eight_are_answered_in_order_and_kept_with_the_results() -> None:
    found = answered(MADE.results, MADE.histogram)
    assert [one.number for one in found] == list(range(1, 9))
    whole = MADE.results.model_copy(update={"asked": found})
    assert Results.model_validate_json(whole.model_dump_json()).asked == found


@pytest.mark.parametrize(
    ("number", "command_line"),
    [
        (1, "seatrial capacity"),
        (2, "--of classes"),
        (3, "--of hardening"),
        (4, "--of path"),
        (5, "--of process"),
        (6, "seatrial tune"),
        (7, "seatrial load"),
        (8, "loaded_stops"),
    ],
)
def test_what_was_not_measured_names_the_command_that_measures_it(number: int, command_line: str) -> None:
    assert command_line in " ".join(ask(number).missing)


def test_capacity_is_the_headline_and_two_capacities_are_told_apart_by_their_steps() -> None:
    (first, second) = ask(1, capacities=(search("slim-gunicorn", 900), search("alpine-gunicorn", 700))).sentences
    assert first.startswith("slim-gunicorn serves most: capacity 900 req/s")
    assert f"{times(900 / 700)} that of alpine-gunicorn, better" in second
    assert "confirmed capacities" in second


def test_without_capacities_throughput_says_who_serves_most() -> None:
    first = ask(1).sentences[0]
    assert first.startswith("slim-gunicorn serves most: throughput")
    assert first.endswith("of those with a figure."), "slim-dev has no valid trial"


def test_a_variant_that_is_only_known_to_serve_at_least_so_much_may_serve_more() -> None:
    limited = search("alpine-gunicorn", 700).model_copy(update={"at_least": True, "confirmed": False})
    first = ask(1, capacities=(search("slim-gunicorn", 900), limited)).sentences[0]
    assert first.startswith("slim-gunicorn serves most: capacity 900 req/s")
    assert first.endswith("of those with a figure; alpine-gunicorn may serve more.")


def test_bases_stand_beside_their_interpreters_and_stand_ins_are_called_that() -> None:
    found = ask(2)
    rows = {row.variant: row for row in found.tables[0].rows}
    assert rows["alpine-gunicorn"].against == "slim-gunicorn"
    assert rows["slim-gunicorn"].against is None
    assert "musl" in rows["alpine-gunicorn"].facts["interpreter"]
    assert "with LTO" in rows["alpine-gunicorn"].facts["interpreter"]
    assert any("python:3.13-alpine3.23 is said of a stand-in" in line for line in found.sentences)
    servers = {row.variant: row for row in found.tables[1].rows}
    assert servers["slim-gunicorn"].against == "slim-dev"
    assert "article" not in servers


@pytest.mark.parametrize("number", range(1, 9))
def test_every_difference_names_its_method(number: int) -> None:
    arms = (arm("a"), arm("b", "a"), arm("c", "a", throughput_ratio=judged(1.0, significant=False)))
    parts = tuple(experiment(one, *arms) for one in ("hardening", "path", "process", "classes"))
    for line in ask(number, experiments=parts).sentences:
        if any(word in line for word in ("better", "worse", "~")):
            assert "method: " in line.lower()


@pytest.mark.parametrize(("number", "question"), [(3, "hardening"), (4, "path"), (5, "process")])
def test_what_one_thing_costs(number: int, question: str) -> None:
    gap = arm("c", "a", throughput_rps=NOT)
    found = ask(number, experiments=(experiment(question, arm("a"), arm("b", "a"), gap),))
    (table,) = found.tables
    assert [(row.way, row.against) for row in table.rows] == [("a", None), ("b", "a"), ("c", "a")]
    within = f"{times(0.45)} to {times(0.55)}"
    said = f"slim-gunicorn, b: throughput is {times(0.5)} that of a, worse ({within}; method: {METHOD})."
    assert said in found.sentences
    assert found.missing == ("slim-gunicorn, c: made for a test.",)
    assert found.remarks == ("A remark.",)


def test_scaling_has_axes() -> None:
    limits = experiment("cpus", arm("1"), arm("0.5", "1"), arm("all", "1"))
    grid = experiment("workers", arm("as built"), arm("1x1", "as built"), arm("2x8", "as built"))
    first, second = ask(6, experiments=(limits, grid)).tables
    assert [row.x for row in first.rows] == [1.0, 0.5, float(MADE.results.environment.cores)]
    assert [(row.x, row.series) for row in second.rows] == [
        (None, "as built"),
        (1.0, "1 thread a worker"),
        (2.0, "8 threads a worker"),
    ]


def tuned(**changed: Any) -> Tuning:
    fields: dict[str, Any] = {
        "variant": "slim-gunicorn", "image_digest": "d", "run_profile": "hardened", "finished": True, "cpus": 1.0,
        "memory_bytes": 256 << 20, "objective_p99_ms": 100, "tolerance": 0.05, "start_rps": 100, "seed": 1,
        "configurations": (
            Configuration(name="3x1-sync", arguments="--workers 3", why="gunicorn's advice"),
            Configuration(name="1x8-gthread", arguments="--workers 1 --threads 8"),
            Configuration(name="slow", arguments="--workers 9"),
        ),
        "advice": "3x1-sync", "best": "1x8-gthread", "gain": judged(1.8),
        "finals": {"1x8-gthread": search("slim-gunicorn", 900), "3x1-sync": search("slim-gunicorn", 500)},
    }  # fmt: skip
    return Tuning(**(fields | changed))


def test_the_configuration_to_use_and_its_gain_with_interval_and_method() -> None:
    found = ask(6, tunings=(tuned(),))
    assert found.sentences == (
        'Use: GUNICORN_CMD_ARGS="--workers 1 --threads 8"',
        f"Capacity over gunicorn's usual advice (3x1-sync): {times(1.8)} ({times(1.62)} to {times(1.98)}). "
        f"Method: {METHOD}.",
    )
    (table,) = found.tables
    assert "under 1 CPUs and 268.4 MB" in table.title
    rows = {row.way: row for row in table.rows}
    assert rows["1x8-gthread"].against == "3x1-sync"
    assert isinstance(rows["3x1-sync"].cells["capacity_rps"].value, Interval)
    assert isinstance(rows["slow"].cells["capacity_rps"].value, NotMeasured)


def starts(count: int) -> tuple[StartTrial, ...]:
    return tuple(
        StartTrial(
            id=f"start-{index}", variant="slim-dev", image_digest="d", run_profile="hardened", index=index,
            started_at=datetime(2026, 1, 1, tzinfo=UTC), seconds_to_first_answer=index / 10, engine_seconds=0.01,
        )
        for index in range(1, count + 1)
    )  # fmt: skip


def splits(count: int) -> tuple[StartSplit, ...]:
    return tuple(
        StartSplit(
            id=f"split-{index}", variant="slim-dev", image_digest="d", run_profile="hardened", index=index,
            started_at=datetime(2026, 1, 1, tzinfo=UTC), imported=("app",), interpreter_seconds=0.01,
            import_seconds=0.09 + index / 1e4, interpreter_seconds_without_bytecode=0.01,
            import_seconds_without_bytecode=0.19 + index / 1e4,
        )
        for index in range(1, count + 1)
    )  # fmt: skip


def test_ten_starts_are_a_distribution_and_bytecode_has_its_price() -> None:
    found = ask(7, start_trials=starts(11), start_splits=splits(3))
    (row,) = found.tables[0].rows
    assert [(one.way, one.facts["starts"]) for one in found.tables[1].rows] == [
        ("compiled bytecode", "3"),
        ("without it", "3"),
    ]
    assert [row.cells[name].value for name in ("fastest", "median", "slowest")] == [
        Interval(value=value, low=None, high=None, n=1) for value in (0.1, 0.6, 1.1)
    ]
    assert "slim-dev" not in found.missing[0]
    (line,) = found.sentences
    assert line.startswith("slim-dev without compiled bytecode: interpreter and import is ")
    assert f"{times(1.998)} that of the same with it" in line
    assert f"paired by container, Student's t on {LEAST_ROUNDS} log ratios" in line
    assert len(found.tables[3].rows) == 11
    assert found.tables[3].for_chart


def test_fewer_starts_are_called_too_few() -> None:
    found = ask(7, start_trials=starts(9))
    assert "slim-dev (9)" in found.missing[0]


def stop(index: int, lost: int | None, *, killed: bool = False) -> StopTrial:
    load = None if lost is None else StopLoad(
        users=8, answered=100, lost=lost, lost_on_kept_connections=0, wrong=0, refused=3, examples=(),
    )  # fmt: skip
    return StopTrial(
        id=f"stop-{index}", variant="slim-dev", image_digest="d", run_profile="hardened", index=index,
        started_at=datetime(2026, 1, 1, tzinfo=UTC), timeout_s=10, seconds=10.1 if killed else 0.3,
        exit_code=137 if killed else 0, killed=killed, load=load,
    )  # fmt: skip


def test_a_stop_under_load_says_what_was_lost_and_how_it_ended() -> None:
    found = ask(8, stop_trials=(stop(1, 2), stop(2, 4), stop(3, None, killed=True)))
    loaded, idle = found.tables[0].rows
    assert (loaded.way, idle.way) == ("under load", "idle")
    assert loaded.facts["exit codes"] == "0 (2 of 2)"
    assert idle.facts["killed"] == "1 of 1"
    assert isinstance(idle.cells["stop_lost_requests"].value, NotMeasured)
    assert found.sentences[0].startswith("slim-dev lost 2.83 requests a stop under load")


def test_the_terminal_shows_tables_sentences_and_gaps() -> None:
    out = io.StringIO()
    for one in answered(MADE.results.model_copy(update={"tunings": (tuned(),)}), MADE.histogram):
        for line in rendered(one):
            Console(file=out, width=200).print(line)
    text = out.getvalue()
    for word in (
        "1. Which variant",
        "8. What does SIGTERM",
        "Use: GUNICORN",
        "musl",
        "Ratios: paired by round",
    ):
        assert word in text
    assert times(1.8) in text
    assert "Every start" not in text


def test_the_command_reads_a_run(tmp_path: Any) -> None:
    folder = RunFolder(tmp_path / "run")
    (tmp_path / "run").mkdir()
    empty = MADE.results.model_copy(update={"load_trials": (), "start_trials": (), "scans": ()})
    (tmp_path / "run" / "results.json").write_text(empty.model_dump_json())
    done = CliRunner().invoke(command, ["--results", str(folder.path), "--of", "4"], obj=Terminal())
    assert done.exit_code == 0, done.output
