"""What has no figure because it is beyond any limit: that breaks every budget on it, and is no gap in the measuring."""

from __future__ import annotations

from harness import interference, samples
from harness.model import Results

BEYOND = ("stop_seconds", "interference_p99_ratio")
"""The metrics of which that can be said."""


def beyond_any_limit(results: Results, variant: str, metric: str) -> str:
    """Say in a word or two why a metric that was not measured breaks any limit; empty where it is just not measured."""
    if metric == "stop_seconds" and any(one.killed for one in samples.idle_stops(results, variant)):
        # Not one of its times is known, but that it stops by itself is what any limit asks for.
        return "killed"
    if metric == "interference_p99_ratio" and interference.unserved(results, variant):
        return "not served"
    return ""
