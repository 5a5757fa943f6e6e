"""The whole job through the command, on all variants; and mutations of it, each of which must turn it red."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from harness.engine.client import Engine
from harness.metrics import Measurements
from harness.model import Interval, LoadTrial, NotMeasured, Results, VerdictKind
from harness.paths import ROOT
from harness.results import RunFolder
from harness.verdicts import sentence
from loadtests import guards
from report import view
from report.text import markdown
from tests.integration.command import Said, seatrial
from tests.integration.leftovers import Snapshot, leftovers

VARIANTS = {
    "article", "slim-dev", "slim-gunicorn", "alpine-dev", "alpine-gunicorn", "distroless-dev", "distroless-gunicorn",
}  # fmt: skip
WHOLE_RUN_S = 600
PART_S = 300
ONCE = """
title = "One of each, since one wrong answer is enough"
rounds = 1
users = 8
warmup_s = 0.5
measure_s = 1.5
starts = 1
stops = 1
sample_share = 0.2
stop_timeout_s = 3
foreign_share_max = 1.0
ready_timeout_s = 10.0
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder to run the command in; its results land there."""
    return tmp_path_factory.mktemp("whole-job")


@pytest.fixture(scope="module")
def whole(place: Path, engine: Engine) -> tuple[Said, RunFolder]:
    """A smoke run of all variants, and what it left in the engine."""
    before = Snapshot.of(engine)
    said = seatrial("run", "--load-profile", "smoke", cwd=place, engine=engine, timeout_s=WHOLE_RUN_S)
    assert leftovers(engine, before) == [], said.err
    assert said.code in (0, 1), said.err
    return said, RunFolder((place / "results" / "latest").resolve())


@pytest.fixture(scope="module")
def results(whole: tuple[Said, RunFolder]) -> Results:
    return whole[1].load()


def test_every_variant_has_image_start_stop_load_and_scan(results: Results) -> None:
    assert {variant.name for variant in results.variants} == VARIANTS
    for figures in (results.images, results.start_trials, results.stop_trials, results.load_trials, results.scans):
        assert {one.variant for one in figures} == VARIANTS
    assert all(not isinstance(one.seconds_to_first_answer, NotMeasured) for one in results.start_trials)
    assert {trial.variant for trial in results.load_trials if trial.valid} == VARIANTS
    assert all(trial.requests > 0 and trial.answers_verified > 0 for trial in results.load_trials if trial.valid)
    assert all(not isinstance(scan.components, NotMeasured) and scan.components for scan in results.scans)
    assert results.finished_at is not None


def test_results_json_is_what_its_schema_says_and_enough_by_itself(whole: tuple[Said, RunFolder]) -> None:
    folder = whole[1]
    document = json.loads((folder.path / "results.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads((folder.path / "results.schema.json").read_text("utf-8")))
    judged = Results.model_validate(document)
    assert judged.asked
    assert judged.model_copy(update={"verdicts": (), "asked": ()}) == folder.load()


def _row_of(where: str, text: str, variant: str) -> str:
    """Return the part of an output that is about one variant: its lines of the table, its row of the page."""
    if where == "page":
        return next(row for row in text.split("<tr")[1:] if f">{variant}<" in row and 'class="fig"' in row)
    if where == "summary":
        rows = [line for line in text.splitlines() if line.startswith("|")]
        return next(line for line in rows if line.strip("| ").replace("*", "").split(" ")[0] == variant)
    return next(line for line in text.splitlines() if line.split(" ")[0] == variant)


def test_the_run_is_told_in_table_page_and_summary(whole: tuple[Said, RunFolder]) -> None:
    said, folder = whole
    page = (folder.path / "report.html").read_text("utf-8")
    summary = (folder.path / "summary.md").read_text("utf-8")
    shown = view.of(Results.model_validate_json((folder.path / "results.json").read_bytes()), folder.histogram)
    told = {"table": said.out.replace("\N{NO-BREAK SPACE}", " "), "page": html.unescape(page), "summary": summary}
    assert {row.variant for row in shown.rows} == VARIANTS
    for row in shown.rows:
        figures = [cell.text for cell in row.cells if cell.text]
        assert len(figures) == len(view.COLUMNS), f"{row.variant}: {[c.reason for c in row.cells if c.reason]}"
        for where, text in told.items():
            line = _row_of(where, text, row.variant)
            assert all(figure in line for figure in figures), (where, row.variant, figures, line)
    assert len(page) < 1_000_000


def test_scans_come_as_sarif_cyclonedx_and_a_report(whole: tuple[Said, RunFolder], results: Results) -> None:
    folder = whole[1].path
    schema = json.loads((ROOT / "tests" / "assets" / "sarif" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
    document = json.loads((folder / "findings.sarif").read_text("utf-8"))
    assert [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(document)] == []
    found = {one["properties"]["variant"] for one in document["runs"][0]["results"]}
    assert found == {scan.variant for scan in results.scans if scan.findings or scan.vulnerabilities}
    for scan in results.scans:
        bill = (folder / "sbom" / f"{scan.variant}.vex.cdx.json").read_text("utf-8")
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
        assert error is None, str(error)
        assert len(json.loads(bill)["vulnerabilities"]) == len(scan.vulnerabilities)
        text = (folder / "security" / f"{scan.variant}.md").read_text("utf-8")
        assert all(f"| {markdown(one.ecosystem)} |" in text for one in scan.assessments)
    alpine = next(scan for scan in results.scans if scan.variant == "alpine-dev")
    assert any(one.assessed_by is None and one.reason for one in alpine.assessments), "its Python is out of a wheel"


def test_pytest_and_the_report_judge_alike(whole: tuple[Said, RunFolder], place: Path) -> None:
    said, folder = whole
    verdicts = Results.model_validate_json((folder.path / "results.json").read_bytes()).verdicts
    exceeded = {sentence(one) for one in verdicts if one.kind is VerdictKind.EXCEEDED}
    assert said.code == (1 if exceeded else 0)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", ROOT / "tests" / "comparison", "--results", folder.path, "-q", "-rA"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    failed = set(re.findall(r"^FAILED .*\[(.*?)\]", done.stdout, re.MULTILINE))
    assert failed == exceeded, done.stdout
    assert done.returncode == (1 if exceeded else 0)
    suite = ElementTree.parse(folder.path / "junit.xml").getroot()  # noqa: S314 - written by the run
    failures = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert failures == exceeded
    assert len(list(suite.iter("testcase"))) == len(verdicts)


def test_what_is_built_is_not_built_again(whole: tuple[Said, RunFolder], place: Path, engine: Engine) -> None:
    before = {image.variant: image.digest for image in whole[1].images()}
    said = seatrial("build", cwd=place, engine=engine, timeout_s=PART_S)
    assert said.code == 0, said.err
    assert {image.variant: image.digest for image in whole[1].images()} == before
    assert said.err.count("built before from the same inputs") == len(VARIANTS)


def test_every_variant_was_attacked_and_the_baseline_the_naive_way_too(results: Results) -> None:
    found = {(one.variant, one.run_profile): one for one in results.hardenings}
    assert found.keys() == {(name, "hardened") for name in VARIANTS} | {("article", "article")}
    assert [one.failure for one in found.values() if one.failure] == []
    assert all(one.container_checks and one.probes and one.profile for one in found.values())
    metrics = Measurements(results, None)
    for name, least in (("probes_succeeded", 0), ("container_findings_high", 0)):
        value = metrics.metric(name, "distroless-gunicorn").value
        assert isinstance(value, Interval)
        assert value.value == least, (name, found["distroless-gunicorn", "hardened"])


def test_a_run_that_was_stopped_goes_on_from_its_trials(
    whole: tuple[Said, RunFolder], tmp_path: Path, engine: Engine
) -> None:
    copy = tmp_path / "results" / whole[1].path.name
    shutil.copytree(whole[1].path, copy)
    stopped = RunFolder(copy)
    stopped.write_run(stopped.run_info().model_copy(update={"finished_at": None}))
    kept = {trial.id: trial for trial in stopped.trials()}
    lost = next(
        trial
        for trial in kept.values()
        if isinstance(trial, LoadTrial) and trial.variant == "slim-gunicorn" and trial.valid
    )
    place = lost.id.removesuffix(f"-a{lost.attempt}")
    stopped.drop_trial(lost)
    said = seatrial("run", "--resume", cwd=tmp_path, engine=engine, timeout_s=PART_S)
    assert said.code in (0, 1), said.err
    again = {trial.id: trial for trial in stopped.trials()}
    assert kept.keys() <= again.keys()
    new = {name for name in again if again[name] != kept.get(name)}
    assert lost.id in new
    # One that a machine's stall made invalid is made again.
    assert all(name.startswith(f"{place}-a") for name in new)
    assert stopped.hardenings() == whole[1].hardenings()


def test_a_duel_is_kept_with_the_run_and_a_cpu_limit_is_refused(
    whole: tuple[Said, RunFolder], tmp_path: Path, engine: Engine
) -> None:
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(whole[1].path, folder.path, dirs_exist_ok=True)
    words: list[str | Path] = ["duel", "slim-dev", "slim-gunicorn", "--results", folder.path, "--pairs", "1"]
    refused = seatrial(*words, cwd=tmp_path, engine=engine, timeout_s=PART_S)
    assert refused.code == 2
    assert "The run profile hardened of side A (slim-dev) has a CPU limit of 1." in refused.err
    assert folder.sliced() == ()
    said = seatrial(*words, "--seconds", "2", "--without-quota", cwd=tmp_path, engine=engine, timeout_s=PART_S)
    assert said.code == 0, said.err
    assert "without a judgement: too few pairs" in said.out
    (kept,) = folder.sliced()
    assert [side.variant for side in kept.sides] == ["slim-dev", "slim-gunicorn"]
    assert kept.without_quota
    assert all(folder.histogram(name) for name in kept.histogram_files)
    assert folder.load().sliced == (kept,)


def test_a_folder_refuses_trials_of_another_image(
    whole: tuple[Said, RunFolder], results: Results, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(whole[1].path, copy)
    image = json.loads((copy / "images" / "slim-dev.json").read_text("utf-8"))
    image["digest"] = "sha256:" + "0" * 64
    (copy / "images" / "slim-dev.json").write_text(json.dumps(image))
    other = next(trial for trial in results.load_trials if trial.variant == "slim-dev")
    with pytest.raises(Exception, match="is about the image"):
        RunFolder(copy).write_trial(other)


# --- mutations: each must turn the run, or its tests, red ---


def settings(folder: Path, **entries: str | Path) -> Path:
    """Write a settings file."""
    file = folder / "seatrial.toml"
    file.write_text("".join(f"{name} = {json.dumps(str(value))}\n" for name, value in entries.items()))
    return file


def mutated(folder: Path, name: str, old: str, new: str) -> None:
    """Change a file's text, which must hold the old one."""
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("primes=count_primes(n)", "primes=1229", id="a constant that is right for the default"),
        pytest.param('"X-Frame-Options": "DENY"', '"X-Frame-Options": "SAMEORIGIN"', id="another security header"),
        pytest.param("waited_ms=ms", "waited_ms=int(ms)+0*ms if ms != 0 else 1", id="wrong at the limit only"),
    ],
)
def test_an_app_that_answers_wrongly_gets_no_numbers(tmp_path: Path, engine: Engine, old: str, new: str) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    file = next(name for name in ("routes.py", "hardening.py") if old in (tmp_path / "app" / name).read_text("utf-8"))
    mutated(tmp_path / "app", file, old, new)
    settings(tmp_path, app=tmp_path / "app")
    (tmp_path / "once.toml").write_text(ONCE, "utf-8")
    assert seatrial("build", "slim-gunicorn", cwd=tmp_path, engine=engine, timeout_s=PART_S).code == 0
    words = ("load", "slim-gunicorn", "--load-profile", "once.toml")
    said = seatrial(*words, cwd=tmp_path, engine=engine, timeout_s=PART_S)
    assert said.code == 5, said.err
    assert "contract broken" in said.err
    found = RunFolder((tmp_path / "results" / "latest").resolve()).load()
    assert found.load_trials
    assert not any(trial.valid for trial in found.load_trials)


def test_a_dockerfile_that_runs_as_root_breaks_the_budget(tmp_path: Path, engine: Engine) -> None:
    images = tmp_path / "images"
    images.mkdir()
    shutil.copyfile(ROOT / "images" / "slim-gunicorn.Dockerfile", images / "slim-gunicorn.Dockerfile")
    path = images / "slim-gunicorn.Dockerfile"
    text, count = re.subn(r"^USER .*$", "USER 0:0", path.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1
    path.write_text(text, "utf-8")
    settings(tmp_path, images=images)
    assert seatrial("build", cwd=tmp_path, engine=engine, timeout_s=PART_S).code == 0
    assert seatrial("scan", cwd=tmp_path, engine=engine, timeout_s=PART_S).code == 0
    said = seatrial("compare", cwd=tmp_path, engine=engine, timeout_s=PART_S)
    assert said.code == 1, said.err
    assert "EXCEEDED      slim-gunicorn: HIGH findings" in said.out


def test_a_scanner_that_prints_garbage_is_no_all_clear(
    whole: tuple[Said, RunFolder], place: Path, tmp_path: Path, engine: Engine
) -> None:
    python = _environment_with(tmp_path, "hadolint", "#!/bin/sh\necho 'all fine, 0 findings'\n")
    said = seatrial("scan", "slim-gunicorn", "--fresh", cwd=place, engine=engine, timeout_s=PART_S, python=python)
    assert said.code == 7, said.out + said.err
    assert "hadolint" in said.err


def test_a_broken_dockerfile_ends_with_its_log_and_leaves_nothing(tmp_path: Path, engine: Engine) -> None:
    images = tmp_path / "images"
    images.mkdir()
    text = (ROOT / "images" / "slim-gunicorn.Dockerfile").read_text("utf-8")
    (images / "broken.Dockerfile").write_text(text + '\nRUN ["python3", "-c", "raise SystemExit(7)"]\n', "utf-8")
    settings(tmp_path, images=images)
    before = Snapshot.of(engine)
    said = seatrial("run", cwd=tmp_path, engine=engine, timeout_s=PART_S)
    assert said.code == 4
    assert "broken.Dockerfile" in said.err
    assert ".log" in said.err
    assert leftovers(engine, before) == []


@pytest.mark.parametrize("guard", sorted(judge.__name__ for _, judge in guards._JUDGES))
def test_a_guard_that_is_switched_off_turns_its_tests_red(guard: str) -> None:
    plugin = (
        "import sys, pytest\n"
        "from loadtests import guards\n"
        f"guards._JUDGES = tuple((g, (lambda seen: None) if f is guards.{guard} else f) for g, f in guards._JUDGES)\n"
        "sys.exit(pytest.main(['-q', '-x', '-p', 'no:cacheprovider', 'tests/unit/test_load_guards.py']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", plugin], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout


def test_a_leaked_container_turns_the_tests_red(tmp_path: Path, engine: Engine, whole: tuple[Said, RunFolder]) -> None:
    image = next(image for image in whole[1].images() if image.variant == "slim-gunicorn")
    before = Snapshot.of(engine)
    leaky = tmp_path / "test_leaky.py"
    leaky.write_text(
        "from tests.integration.conftest import engine\n"
        "def test_leaks(engine):\n"
        f"    engine.client.containers.create({image.reference!r}, name='seatrial-leak-of-a-test')\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml",
             "--rootdir", ROOT, leaky],
            cwd=ROOT, env={**os.environ, "DOCKER_HOST": engine.host}, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 1, done.stdout
        assert "The tests left things in the engine" in done.stdout
    finally:
        engine.client.containers.get("seatrial-leak-of-a-test").remove(force=True)
    assert leftovers(engine, before) == []


def _environment_with(folder: Path, program: str, text: str) -> Path:
    """Return a Python whose environment is this one but for one program beside it."""
    home = Path(sys.executable).parent
    (folder / "bin").mkdir()
    for path in home.iterdir():
        (folder / "bin" / path.name).symlink_to(path)
    shutil.copyfile(home.parent / "pyvenv.cfg", folder / "pyvenv.cfg")
    (folder / "lib").symlink_to(home.parent / "lib")
    (folder / "bin" / program).unlink(missing_ok=True)
    (folder / "bin" / program).write_text(text)
    (folder / "bin" / program).chmod(0o755)
    return folder / "bin" / "python"
