"""The latency histograms: made, encoded, decoded, merged and read; percentiles come from whole distributions only."""

from __future__ import annotations

import base64
import binascii
import zlib
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from hdrh.codec import HdrCookieException, HdrLengthException, PayloadHeader, payload_header_size
from hdrh.histogram import HdrHistogram

from harness.errors import UnreadableOutput
from harness.model import NotMeasured, Percentiles

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
"""One hour; a longer wait is counted as one hour."""
SIGNIFICANT_DIGITS = 3
"""A value is kept to one part in a thousand."""

SERVICE = "all (service time)"
"""The key under which an open trial keeps the histogram of service times, from sending; `all` holds response times."""

US_PER_MS = 1000.0
HEADER_BYTES = 8
LARGEST_PAYLOAD_BYTES = 4 * 1024 * 1024
CURVE_PERCENTILES = (
    5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 92.5, 95.0, 96.5, 97.5, 98.5,
    99.0, 99.25, 99.5, 99.7, 99.8, 99.9, 99.95, 99.99,
)  # fmt: skip


def new() -> HdrHistogram:
    """Return an empty histogram of microseconds, from 1 to one hour, in three significant digits."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS)


def record(histogram: HdrHistogram, microseconds: float, count: int = 1) -> None:
    """Count one latency, clamped to what a histogram can hold."""
    histogram.record_value(min(max(round(microseconds), LOWEST_US), HIGHEST_US), count)


def encode(histogram: HdrHistogram) -> bytes:
    """Return the histogram in HdrHistogram's V2 compressed encoding as base64: what a file in `histograms/` holds."""
    return bytes(histogram.encode())


def decode(encoded: bytes, where: str = "a histogram") -> HdrHistogram:
    """Read what `encode` wrote.

    Args:
        encoded: the file's bytes.
        where: the file's name, for the message.

    Raises:
        UnreadableOutput: not base64, damaged, too large, or of another range or precision.

    """
    hint = "The file is damaged or was written by something else; measure this variant again."
    try:
        payload = base64.b64decode(encoded.strip(), validate=True)[HEADER_BYTES:]
        # The library would unpack a payload of any length, and allocate what its header asks for.
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(payload, LARGEST_PAYLOAD_BYTES)
        if unpacker.unconsumed_tail or len(plain) < payload_header_size:
            raise UnreadableOutput(f"{where} has a length that no histogram of a trial has.", hint)
        header = PayloadHeader.from_buffer_copy(plain)
        found = (header.lowest_trackable_value, header.highest_trackable_value, header.significant_figures)
        if found != (LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS):
            raise UnreadableOutput(f"{where} has the range and precision {found}, which is not Seatrial's.", hint)
        return HdrHistogram.decode(encoded.strip())
    except (binascii.Error, zlib.error, HdrCookieException, HdrLengthException, ValueError, IndexError) as error:
        raise UnreadableOutput(f"{where} is not a histogram in HdrHistogram's V2 encoding.", hint) from error


def merge(histograms: Iterable[HdrHistogram]) -> HdrHistogram:
    """Add histograms up: the distribution of all their latencies together."""
    total = new()
    for histogram in histograms:
        total.add(histogram)
    return total


def percentiles(histogram: HdrHistogram) -> Percentiles | NotMeasured:
    """Read the percentiles in milliseconds, each at most one part in a thousand above the true one."""
    if histogram.get_total_count() == 0:
        return NotMeasured(not_measured="no answer was timed")
    p50, p75, p90, p95, p99, p99_9 = _milliseconds_at(histogram, (50.0, 75.0, 90.0, 95.0, 99.0, 99.9))
    return Percentiles(
        p50_ms=p50,
        p75_ms=p75,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        p99_9_ms=p99_9,
        max_ms=histogram.get_max_value() / US_PER_MS,
        mean_ms=_mean_ms(histogram),
    )


def curve(histogram: HdrHistogram) -> tuple[tuple[float, float], ...]:
    """Return (percentile, milliseconds) pairs for a latency curve, up to what the number of answers can resolve.

    A percentile that fewer than one answer lies beyond is left out, since it would only repeat the maximum.
    """
    total = histogram.get_total_count()
    wanted = tuple(p for p in CURVE_PERCENTILES if (100.0 - p) / 100.0 * total >= 1.0)
    return tuple(zip(wanted, _milliseconds_at(histogram, wanted), strict=True))


def _milliseconds_at(histogram: HdrHistogram, wanted: tuple[float, ...]) -> tuple[float, ...]:
    """Read many percentiles in one pass; the library's own loop takes a hundred times as long."""
    reached = list(accumulate(_counts(histogram)))
    return tuple(
        histogram.get_highest_equivalent_value(
            histogram.get_value_from_index(bisect_left(reached, histogram.get_target_count_at_percentile(percentile)))
        )
        / US_PER_MS
        for percentile in wanted
    )


def _counts(histogram: HdrHistogram) -> list[int]:
    """Return the counts up to the largest value's; what lies above it, up to an hour, is empty."""
    return list(histogram.counts[: histogram.get_counts_array_index(histogram.get_max_value()) + 1])


def _mean_ms(histogram: HdrHistogram) -> float:
    middle_us = 0.0
    for index, count in enumerate(_counts(histogram)):
        if count:
            low = histogram.get_value_from_index(index)
            middle_us += count * (low + histogram.get_highest_equivalent_value(low)) / 2
    return middle_us / float(histogram.get_total_count()) / US_PER_MS
