"""Endpoints of the contract, asked where it is baked in, before anything is measured."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import UnreadableOutput, UsageError
from loadtests.load_profile import LoadProfile

ASK_TIMEOUT_S = 60
ASK = """
import json, sys
from random import Random
from loadtests import contract
unknown = {}
for name in json.loads(sys.argv[1]):
    try:
        contract.case(name, Random(0))
    except Exception as error:
        unknown[name] = f"{type(error).__name__}: {error}"
print(json.dumps([unknown, sorted(contract.JOURNEYS), list(getattr(contract, 'CLASSES_DIFFER', ()))]))
"""


def check(engine: Engine, generator_image: str, profile: LoadProfile) -> None:
    """Ask the contract, where it is baked in, for a case of each endpoint that a load profile names.

    A contract may have endpoints beside those of its own mix, so only it can tell; and it is the user's code, whose
    place is in the generator's container. A profile without journeys takes the contract's own mix, and asks nothing.

    Raises:
        UsageError: the contract has no such endpoint.
        UnreadableOutput: the container did not say.

    """
    names = sorted(name for name, weight in profile.journeys.items() if weight > 0)
    if not names:
        return
    unknown, known, _ = _asked(engine, generator_image, names)
    if unknown:
        raise _refusal(f"The load profile {profile.name} names", list(unknown.items()), known)


def telling(engine: Engine, generator_image: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the endpoints on which worker classes are compared: the named ones, else those that the contract names.

    Raises:
        UsageError: the contract has no such endpoint.
        UnreadableOutput: the container did not say.

    """
    unknown, known, telling = _asked(engine, generator_image, names)
    if unknown:
        raise _refusal("--endpoint names", list(unknown.items()), known)
    return tuple(names) or tuple(telling)


def _asked(
    engine: Engine, generator_image: str, names: Sequence[str]
) -> tuple[dict[str, str], Sequence[str], Sequence[str]]:
    command = ["-c", ASK, json.dumps(names)]
    spec = ContainerSpec(image=generator_image, role=Role.INSPECTOR, command=command)
    code, out, said = engine.run_to_end(spec, timeout_s=ASK_TIMEOUT_S)
    try:
        unknown, known, telling = json.loads(out)
    except ValueError as error:
        tail = said.strip()[-200:]
        raise UnreadableOutput(f"The contract's container ended with exit code {code}: {tail}") from error
    return unknown, known, telling


def _refusal(who: str, unknown: Sequence[tuple[str, str]], known: Sequence[str]) -> UsageError:
    name, why = unknown[0]
    more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    return UsageError(
        f"{who} the journey {name!r}, of which the contract has no case: {why}{more}.",
        f"The contract's own mix has {', '.join(known)}.",
    )
