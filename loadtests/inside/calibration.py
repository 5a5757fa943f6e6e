"""A fixed pure-Python loop, timed: what it takes from round to round is the machine's own drift."""

from __future__ import annotations

import time

TURNS = 3_000_000


def main() -> None:
    """Print the seconds that the loop took."""
    began = time.perf_counter()
    total = 0
    for number in range(TURNS):
        total += number & 7
    took = time.perf_counter() - began
    if total != sum(range(8)) * TURNS // 8:
        raise SystemExit("the loop miscounted")
    print(f"{took:.6f}")


if __name__ == "__main__":
    main()
