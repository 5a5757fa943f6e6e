"""A neighbour's own account: what its processes note, what its cgroup counts, and whose limit it was."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.engine.client import ContainerState
from harness.model import NeighbourKind, NotMeasured
from loadtests.inside.neighbour_kinds import KINDS
from loadtests.inside.neighbour_notes import Account, Notes
from loadtests.inside.own_cgroup import counters
from loadtests.neighbour_beside import seen_of

V1 = {
    "cpuacct/cpuacct.usage": "2500000000\n",
    "cpu/cpu.stat": "nr_periods 20\nnr_throttled 7\nthrottled_time 1500000000\n",
    "memory/memory.failcnt": "12\n",
    "memory/memory.limit_in_bytes": "2097152\n",
    "memory/memory.max_usage_in_bytes": "1048576\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "pids/pids.events": "max 5\n",
}
V2 = {
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\nnr_throttled 7\nthrottled_usec 1500000\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\n",
    "memory.peak": "1048576\n",
    "memory.max": "2097152\n",
    "pids.events": "max 5\n",
}


@pytest.mark.parametrize("files", [V1, V2], ids=["cgroup v1", "cgroup v2"])
def test_the_kernels_counters_read_alike_in_both_versions(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "ascii")
    assert counters(tmp_path) == pytest.approx(
        {
            "cpu_seconds": 2.5, "throttled_periods": 7, "throttled_seconds": 1.5, "memory_peak_bytes": 1 << 20,
            "memory_at_limit": 12, "memory_limit_bytes": 2 << 20, "oom_kills": 3, "forks_refused": 5,
        }
    )  # fmt: skip


def test_what_the_kernel_does_not_show_is_left_out(tmp_path: Path) -> None:
    assert counters(tmp_path) == {}


def test_notes_are_summed_up_though_they_come_in_parts() -> None:
    reader, writer = os.pipe()
    try:
        notes = Notes(writer)
        notes.add("processes", 3)
        notes.add("processes", 4)
        notes.most("at once", 4)
        notes.most("at once", 2)
        notes.refused({errno.EAGAIN: "pids"}, OSError(errno.EAGAIN, "no"))
        notes.refused({errno.EAGAIN: "pids"}, OSError(errno.EIO, "broken"))
        data = os.read(reader, 65536)
    finally:
        os.close(reader)
        os.close(writer)
    account = Account()
    account.take(data[:17])
    account.take(data[17:])
    assert account.did == {"processes": 7, "at once": 4}
    assert account.stops == {("pids", "EAGAIN"): 1, ("harness", "EIO"): 1}


def test_there_is_a_program_for_every_kind() -> None:
    assert set(KINDS) == {kind.name.lower() for kind in NeighbourKind}


def done(stops: list[list[object]], **end: float) -> dict[str, object]:
    begin = {"at": 1.0, "cpu_seconds": 0.0, "throttled_periods": 2.0, "throttled_seconds": 0.5, "oom_kills": 0.0,
             "memory_at_limit": 0.0}  # fmt: skip
    return {
        "over": "told to", "did": {"processes at once": 62}, "stops": stops,
        "readings": {"begin": begin, "measured": {**begin, "at": 2.0}, "end": {**begin, "at": 4.0, **end}},
    }  # fmt: skip


def test_a_limit_that_it_had_not_is_the_harness_own() -> None:
    for limits, whose in ((("pids",), "pids"), ((), "harness")):
        found = seen_of(done([["pids", "EAGAIN", 4]]), None, limits)
        assert [(one.limit, one.how, one.count) for one in found.stopped_by] == [(whose, "EAGAIN", 4)]
        assert "62" in found.stopped_by[0].evidence


def test_a_victim_that_takes_no_connection_is_no_limit_of_the_network() -> None:
    said = done([["network", "ECONNREFUSED", 9]])
    assert seen_of(said, None, ("network",)).stopped_by[0].limit == "network"
    assert seen_of(said, None, ("cpus",)).stopped_by[0].limit == "victim"


def test_the_kernels_counts_are_evidence_of_what_no_call_is_told_of() -> None:
    said = done([], cpu_seconds=0.5, throttled_periods=12.0, throttled_seconds=2.0, oom_kills=2.0, memory_at_limit=40.0)
    found = seen_of(said, None, ("cpus", "memory"))
    assert {(one.limit, one.how): one.count for one in found.stopped_by} == {
        ("cpus", "CPU throttled"): 10, ("memory", "OOM kill"): 2, ("memory", "reclaim at the limit"): 40,
    }  # fmt: skip
    assert found.cpu_share == pytest.approx(0.25)
    assert found.throttled_seconds == pytest.approx(1.5)


def test_a_peak_at_the_limit_tells_of_reclaim_where_the_kernel_does_not_count_it() -> None:
    for peak, how in ((128 << 20, ["reclaim at the limit"]), (100 << 20, [])):
        said = done([], memory_peak_bytes=peak - (256 << 10), memory_limit_bytes=128 << 20)
        assert [one.how for one in seen_of(said, None, ("memory",)).stopped_by] == how


def test_one_that_was_killed_whole_has_no_account_but_an_end() -> None:
    state = ContainerState(running=False, exit_code=137, oom_killed=True, restarts=0, started_at="")
    found = seen_of(None, state, ("memory",))
    assert [(one.limit, one.how) for one in found.stopped_by] == [("memory", "OOM kill")]
    assert isinstance(found.cpu_share, NotMeasured)
    assert "137" in found.ended
