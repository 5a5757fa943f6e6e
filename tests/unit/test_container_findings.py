"""How many checks of a container failed, as figures that a budget may limit; what was not examined has none."""

from __future__ import annotations

import pytest

from harness.metrics import Measurements
from harness.model import Failed, Hardening, Interval, NotMeasured, Passed, Severity
from security.hardening import not_examined
from tests.made_hardening import NAME, hardening, image, results


def figure(found: Hardening, name: str) -> float | str:
    run = results(found)
    measured = Measurements(run, None).metric(name, NAME).value
    return measured.not_measured if isinstance(measured, NotMeasured) else measured.value


def test_checks_that_failed_are_counted_by_their_severity() -> None:
    failed = Failed(evidence=("seen",))
    found = hardening({"CIS-5.4": failed, "CIS-5.27": failed, "CIS-5.11": Passed(), "write-filesystem": failed})
    graded = tuple(
        one.model_copy(update={"severity": Severity.HIGH}) if one.id == "CIS-5.4" else one
        for one in found.container_checks
    )
    found = found.model_copy(update={"container_checks": graded})
    names = ("container_findings", "container_findings_high", "container_findings_low", "container_findings_critical")
    assert [figure(found, name) for name in names] == [2, 1, 1, 0]
    assert figure(found, "probes_succeeded") == 1


@pytest.mark.parametrize("name", ["container_findings", "container_findings_high", "probes_succeeded"])
def test_a_container_that_did_not_come_up_has_no_count(name: str) -> None:
    profile = hardening().profile
    assert profile is not None
    assert figure(not_examined(image(), profile, "The app did not open port 5000"), name) == (
        "The app did not open port 5000"
    )


def test_a_count_of_another_run_profile_is_none_of_this_runs() -> None:
    assert "not probed" in str(figure(hardening(run_profile="article"), "container_findings"))


def test_a_count_is_exact() -> None:
    found = Measurements(results(), None).metric("container_findings", NAME).value
    assert isinstance(found, Interval)
    assert (found.value, found.low, found.high) == (0, 0, 0)
