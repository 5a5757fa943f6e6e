"""What is asked of one endpoint under load: cases that vary, each with its request as it goes over the wire."""

from __future__ import annotations

from random import Random

from loadtests import contract
from loadtests.cases import Case
from loadtests.inside.lean import request_bytes

CASES_PER_ENDPOINT = 64
"""Made before the load, so that making inputs and answers costs the generator nothing while it measures."""

Step = tuple[Case, bytes]


def steps_of(endpoint: str, port: int, random: Random) -> list[Step]:
    """Return the steps of one endpoint, `CASES_PER_ENDPOINT` of them."""
    cases = [contract.case(endpoint, random) for _ in range(CASES_PER_ENDPOINT)]
    return [(case, request_bytes(case, port)) for case in cases]
