"""Two runs: intervals that do not overlap are found, and explained by what the runs recorded or by nothing."""

from __future__ import annotations

import pytest

from harness import repeatability
from harness.model import Results
from harness.repeatability import NOT_EXPLAINED, Repeat
from tests.results_factory import Made, make


@pytest.fixture(scope="module")
def first() -> Made:
    return make(seed=1)


@pytest.fixture(scope="module")
def slower() -> Made:
    return make(seed=2, machine=1.4)


def apart(first: Made, second: Made, results: Results | None = None) -> dict[tuple[str, str], Repeat]:
    found = repeatability.compare(first.results, results or second.results, first.histogram, second.histogram)
    return {(one.variant, one.metric): one for one in repeatability.apart(found)}


def test_a_run_agrees_with_itself(first: Made) -> None:
    assert apart(first, first) == {}


def test_every_metric_of_every_shared_variant_is_compared(first: Made, slower: Made) -> None:
    fewer = slower.results.model_copy(update={"variants": slower.results.variants[:2]})
    found = repeatability.compare(first.results, fewer, first.histogram, slower.histogram)
    assert {one.variant for one in found} == {"article", "slim-dev"}


def test_a_slower_machine_is_named_as_the_reason(first: Made, slower: Made) -> None:
    found = apart(first, slower)
    assert "machine itself was" in found["slim-gunicorn", "throughput_rps"].why_not
    assert "slower in the second run" in found["slim-gunicorn", "throughput_rps"].why_not


def test_without_a_recorded_reason_it_is_not_explained(first: Made, slower: Made) -> None:
    silent = slower.results.model_copy(update={"calibrations": first.results.calibrations})
    assert apart(first, slower, silent)["slim-gunicorn", "throughput_rps"].why_not.startswith(NOT_EXPLAINED)


@pytest.mark.parametrize(
    ("machine", "remark"),
    [
        pytest.param(1.1, "10% slower in the second run (calibration loop), which is too little", id="too little"),
        pytest.param(0.9, "10% faster in the second run (calibration loop), which works the other way", id="other way"),
        pytest.param(1.02, "", id="none to speak of"),
    ],
)
def test_a_drift_that_is_too_small_or_of_the_wrong_way_explains_nothing(
    first: Made, slower: Made, machine: float, remark: str
) -> None:
    loops = tuple(one.model_copy(update={"seconds": one.seconds * machine}) for one in first.results.calibrations)
    why = apart(first, slower, slower.results.model_copy(update={"calibrations": loops}))
    for metric in ("throughput_rps", "startup_seconds"):
        said = why["slim-gunicorn", metric].why_not
        assert said.startswith(NOT_EXPLAINED)
        assert remark in said
        assert remark or "machine" not in said


def _how(first: Made, results: Results) -> dict[tuple[str, str], Repeat]:
    found = repeatability.compare(first.results, results, first.histogram, first.histogram)
    return {(one.variant, one.metric): one for one in found}


def test_counts_and_sizes_compare_exactly(first: Made) -> None:
    image = first.results.images[2]
    one_byte = image.model_copy(update={"size_bytes": image.size_bytes + 1})
    images = tuple(one_byte if one.variant == image.variant else one for one in first.results.images)
    found = _how(first, first.results.model_copy(update={"images": images}))
    assert (found[image.variant, "layers"].how, found[image.variant, "layers"].overlaps) == ("exact", True)
    assert (found[image.variant, "findings"].how, found[image.variant, "findings"].overlaps) == ("exact", True)
    assert (found[image.variant, "size_bytes"].how, found[image.variant, "size_bytes"].overlaps) == ("exact", False)
    assert found[image.variant, "size_bytes"].why_not == NOT_EXPLAINED


def test_what_neither_run_measured_is_no_comparison_that_failed(first: Made) -> None:
    found = _how(first, first.results)
    assert found["slim-gunicorn", "capacity_rps"].how == "neither run"
    assert found["slim-gunicorn", "build_cold_seconds"].how == "single"
    assert "single trial" in found["slim-gunicorn", "build_cold_seconds"].why_not
    assert all(one.overlaps is True for one in found.values() if one.how in ("interval", "exact", "steps"))
    assert all(one.overlaps is None for one in found.values() if one.how in ("single", "one run", "neither run"))


def test_a_scan_with_another_version_or_data_is_named(first: Made) -> None:
    scans = []
    for scan in first.results.scans:
        steps = tuple(s.model_copy(update={"version": "9.9"}) if s.name == "hadolint" else s for s in scan.steps)
        old = tuple(a.model_copy(update={"as_of": "2026-11-27"}) if a.assessed_by else a for a in scan.assessments)
        scans.append(scan.model_copy(update={"steps": steps, "assessments": old, "findings": scan.findings[1:]}))
    found = _how(first, first.results.model_copy(update={"scans": tuple(scans)}))
    why = found["article", "findings"].why_not
    assert "the version of hadolint changed (2.15.1, then 9.9)" in why
    assert "the data of PyPI's advisories changed (OSV as of 2026-11-20, then OSV as of 2026-11-27)" in why


def test_another_image_and_another_engine_are_named(first: Made, slower: Made) -> None:
    image = slower.results.images[2].model_copy(update={"digest": "sha256:" + "f" * 64, "size_bytes": 1})
    environment = slower.results.environment.model_copy(update={"engine_version": "28.0"})
    images = tuple(image if one.variant == image.variant else one for one in slower.results.images)
    changed = slower.results.model_copy(update={"images": images, "environment": environment})
    why = apart(first, slower, changed)["slim-gunicorn", "size_bytes"].why_not
    assert "the image is another one" in why
    assert "engine version changed (20.10.24, then 28.0)" in why


def test_what_one_run_lacks_is_not_called_a_difference(first: Made, slower: Made) -> None:
    empty = slower.results.model_copy(update={"scans": ()})
    found = repeatability.compare(first.results, empty, first.histogram, slower.histogram)
    one = next(one for one in found if one.metric == "findings" and one.variant == "article")
    assert (one.overlaps, one.why_not) == (None, "second run: it was not scanned")
