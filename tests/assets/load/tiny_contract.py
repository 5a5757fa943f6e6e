"""The contract of the tiny server that tests load: twice the number asked for, as plain text."""

from __future__ import annotations

from random import Random

from loadtests.cases import Case

READY = "double"
JOURNEYS = {"double": 3, "half/../double": 1}


def case(endpoint: str, random: Random) -> Case:
    if endpoint not in JOURNEYS:
        raise KeyError(endpoint)
    return _case(endpoint, "/loaded", random)


def examination(random: Random) -> list[Case]:
    return [_case(READY, "/examined", random) for _ in range(10)]


def _case(endpoint: str, path: str, random: Random) -> Case:
    number = random.randrange(10**6)
    return Case(
        endpoint=endpoint, target=f"{path}?n={number}", content_type="text/plain", answer=str(2 * number).encode()
    )
