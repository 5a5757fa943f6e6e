"""Which of two versions of one package is the newer one, by its ecosystem's own rules."""

from __future__ import annotations

from harness.model import Component
from security.advisories.versions import InvalidVersion, pep440, scheme_of
from security.inventory import ecosystem


def order(first: Component, second: Component) -> int | None:
    """Return -1 where the first is older, 1 where it is newer, 0 where they are the same; None where nobody can tell.

    Two ecosystems have no order between them, Debian's releases apart, which share one scheme.
    """
    kind, other = (ecosystem(one).partition(":")[0] for one in (first, second))
    if kind != other:
        return None
    scheme = scheme_of(kind) or (pep440 if kind == "generic" else None)
    if scheme is None:
        return None
    try:
        then, now = scheme(first.version), scheme(second.version)
    except InvalidVersion:
        return None
    return -1 if then < now else 1 if now < then else 0
