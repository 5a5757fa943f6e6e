"""`seatrial compare` and `seatrial baseline` on folders: what A and B may be, what is told, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.model import RunComparison
from seatrial.cli import main
from tests.results_factory import Made, make

THRESHOLDS = """
[[regression]]
metric = "size_bytes"
worse_by = 0.05
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project with two runs, of which the second's images are larger by a tenth."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "limits.toml").write_text(THRESHOLDS, "utf-8")
    (tmp_path / "seatrial.toml").write_text('budgets = "limits.toml"\n', "utf-8")
    made = make(seed=3)
    write(tmp_path / "results" / "first", made)
    images = tuple(one.model_copy(update={"size_bytes": int(one.size_bytes * 1.1)}) for one in made.results.images)
    write(tmp_path / "results" / "second", made, images=images, run_id="second")
    (tmp_path / "results" / "latest").symlink_to("first")
    return tmp_path


def write(folder: Path, made: Made, **changes: Any) -> None:
    (folder / "histograms").mkdir(parents=True)
    (folder / "results.json").write_text(made.results.model_copy(update=changes).model_dump_json(), "utf-8")
    for name, data in made.files.items():
        (folder / "histograms" / name).write_bytes(data)


def test_two_runs_by_id_are_compared_and_a_regression_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "first", "second"]) == 1
    said = capsys.readouterr().out
    assert "EXCEEDED" in said
    assert "slim-gunicorn: size at most 5% worse than before" in said
    assert main(["compare", "second", "first"]) == 0
    assert main(["compare", "results/first", "results/first"]) == 0


def test_json_is_the_comparison_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "first", "second", "--format", "json"]) == 1
    found = RunComparison.model_validate(json.loads(capsys.readouterr().out))
    assert len(found.comparisons) == 7
    assert found.verdicts


def test_markdown_and_annotations(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["compare", "first:slim-dev", "second:slim-dev", "--format", "markdown"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("### Verdicts")
    assert "| metric | before | after |" in said
    assert main(["compare", "first:slim-dev", "second:slim-dev", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error title=slim-dev%3A size at most 5%25 worse than before::")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["compare", "first:slim-dev", "second:slim-dev"]) == 1
    said = capsys.readouterr().out
    assert "Figures" in said
    assert "\n::error " in said


def test_two_variants_of_the_latest_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "article", "slim-gunicorn"]) == 0
    assert "article → slim-gunicorn" in capsys.readouterr().out
    assert main(["compare", "alpine-gunicorn", "slim-gunicorn"]) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["first"], 2, "one side", id="one side"),
        pytest.param(["first", "second", "first"], 2, "3 sides", id="three sides"),
        pytest.param(["first", "second:slim-dev"], 2, "not of one kind", id="a run and a variant"),
        pytest.param(["first:slim-dev", "second:what"], 2, "has no variant 'what'", id="no such variant"),
        pytest.param(["results", "./results"], 7, "", id="a folder without results"),
        pytest.param(["--baseline", "gone.json"], 2, "There is no stored baseline gone.json", id="no such baseline"),
        pytest.param(["--prefer", "speed"], 2, "no such metric", id="no such metric"),
    ],
)
def test_what_cannot_be_compared(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    if words[0] == "results":
        words = ["./results", "./results"]
    assert main(["compare", *words]) == code
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed


def test_a_stored_baseline_judges_later_runs(capsys: pytest.CaptureFixture[str], folders: Path) -> None:
    assert main(["compare", "--results", "results/second"]) == 6  # slim-dev has no valid trial, and that goes before
    assert "regression thresholds were not applied" in capsys.readouterr().err
    assert main(["baseline", "save", "--from", "first"]) == 0
    assert (folders / "seatrial-baseline.json").exists()
    assert "7 variants" in capsys.readouterr().out
    main(["compare", "--results", "results/second"])
    said = capsys.readouterr().out
    assert "EXCEEDED      slim-gunicorn: size at most 5% worse than before" in said
    assert main(["compare", "seatrial-baseline.json", "second"]) == 1
    said = capsys.readouterr().out
    assert "a stored baseline keeps figures only" in said
    assert main(["compare", "seatrial-baseline.json", "first"]) == 0


def test_a_baseline_that_is_named_is_written_there_and_read_from_there(folders: Path) -> None:
    assert main(["baseline", "save", "--from", "results/first", "--baseline", "kept/base.json"]) == 0
    assert not (folders / "seatrial-baseline.json").exists()
    (folders / "seatrial.toml").write_text('budgets = "limits.toml"\nstored_baseline = "kept/base.json"\n', "utf-8")
    main(["compare", "--results", "results/second"])
    judged = json.loads((folders / "results" / "second" / "results.json").read_text("utf-8"))["verdicts"]
    assert {one["about"] for one in judged} == {"regression"}


def test_compare_tells_the_pick_under_what_is_preferred(capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", "--prefer", "compressed_bytes"])
    assert "Ship alpine-gunicorn." in capsys.readouterr().out
    main(["compare", "--prefer", "throughput_rps", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert found["recommendation"]["pick"] in ("slim-gunicorn", "distroless-gunicorn")
    assert "throughput 100%" in found["recommendation"]["rule"]


def test_nothing_judged_is_said(capsys: pytest.CaptureFixture[str], folders: Path) -> None:
    (folders / "limits.toml").write_text(THRESHOLDS + 'variants = "another-*"\n', "utf-8")
    assert main(["compare", "first:slim-dev", "second:slim-dev"]) == 0
    assert "nothing was judged" in capsys.readouterr().err


def test_a_report_weighs_what_is_preferred_as_compare_does(folders: Path) -> None:
    assert main(["report", "--prefer", "compressed_bytes"]) == 0
    assert (folders / "results" / "first" / "summary.md").read_text("utf-8").startswith("# Ship alpine-gunicorn.")
    assert main(["report", "--trend", "results", "--prefer", "compressed_bytes"]) == 2


def test_what_is_accepted_today_is_no_fix_in_a_report_beside_an_earlier_run(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = json.loads((folders / "results" / "first" / "results.json").read_text("utf-8"))
    (first, *_) = (one["id"] for scan in known["scans"] for one in scan["findings"] if scan["variant"] == "article")
    (folders / "accepted.toml").write_text(
        f'[[ignore]]\nid = "{first}"\ncomponent = "*"\nvariant = "*"\nreason = "known"\nexpiry = 2099-01-01\n', "utf-8"
    )
    (folders / "seatrial.toml").write_text('budgets = "limits.toml"\nignore = "accepted.toml"\n', "utf-8")
    kept: dict[str, RunComparison] = {}
    monkeypatch.setattr("seatrial.report.html.write", lambda *_, **said: kept.update(found=said["compared"]))
    assert main(["report", "--results", "results/second", "--against", "results/first"]) == 0
    (article,) = [one for one in kept["found"].comparisons if one.after.variant == "article"]
    counted = article.figure("findings")
    assert counted is not None
    assert counted.judged == "same"


def test_json_is_asked_for_in_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "compare", "first", "second", "--format", "markdown"]) == 2
    assert "two forms" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert main(["--json", "baseline", "save"]) == 0
    assert json.loads(capsys.readouterr().out)["baseline"] == "seatrial-baseline.json"
