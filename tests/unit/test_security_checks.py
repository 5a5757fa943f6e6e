"""Every check against its own good and bad examples, and the registry that finds them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.model import Failed, Passed, Skipped
from security.check import BrokenCheck, LoadedCheck, discover

CHECKS = discover()


def _examples(kind: str) -> list[Any]:
    return [
        pytest.param(one, subject, id=f"{one.check.id}-{number}")
        for one in CHECKS
        for number, subject in enumerate(getattr(one.check, kind))
    ]


@pytest.mark.parametrize(("one", "subject"), _examples("good"))
def test_a_good_example_passes(one: LoadedCheck, subject: Any) -> None:
    assert isinstance(subject, one.subject)
    assert one.test(subject) == Passed()


@pytest.mark.parametrize(("one", "subject"), _examples("bad"))
def test_a_bad_example_fails_and_says_where(one: LoadedCheck, subject: Any) -> None:
    outcome = one.test(subject)
    assert isinstance(outcome, Failed)
    assert outcome.evidence
    assert all(": " in line for line in outcome.evidence)


@pytest.mark.parametrize(("one", "subject"), _examples("unclear"))
def test_an_unclear_example_is_skipped_with_a_reason(one: LoadedCheck, subject: Any) -> None:
    outcome = one.test(subject)
    assert isinstance(outcome, Skipped)
    assert outcome.reason


@pytest.mark.parametrize("one", CHECKS, ids=[one.check.id for one in CHECKS])
def test_a_check_says_what_to_do(one: LoadedCheck) -> None:
    assert len(one.check.remediation) > 10
    assert len(one.check.rationale) > 10


def test_ids_sort_as_numbers() -> None:
    ids = [one.check.id for one in CHECKS]
    assert ids.index("CIS-4.2") < ids.index("CIS-4.9") < ids.index("DKL-DI-0001")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "needs `CHECK", id="nothing in it"),
        pytest.param("from security.checks.cis_4_08_setuid import CHECK\n", "needs `CHECK", id="no test"),
        pytest.param("from security.checks.cis_4_08_setuid import test\n", "needs `CHECK", id="no CHECK"),
        pytest.param(
            "from security.checks.cis_4_08_setuid import CHECK\ndef test(a: int, b: int): ...\n",
            "one subject",
            id="two subjects",
        ),
    ],
)
def test_a_module_that_is_no_check_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    with pytest.raises(BrokenCheck, match=said):
        discover(_package(tmp_path, monkeypatch, {"one": text}))


def test_two_checks_with_one_id_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = "from security.checks.cis_4_08_setuid import CHECK, test\n"
    with pytest.raises(BrokenCheck, match="Two checks"):
        discover(_package(tmp_path, monkeypatch, {"one": same, "two": same}))


def test_a_new_file_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = discover(
        _package(tmp_path, monkeypatch, {"one": "from security.checks.cis_4_08_setuid import CHECK, test\n"})
    )
    assert [one.check.id for one in found] == ["CIS-4.8"]


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch, modules: dict[str, str]) -> Any:
    name = f"made_checks_{abs(hash((folder, *modules.items())))}"
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    for module, text in modules.items():
        (folder / name / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    try:
        return __import__(name)
    finally:
        sys.path_importer_cache.clear()
