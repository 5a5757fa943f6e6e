"""A sliced comparison is part of a run's folder, as long as the images that it is about are the run's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model import Image, NotMeasured, SlicedComparison, SlicedFigures, SlicedPair, SlicedSide
from harness.results import RunFolder, now
from tests.made_records import image

NOT = NotMeasured(not_measured="made for a test")


def side(of: Image) -> SlicedSide:
    return SlicedSide(
        variant=of.variant, image_digest=of.digest, run_profile="hardened", base="slim", interpreter="cpython",
        workers="not stated",
    )  # fmt: skip


def comparison(a: Image, b: Image) -> SlicedComparison:
    figures = SlicedFigures(
        requests=1, failures=0, busy_seconds=1.0, throughput_rps=1.0, connections=1, latency=NOT,
        cpu_seconds_per_request=NOT, histogram="sliced-x.hdr",
    )  # fmt: skip
    pair = SlicedPair(
        index=1, attempt=1, started_at=now(), seed=1, first_started="a", measured_seconds=1.0, slice_log_ratios=(0.1,),
        log_request_time=0.1, log_throughput=-0.1, a=figures, b=NOT, generator_cpu_share=0.1, answers_verified=1,
    )  # fmt: skip
    return SlicedComparison(
        id="x", a=side(a), b=side(b), without_quota=True, endpoints={}, connections=1, slice_seconds=0.02, seconds=1.0,
        seed=1, target_cpus="0", generator_cpus="1", pairs=(pair,), request_time=NOT, throughput=NOT,
        throughput_untrimmed=NOT, latency_p99=NOT, cpu_seconds_per_request=NOT,
    )  # fmt: skip


A, B = image("slim-dev"), image("slim-gunicorn")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    for one in (A, B):
        made.write_image(one)
    made.write_histogram("sliced-x.hdr", b"x")
    made.write_sliced(comparison(A, B))
    return made


def test_it_is_read_back_whole(folder: RunFolder) -> None:
    assert folder.sliced() == (comparison(A, B),)


@pytest.mark.parametrize("changed", [A, B], ids=["a", "b"])
def test_it_goes_with_the_image_of_either_side(folder: RunFolder, changed: Image) -> None:
    folder.write_image(changed)
    assert len(folder.sliced()) == 1
    folder.write_image(changed.model_copy(update={"digest": "sha256:" + "2" * 64}))
    assert folder.sliced() == ()
    assert not (folder.path / "histograms" / "sliced-x.hdr").exists()


def test_another_image_is_refused(folder: RunFolder) -> None:
    other = B.model_copy(update={"digest": "sha256:" + "3" * 64})
    with pytest.raises(UsageError, match="is about the image"):
        folder.write_sliced(comparison(A, other))
