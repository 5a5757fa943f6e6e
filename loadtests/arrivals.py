"""The open model's arrivals: the moments at which requests are due, whatever has become of those before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random


def due_times(rate: float, kind: str, random: Random) -> Iterator[float]:
    """Yield the seconds after the start at which requests are due, without end.

    Args:
        rate: mean arrivals a second, above zero.
        kind: `constant` (one every 1/rate) or `poisson` (gaps exponentially distributed, as of many independent users).
        random: where the gaps come from; the same state gives the same moments.

    Raises:
        ValueError: the rate or the kind is none of these.

    """
    if not rate > 0:
        raise ValueError(f"the rate must be above zero, not {rate}")
    if kind == "constant":
        # By multiplication: a sum of gaps would drift with its rounding.
        return (number / rate for number in count())
    if kind == "poisson":
        return _poisson(rate, random)
    raise ValueError(f"arrivals are constant or poisson, not {kind}")


def _poisson(rate: float, random: Random) -> Iterator[float]:
    due = 0.0
    while True:
        due += random.expovariate(rate)
        yield due
