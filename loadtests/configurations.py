"""Which configurations of gunicorn a tuning tries. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.model import Configuration

THREADS = (4, 8, 16)
AS_BUILT = "as built"


def configurations(
    cores: float, host_cores: int, workers: Sequence[int] = (), threads: Sequence[int] = ()
) -> tuple[Configuration, ...]:
    """Return what is tried: the image's own, gunicorn's advice, and workers from one to twice the cores, by threads.

    gunicorn's documentation advises (2 x cores) + 1 workers, whose class is sync if none is named. The first of these
    counts the cores of the limit; where the machine has more, its reading by the machine's cores is tried too.

    Args:
        cores: how many the container may use.
        host_cores: how many the machine has.
        workers: numbers of workers to try in place of the usual ones.
        threads: numbers of threads a worker to try in place of the usual ones; one is the class sync.

    """
    whole = max(1, math.ceil(cores))
    found = [_sync(2 * whole + 1, "gunicorn's advice, 2n + 1, by the CPU limit")]
    if host_cores > whole:
        found.append(_sync(2 * host_cores + 1, "gunicorn's advice, 2n + 1, by the machine's cores"))
    found.append(Configuration(name=AS_BUILT, arguments="", why="the image's own"))
    if not threads or 1 in threads:
        found += [_sync(count) for count in sorted(set(workers) or {whole, 2 * whole})]
    several = sorted({count for count in threads if count > 1}) if threads else THREADS
    found += [_threads(count, each) for count in sorted(set(workers) or {1, whole, 2 * whole}) for each in several]
    known: dict[str, Configuration] = {}
    for one in found:
        known.setdefault(one.name, one)
    return tuple(known.values())


def _sync(count: int, why: str = "") -> Configuration:
    return Configuration(
        name=f"{count}x1-sync", arguments=f"--workers {count} --threads 1 --worker-class sync", why=why
    )


def _threads(count: int, threads: int) -> Configuration:
    arguments = f"--workers {count} --threads {threads} --worker-class gthread"
    return Configuration(name=f"{count}x{threads}-gthread", arguments=arguments)
