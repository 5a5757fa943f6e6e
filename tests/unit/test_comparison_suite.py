"""`pytest tests/comparison`: readable ids, skips with reasons, and clear errors in place of tracebacks."""

from __future__ import annotations

from pathlib import Path

import pytest
import scipy.special  # noqa: F401 - pytester forgets what is first imported inside it, which numpy does not allow

import seatrial.compare  # noqa: F401 - for the same reason
from harness import stored_baselines
from harness.model import BrokenGuard, Guard
from harness.paths import ROOT
from harness.sides import Run
from tests.results_factory import make

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return the real suite in a folder of its own, with a synthetic run beside it."""
    for name in ("conftest.py", "test_budgets.py"):
        text = (ROOT / "tests" / "comparison" / name).read_text("utf-8")
        (pytester.path / name).write_text(text, "utf-8")
    made = make(rounds=3)
    folder = pytester.path / "run"
    (folder / "histograms").mkdir(parents=True)
    (folder / "results.json").write_text(made.results.model_dump_json(), "utf-8")
    for name, data in made.files.items():
        (folder / "histograms" / name).write_bytes(data)
    return pytester


def budgets(folder: Path, text: str) -> str:
    path = folder / "limits.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_kept_exceeded_and_not_measured_each_show_as_such(suite: pytest.Pytester) -> None:
    limits = budgets(
        suite.path, '[[budget]]\nmetric = "throughput_rps"\nvariants = "*-dev"\nmin = 1200\nreason = "so many come"\n'
    )
    done = suite.runpytest_inprocess("-v", "-rs", "-p", "no:cacheprovider", "--results", "run", "--budgets", limits)
    done.assert_outcomes(passed=1, failed=1, skipped=1)
    done.stdout.fnmatch_lines(
        [
            "*distroless-dev: throughput at least 1,200 req/s* PASSED*",
            "*throughput at least 1,200 req/s: measured *under by*Why this limit: so many come*",
            "SKIPPED*no valid trial of 3: failures over the limit (3 of 3)*",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_it_judges_by_the_settings_budgets_and_todays_decisions(suite: pytest.Pytester) -> None:
    """A finding that the settings' ignore file accepts since the run no longer counts, without the run being judged."""
    made = make(rounds=3)
    slim = next(one for one in made.results.scans if one.variant == "slim-gunicorn")
    (suite.path / "limits.toml").write_text(
        '[[budget]]\nmetric = "findings"\nvariants = "slim-gunicorn"\nmax = 0\n', "utf-8"
    )
    settings = suite.path / "seatrial.toml"
    settings.write_text('budgets = "limits.toml"\nignore = "accepted.toml"\n', "utf-8")
    (suite.path / "accepted.toml").write_text("", "utf-8")
    arguments = ("-q", "-p", "no:cacheprovider", "--results", "run")
    suite.runpytest_inprocess(*arguments).assert_outcomes(failed=1)
    entries = (
        f'[[ignore]]\nid = "{one.id}"\ncomponent = "*"\nvariant = "slim-gunicorn"\n'
        'reason = "accepted"\nexpiry = 2999-01-01\n'
        for one in slim.findings
    )
    (suite.path / "accepted.toml").write_text("".join(entries), "utf-8")
    suite.runpytest_inprocess(*arguments).assert_outcomes(skipped=1)


def test_thresholds_are_judged_against_a_stored_baseline_and_github_is_told(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(rounds=3)
    images = tuple(one.model_copy(update={"size_bytes": one.size_bytes // 2}) for one in made.results.images)
    smaller = Run(results=made.results.model_copy(update={"images": images}), histogram=made.histogram)
    stored_baselines.save(stored_baselines.of_run(smaller), suite.path / "before.json")
    limits = budgets(suite.path, '[[regression]]\nmetric = "size_bytes"\nvariants = "slim-*"\nworse_by = 0.05\n')
    arguments = ("-v", "-p", "no:cacheprovider", "--results", "run", "--budgets", limits)
    done = suite.runpytest_inprocess(*arguments, "--baseline", "before.json", "--junitxml", "out.xml", "--github")
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(
        [
            "*slim-gunicorn: size at most 5% worse than before* FAILED*",
            "::error title=slim-dev%3A size at most 5%25 worse than before::measured 117.0 MB; the baseline*",
        ]
    )
    assert "size at most 5% worse than before" in (suite.path / "out.xml").read_text("utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = suite.runpytest_inprocess(*arguments, "--baseline", "before.json")
    done.stdout.fnmatch_lines(["::error title=slim-gunicorn%3A*"])
    gone = suite.runpytest_inprocess(*arguments, "--baseline", "gone.json")
    gone.stderr.fnmatch_lines(["ERROR: There is no stored baseline*"])


def test_what_the_app_answered_is_no_command_of_a_workflow(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(rounds=3)
    lie = BrokenGuard(guard=Guard.CONTRACT_BROKEN, evidence="it said\n::error::all is lost\x1b[2J ##[error]lost")
    trials = tuple(
        one.model_copy(update={"broken_guards": (lie,)}) if one.variant == "slim-dev" else one
        for one in made.results.load_trials
    )
    lying = made.results.model_copy(update={"load_trials": trials})
    (suite.path / "run" / "results.json").write_text(lying.model_dump_json(), "utf-8")
    limits = budgets(suite.path, '[[budget]]\nmetric = "throughput_rps"\nvariants = "slim-dev"\nmin = 1\n')
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = suite.runpytest_inprocess("-rs", "-p", "no:cacheprovider", "--results", "run", "--budgets", limits)
    done.assert_outcomes(skipped=1)
    told = [line for line in done.outlines if "all is lost" in line and not line.startswith("::warning title=")]
    assert told
    assert not [line for line in told if line.lstrip().startswith("::") or "##[" in line or "\x1b" in line]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--results", "nowhere"], "*nowhere holds no results*seatrial run*", id="no such folder"),
        pytest.param(["--results", "broken"], "*results.json is not a Results*", id="not results"),
        pytest.param(["--results", "run", "--budgets", "gone.toml"], "*no file of budgets gone.toml*", id="no budgets"),
        pytest.param(["--results", "torn", "--budgets", "p99.toml"], "*lacks the histogram*", id="histograms are gone"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(suite: pytest.Pytester, arguments: list[str], said: str) -> None:
    for name in ("broken", "torn"):
        (suite.path / name).mkdir()
    (suite.path / "broken" / "results.json").write_text('{"schema_version": 1, "run_id": 7}', "utf-8")
    (suite.path / "torn" / "results.json").write_bytes((suite.path / "run" / "results.json").read_bytes())
    (suite.path / "p99.toml").write_text('[[budget]]\nmetric = "p99_ms"\nmax = 250\n', "utf-8")
    done = suite.runpytest_inprocess("-p", "no:cacheprovider", *arguments)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert "Traceback" not in done.stderr.str() + done.stdout.str()


def test_the_shipped_budgets_are_valid_and_name_variants_that_exist(suite: pytest.Pytester) -> None:
    shipped = budgets(suite.path, (ROOT / "tests" / "comparison" / "budgets.toml").read_text("utf-8"))
    done = suite.runpytest_inprocess("-q", "-p", "no:cacheprovider", "--results", "run", "--budgets", shipped)
    assert done.ret in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    assert done.parseoutcomes().get("passed", 0) > 20
