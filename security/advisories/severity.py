"""How bad a vulnerability is: CVSS vectors scored by the `cvss` library, else the source's own word, else unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from harness.model import Severity

WORDS = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "low": Severity.LOW,
    "negligible": Severity.LOW,
    "unimportant": Severity.LOW,
    "minor": Severity.LOW,
}
MAX_VECTOR = 1000


@dataclass(frozen=True, kw_only=True)
class Rating:
    """A severity with the vector and base score that it is from, where it is from one."""

    severity: Severity = Severity.UNKNOWN
    vector: str | None = None
    score: float | None = None


def rate(vectors: Iterable[str], words: Iterable[str] = ()) -> Rating:
    """Rate by the vector of the newest CVSS version, or by the worst of the source's words where no vector is valid."""
    scored = [found for vector in vectors if (found := _score(vector)) is not None]
    if scored:
        _, rating = max(scored, key=lambda one: (one[0], one[1].score or 0.0))
        return rating
    return Rating(severity=max((word(text) for text in words), key=lambda s: s.rank, default=Severity.UNKNOWN))


def word(text: str) -> Severity:
    """Read a source's word for a severity; UNKNOWN where it is none of the usual ones."""
    return WORDS.get(text.strip().lower(), Severity.UNKNOWN)


def _score(vector: str) -> tuple[int, Rating] | None:
    """Return the CVSS version's number and the rating, or None for what is not a vector."""
    text = vector.strip()
    if len(text) > MAX_VECTOR:
        return None
    try:
        if text.startswith("CVSS:4"):
            return 4, _rating(text, float(CVSS4(text).base_score))
        if text.startswith("CVSS:3"):
            return 3, _rating(text, float(CVSS3(text).scores()[0]))
        if text.startswith(("AV:", "(AV:")):
            return 2, _rating_v2(text, float(CVSS2(text.strip("()")).scores()[0]))
    except (CVSSError, ArithmeticError, ValueError, KeyError):
        return None
    return None


def _rating(vector: str, score: float) -> Rating:
    """Name a score by the qualitative scale of CVSS 3 and 4 (section 5); "None" (0.0) is here LOW."""
    limits = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
    return Rating(severity=next(s for least, s in limits if score >= least), vector=vector, score=score)


def _rating_v2(vector: str, score: float) -> Rating:
    """Name a score by the scale that the NVD uses for CVSS 2, which knows nothing above HIGH."""
    limits = ((7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
    return Rating(severity=next(s for least, s in limits if score >= least), vector=vector, score=score)
