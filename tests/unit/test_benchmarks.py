"""What the benchmarks hold figures against: wrk's output, the arithmetic of a stall, and lines that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bench, stall, wrk
from harness.errors import UnreadableOutput

WRK = """Running 5s test @ http://127.0.0.1:5000/plaintext?message=mast
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    15.44ms    1.27ms  43.12ms   92.71%
    Req/Sec     2.08k    92.05     2.26k    78.00%
  10354 requests in 5.01s, 4.72MB read
Requests/sec:   2068.47
Transfer/sec:      0.94MB
"""
"""As wrk 4.1.0 prints it."""


def test_wrks_figure_is_read() -> None:
    assert wrk.parse(WRK) == 2068.47


@pytest.mark.parametrize(
    "said",
    [
        "",
        "unable to connect to 127.0.0.1:5000 Connection refused\n",
        WRK.replace("Requests/sec:", "  Socket errors: connect 0, read 31, write 0, timeout 0\nRequests/sec:"),
        WRK.replace("Requests/sec:", "  Non-2xx or 3xx responses: 10354\nRequests/sec:"),
        WRK.replace("2068.47", "0.00"),
    ],
    ids=["nothing", "nobody listens", "errors", "failures", "none answered"],
)
def test_a_figure_of_failed_requests_is_none(said: str) -> None:
    with pytest.raises(UnreadableOutput):
        wrk.parse(said)


def test_what_is_due_in_a_stall_waits_for_its_end() -> None:
    """Ten a second, each of 1 ms, the fifth of 200 ms more: the sixth waits for half of them."""
    found = stall.expected_ms(rate=10.0, every=5, service_s=0.001, requests=8)
    assert found == pytest.approx([1, 1, 1, 1, 201, 102, 3, 1])


def test_a_queue_drains_at_the_servers_pace() -> None:
    """A hundred a second, each of 5 ms: 200 ms of stall are made up for at 5 ms a request, 40 requests long."""
    found = stall.expected_ms(rate=100.0, every=100, service_s=0.005, requests=199)
    assert found[99] == pytest.approx(205)
    assert found[119] == pytest.approx(105)
    assert found[139:] == pytest.approx([5] * 60)


def test_a_benchmark_goes_on_from_its_own_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    made: list[int] = []

    def measured(seed: int) -> dict[str, object]:
        made.append(seed)
        return {"ratio": {"value": 1.0}}

    kept = bench.Kept("x", image_digest="sha256:1", generator="g:1")
    assert [one["number"] for one in bench.repeat(kept, "a", 2, measured)] == [1, 2]
    assert [one["number"] for one in bench.repeat(kept, "a", 3, measured)] == [1, 2, 3]
    assert len(set(made)) == len(made) == 3
    bench.repeat(bench.Kept("x", image_digest="sha256:1", generator="g:2"), "a", 1, measured)
    bench.repeat(kept, "b", 1, measured)
    assert len(made) == 5
