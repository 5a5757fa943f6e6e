"""Latency histograms: what goes in comes out, merged ones are the whole, and damaged files are told apart."""

from __future__ import annotations

import base64
import math
import zlib

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import histograms
from harness.errors import UnreadableOutput
from harness.model import NotMeasured, Percentiles

latencies_us = st.lists(st.integers(min_value=1, max_value=histograms.HIGHEST_US), min_size=1, max_size=60)


def filled(values: list[int]) -> HdrHistogram:
    histogram = histograms.new()
    for value in values:
        histograms.record(histogram, value)
    return histogram


def read(histogram: HdrHistogram) -> Percentiles:
    figures = histograms.percentiles(histogram)
    assert isinstance(figures, Percentiles)
    return figures


def test_known_percentiles_of_one_to_a_thousand_milliseconds() -> None:
    figures = read(filled([ms * 1000 for ms in range(1, 1001)]))
    assert figures.p50_ms == pytest.approx(500, rel=1e-3)
    assert figures.p95_ms == pytest.approx(950, rel=1e-3)
    assert figures.p99_9_ms == pytest.approx(999, rel=1e-3)
    assert figures.max_ms == pytest.approx(1000, rel=1e-3)
    assert figures.mean_ms == pytest.approx(500.5, rel=1e-3)


@settings(max_examples=30)
@given(latencies_us)
def test_encoding_and_decoding_loses_nothing(values: list[int]) -> None:
    histogram = filled(values)
    again = histograms.decode(histograms.encode(histogram))
    assert read(again) == read(histogram)
    assert again.get_total_count() == len(values)


@settings(max_examples=30)
@given(latencies_us, latencies_us)
def test_merging_is_the_same_as_one_histogram_of_all(first: list[int], second: list[int]) -> None:
    merged = histograms.merge([filled(first), filled(second)])
    assert read(merged) == read(filled(first + second))


@settings(max_examples=30)
@given(latencies_us)
def test_a_percentile_is_within_a_thousandth_of_the_ordered_value(values: list[int]) -> None:
    ordered = sorted(values)
    rank = max(int(0.95 * len(ordered) + 0.5), 1)
    assert read(filled(values)).p95_ms * 1000 == pytest.approx(ordered[rank - 1], rel=1e-3, abs=1)


def test_merged_percentiles_are_not_averaged_percentiles() -> None:
    fast, slow = filled([1_000] * 990), filled([100_000] * 10)
    assert read(histograms.merge([fast, slow])).p99_ms == pytest.approx(1, rel=1e-3)


def test_merging_survives_the_encoding() -> None:
    parts = [histograms.decode(histograms.encode(filled([value]))) for value in (10, 20_000, 3_000_000)]
    assert histograms.merge(parts).get_total_count() == 3


def test_a_wait_of_more_than_an_hour_is_counted_as_an_hour() -> None:
    histogram = histograms.new()
    histograms.record(histogram, 9e12)
    histograms.record(histogram, 0)
    assert histogram.get_total_count() == 2
    assert read(histogram).max_ms == pytest.approx(3_600_000, rel=1e-3)


def test_no_answers_is_not_measured() -> None:
    assert isinstance(histograms.percentiles(histograms.decode(histograms.encode(histograms.new()))), NotMeasured)
    assert histograms.curve(histograms.new()) == ()


def test_the_curve_stops_where_the_answers_cannot_resolve_it() -> None:
    points = histograms.curve(filled([ms * 1000 for ms in range(1, 201)]))
    assert points[-1][0] <= 99.5
    assert all(math.isfinite(ms) for _, ms in points)
    assert [ms for _, ms in points] == sorted(ms for _, ms in points)


def _other_range() -> bytes:
    return bytes(HdrHistogram(1, 1000, 2).encode())


def _bomb() -> bytes:
    head = base64.b64decode(histograms.encode(histograms.new()))[:8]
    return base64.b64encode(head + zlib.compress(bytes(64 * 1024 * 1024)))


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not base64 at all!", id="not base64"),
        pytest.param(b"aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", id="other bytes"),
        pytest.param(b"<html>502 Bad Gateway</html>", id="an error page"),
        pytest.param(histograms.encode(filled([5, 6]))[:-8], id="cut short"),
        pytest.param(_other_range(), id="another range"),
        pytest.param(_bomb(), id="a compression bomb"),
    ],
)
def test_a_damaged_file_is_one_clear_error(damaged: bytes) -> None:
    with pytest.raises(UnreadableOutput, match=r"all\.hdr"):
        histograms.decode(damaged, "all.hdr")


@settings(max_examples=20)
@given(latencies_us)
def test_the_fast_reading_agrees_with_the_librarys_own(values: list[int]) -> None:
    histogram = filled(values)
    assert read(histogram).p99_ms * 1000 == pytest.approx(histogram.get_value_at_percentile(99.0), rel=1e-12)
    assert read(histogram).mean_ms * 1000 == pytest.approx(histogram.get_mean_value(), rel=1e-3, abs=0.6)
