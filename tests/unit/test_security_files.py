"""Decisions and security files through the command: marks in the parts, the gate's exit code, files written anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.model import Results, RunInfo, Trial
from harness.results import RunFolder
from harness.settings import load as load_settings
from images import variants as variant_files
from seatrial import cli
from tests.made_scans import finding, scan, vulnerability
from tests.results_factory import make

SBOM = Path(__file__).parent.parent / "assets" / "scanners" / "syft-1.18.1-alpine.cdx.json"
ENTRY = """[[ignore]]
id = "{id}"
component = "{component}"
variant = "slim-dev"
reason = "known"
expiry = {expiry}
"""
BUDGET = '[[budget]]\nmetric = "vulnerabilities"\nvariants = "slim-dev"\nmax = 0\n'


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run's folder with one scan, and settings with an ignore file and a budget beside it."""
    made = make()
    folder = RunFolder(tmp_path / "run")
    fields = made.results.model_dump(include=set(RunInfo.model_fields))
    folder.write_run(RunInfo.model_validate(fields))
    folder.write_variants(made.results.variants)
    for image in made.results.images:
        folder.write_image(image)
    # A variant that was loaded in vain would end every comparison with an exit code of its own.
    loads = [trial for trial in made.results.load_trials if trial.variant != "slim-dev"]
    trials: list[Trial] = [*made.results.start_trials, *made.results.stop_trials, *loads]
    for trial in trials:
        folder.write_trial(trial)
    for name, data in made.files.items():
        folder.write_histogram(name, data)
    digest = next(one.digest for one in made.results.images if one.variant == "slim-dev")
    folder.write_scan(scan(finding(), vulnerability(), image_digest=digest))
    (folder.folder("sbom") / "slim-dev.cdx.json").write_bytes(SBOM.read_bytes())
    (tmp_path / "ignore.toml").write_text("", "utf-8")
    (tmp_path / "budgets.toml").write_text(BUDGET, "utf-8")
    (tmp_path / "seatrial.toml").write_text('ignore = "ignore.toml"\nbudgets = "budgets.toml"\n', "utf-8")
    return folder


def command(verb: str, run: RunFolder) -> int:
    return cli.main([verb, "--settings", str(run.path.parent / "seatrial.toml"), "--results", str(run.path)])


def ignore(run: RunFolder, identifier: str, component: str, expiry: str = "2999-01-01") -> None:
    text = ENTRY.format(id=identifier, component=component, expiry=expiry)
    (run.path.parent / "ignore.toml").write_text(text, "utf-8")


def test_an_ignored_vulnerability_is_marked_in_the_parts_and_no_longer_counts(run: RunFolder) -> None:
    assert command("compare", run) == 1
    ignore(run, "CVE-2026-1000", "libssl3")
    assert command("compare", run) == 0
    (part,) = run.scans()
    assert part.vulnerabilities[0].suppressed is not None
    whole = Results.model_validate_json((run.path / "results.json").read_bytes())
    assert whole.scans == (part,)
    assert whole.decisions is not None
    assert whole.decisions.stale == ()


def test_a_withdrawn_decision_is_taken_out_of_the_parts(run: RunFolder) -> None:
    ignore(run, "CVE-2026-1000", "libssl3")
    command("compare", run)
    (run.path.parent / "ignore.toml").write_text("", "utf-8")
    assert command("compare", run) == 1
    assert run.scans()[0].vulnerabilities[0].suppressed is None


@pytest.mark.parametrize(
    ("identifier", "expiry", "said"),
    [("CVE-1999-1", "2999-01-01", "matches nothing"), ("CIS-4.1", "2000-01-01", "expired on 2000-01-01")],
)
def test_an_entry_that_does_not_hold_fails_the_gate(
    run: RunFolder, identifier: str, expiry: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.path.parent / "budgets.toml").write_text(BUDGET.replace("max = 0", "max = 9"), "utf-8")
    assert command("compare", run) == 0
    ignore(run, identifier, "image configuration", expiry)
    assert command("compare", run) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert f"slim-dev: ignores {identifier} of image configuration until {expiry}" in shown
    assert said in shown


def test_report_writes_every_file_and_removes_those_of_scans_that_are_gone(run: RunFolder) -> None:
    (run.folder("security") / "gone.md").write_text("old", "utf-8")
    assert command("report", run) == 0
    sarif = json.loads((run.path / "findings.sarif").read_text("utf-8"))
    assert {one["ruleId"] for one in sarif["runs"][0]["results"]} == {"CIS-4.1", "CVE-2026-1000"}
    assert [path.name for path in (run.path / "security").iterdir()] == ["slim-dev.md"]
    assert "CVE-2026-1000" in (run.path / "sbom" / "slim-dev.vex.cdx.json").read_text("utf-8")
    (run.path / "scans" / "slim-dev.json").unlink()
    assert command("report", run) == 0
    assert not (run.path / "findings.sarif").exists(), "it would look like an all-clear"
    assert list((run.path / "security").iterdir()) == []
    assert [path.name for path in (run.path / "sbom").iterdir()] == ["slim-dev.cdx.json"]


def test_a_damaged_bill_of_materials_is_told(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path / "sbom" / "slim-dev.cdx.json").write_bytes(b"\xff\xfe{")
    assert command("report", run) == 7
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('vex = ["none.json"]', id="a VEX document that is not there"),
        pytest.param('vex = "one.json"', id="no list"),
        pytest.param('ignore = "none.toml"', id="no ignore file"),
    ],
)
def test_bad_decisions_are_a_usage_error(run: RunFolder, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path.parent / "seatrial.toml").write_text(text, "utf-8")
    assert command("compare", run) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_paths_of_decisions_count_from_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "seatrial.toml"
    file.write_text('vex = ["a.json", "b/c.json"]\nignore = "i.toml"\nadvisories = "osv"\n', "utf-8")
    found = load_settings(file)
    assert found.vex == (tmp_path / "a.json", tmp_path / "b" / "c.json")
    assert (found.ignore, found.advisories) == (tmp_path / "i.toml", tmp_path / "osv")


def test_the_variants_of_the_synthetic_run_exist() -> None:
    assert "slim-dev" in {one.name for one in variant_files.discover(load_settings().images)}
