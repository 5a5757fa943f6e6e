"""What a reader does with the pick: how it is built and started, what is wrong with it, and how that is mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness import attacks
from harness.model import Failed, Finding, Results
from harness.samples import scan_of
from report.text import shortened

NAMED = 3
"""So many findings and attacks are named; the rest are counted, and stand further down."""


@dataclass(frozen=True, kw_only=True)
class Shipping:
    """The pick in a reader's hands, each part in whole sentences.

    Args:
        use: how it is built and started as it was measured.
        attacks: what an attacker inside could do; that it was not tried, where it was not.
        mend: the worst findings by name, each with what to do.

    """

    use: str
    command: str
    attacks: str
    mend: tuple[tuple[str, str, str], ...]
    more: int
    """How many findings are not named."""


def of(results: Results, pick: str | None) -> Shipping | None:
    """Read what concerns the pick; None where there is none."""
    if pick is None:
        return None
    scan = scan_of(results, pick)
    found = sorted(
        (one for one in (scan.findings if scan else ()) if one.suppressed is None), key=lambda one: -one.severity.rank
    )
    dockerfile = next((one.dockerfile for one in results.variants if one.name == pick), "")
    under = f", started as the run profile {results.run_profile} says" if results.run_profile else ""
    return Shipping(
        use=f"Build it from {dockerfile}{under}. This writes the flags that it was measured under as a file that "
        "starts it:",
        command=f"seatrial export {pick} --format compose",
        attacks=_attacks(results, pick),
        mend=_worst(found),
        more=max(len(found) - NAMED, 0),
    )


def _worst(found: Sequence[Finding]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (one.severity.value, shortened(one.title, 120), shortened(one.remediation, 160)) for one in found[:NAMED]
    )


def _attacks(results: Results, pick: str) -> str:
    hardening = attacks.hardening_of(results, pick)
    if hardening is not None and hardening.failure:
        return f"What an attacker inside could do was not tried: {shortened(hardening.failure, 160)}."
    if hardening is None or not hardening.probes:
        return "What an attacker inside could do was not tried: `seatrial probe` does."
    won = [one for one in hardening.probes if isinstance(one.outcome, Failed)]
    untried = len(attacks.untried(results, pick))
    tried = len(hardening.probes) - untried
    if not tried:
        return f"None of {untried} attacks from inside could be tried here."
    rest = f"; {untried} more could not be tried here" if untried else ""
    if not won:
        return f"None of the {tried} attacks from inside that were tried succeeded{rest}."
    names = "; ".join(shortened(one.title, 80) for one in won[:NAMED])
    more = f", and {len(won) - NAMED} more" if len(won) > NAMED else ""
    said = f"{len(won)} of the {tried} attacks from inside that were tried succeeded{rest}."
    return f"{said} This does not hold: {names}{more}."
