"""What `seatrial cost` and `seatrial capacity` print: every row, and for every gap a reason."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.asked.one_thing import experiment_table, gaps
from harness.model import ArmResult, CapacityResult, Experiment, Interval, NotMeasured, Ratio
from harness.results import RunFolder
from seatrial import capacity, cost
from seatrial.answers import beside, of_table
from tests.unit.test_slices_kept import A, B, comparison

NONE = NotMeasured(not_measured="the engine has no bridge")


def arm(name: str, **changed: Any) -> ArmResult:
    fields: dict[str, Any] = {
        "name": name, "what": f"way {name}", "baseline": None, "method": "rounds", "throughput_rps": NONE,
        "latency": NONE, "cpu_ms_per_request": NONE,
    }  # fmt: skip
    return ArmResult(**(fields | changed))


def experiment(*arms: ArmResult) -> Experiment:
    return Experiment(
        variant="slim", image_digest="d", run_profile="hardened", finished=True, question="path", title="What it costs",
        load_profile="quick", users=32, rounds=6, arms=arms,
    )  # fmt: skip


def printed(shown: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(shown)
    return out.getvalue()


def test_an_experiment_is_a_line_a_way() -> None:
    ratio = Ratio(value=0.62, low=0.6, high=0.64, significant=True, method="rounds")
    found = experiment(
        arm("namespace", throughput_rps=Interval(value=5600, low=5500, high=5700, n=6)),
        arm("published", baseline="namespace", throughput_ratio=ratio, cpu_ratio=NONE),
    )
    text = printed(of_table(experiment_table(found)))
    assert "5,600" in text
    assert "0.62" in text
    assert "published" in text
    assert gaps(found) == ["slim, published: the engine has no bridge."]
    assert beside(experiment_table(found)) == ["Ratios: rounds."]
    assert cost.measured(found)
    assert not cost.measured(experiment(arm("namespace")))


def result(**changed: Any) -> CapacityResult:
    fields: dict[str, Any] = {
        "variant": "slim", "image_digest": "d", "run_profile": "hardened", "finished": True, "load_profile": "full",
        "objective_p99_ms": 100, "tolerance": 0.05, "start_rps": 100, "capacity_rps": 812.0, "step_up_rps": 852.6,
        "confirmed": True,
    }  # fmt: skip
    return CapacityResult(**(fields | changed))


def test_capacities_are_told_with_what_is_not_sure_of_them() -> None:
    least = result(capacity_rps=3000.0, step_up_rps=None, confirmed=False, at_least=True, remark="the generator's end")
    none = result(capacity_rps=NotMeasured(not_measured="nothing held"), confirmed=False, step_up_rps=None)
    text = printed(capacity.table([result(), least, none]))
    for word in ("812", "853 missed", "at least 3,000", "the generator's end", "nothing held", "100 ms"):
        assert word in text
    assert capacity.exit_code([result()]) == 0
    assert capacity.exit_code([result(), least]) == 6


def test_an_experiment_goes_with_its_sliced_comparisons_and_no_others(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    for one in (A, B):
        folder.write_image(one)
    for name in ("mine", "another"):
        folder.write_sliced(comparison(A, B).model_copy(update={"id": name}))
    known = experiment(arm("+user", method="slices", sliced="mine")).model_copy(
        update={"variant": A.variant, "image_digest": A.digest}
    )
    folder.write_answer(known)
    cost.forget(folder, known)
    assert folder.answers(Experiment) == ()
    assert [one.id for one in folder.sliced()] == ["another"]
