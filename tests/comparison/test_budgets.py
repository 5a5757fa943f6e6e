"""one test for each variant and limit; what was not measured is skipped with its reason."""

from __future__ import annotations

import pytest

from harness import verdicts
from harness.model import Verdict, VerdictKind
from report.text import clean
from seatrial.compare import shown


def test_budget(verdict: Verdict) -> None:
    # A message may quote what the app answered, which is neither for a terminal nor for a workflow to obey.
    if verdict.kind is VerdictKind.NOT_MEASURED:
        pytest.skip(shown(clean(verdict.message)))
    if verdict.kind is VerdictKind.EXCEEDED:
        pytest.fail(shown(clean(f"{verdicts.sentence(verdict)}: {verdict.message}")), pytrace=False)
