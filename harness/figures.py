"""How a figure is written for a reader: three significant digits, the unit beside it, the interval after it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Interval, NotMeasured, Ratio

NOT_SIGNIFICANT = "~"
BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
SINGULAR = {"findings": "finding", "layers": "layer", "probes": "probe", "vulnerabilities": "vulnerability"}


def figure(value: float, unit: str) -> str:
    """Write one value with its unit; bytes, seconds and milliseconds in the unit that suits their size."""
    if unit == "bytes":
        return _bytes(value)
    if unit in ("s", "ms"):
        factor, name = suited(value, unit)
        return f"{digits(value * factor)} {name}"
    if unit == "share":
        return f"{digits(value * 100)}%"
    noun = SINGULAR.get(unit, unit) if value == 1 else unit
    return f"{digits(value)} {noun}" if unit else digits(value)


def suited(value: float, unit: str) -> tuple[float, str]:
    """Return the factor to the unit that suits a value of bytes, seconds or milliseconds, and its name."""
    size = abs(value)
    if unit == "bytes":
        return next(((1 / least, name) for least, name in BYTES if size >= least * 0.9995), (1.0, "B"))
    if unit == "s" and 0 < size < 0.1:
        return 1e3, "ms"
    if unit == "ms" and 0 < size < 0.9995:
        return 1e3, "µs"
    return (1e-3, "s") if unit == "ms" and size >= 10_000 else (1.0, unit)


def interval(measured: Interval, unit: str) -> str:
    """Write a value with its confidence interval and the number of trials behind it."""
    text = figure(measured.value, unit)
    if measured.low is None or measured.high is None:
        return f"{text} (n = {measured.n}, so no interval)"
    if measured.low == measured.high and measured.n == 1:
        return text
    return f"{text} ({figure(measured.low, unit)} to {figure(measured.high, unit)}, n = {measured.n})"


def spread(value: float, trials: Sequence[float]) -> str:
    """Write the spread of the trials behind a figure: `±3%`, by how much the farthest of them is from it.

    `1 trial` where there is but one. A counted value, which has no trials, has no spread.
    """
    if not trials or value <= 0:
        return ""
    if len(trials) == 1:
        return "1 trial"
    share = max(abs(one - value) for one in trials) / value * 100
    if share == 0:
        return "±0%"
    return "±>999%" if share > 999 else f"±{share:.0f}%" if share >= 0.95 else f"±{max(share, 0.1):.1f}%"


def ratio(measured: Ratio | NotMeasured) -> str:
    """Write a ratio; `~` before it where it is not significant, `?` where too few trials allow a judgement."""
    if isinstance(measured, NotMeasured):
        return "-"
    mark = {True: "", False: NOT_SIGNIFICANT, None: "?"}[measured.significant]
    return f"{mark}{times(measured.value)}"


def times(value: float) -> str:
    """Write a ratio's number, without a mark."""
    return f"{digits(value) if value >= 10 else f'{value:.2f}' if value >= 0.095 else f'{value:.3f}'}×"  # noqa: RUF001


def digits(value: float, places: int = 3) -> str:
    """Write a number in three significant digits, whole numbers from a hundred on with thousands set off by commas."""
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (places - 1):
        return f"{value:,.0f}"
    whole = f"{value:.{places}g}"
    if "e" in whole:
        return f"{value:.2g}"
    short = float(whole)
    if value == int(value):
        return f"{int(value)}"
    decimals = max(places - 1 - _magnitude(short), 0)
    return f"{short:.{decimals}f}"


def _magnitude(value: float) -> int:
    return int(f"{abs(value):e}".rpartition("e")[2])


def _bytes(value: float) -> str:
    factor, name = suited(value, "bytes")
    scaled = value * factor
    return f"{scaled:,.0f} {name}" if name == "B" or scaled >= 1000 else f"{scaled:.1f} {name}"
