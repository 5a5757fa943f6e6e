"""What the tests' own runs leave in an engine; what other runs and users have there is their affair."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.engine import labels
from harness.engine.client import Engine
from harness.locks import RunState, run_state, runs_dir

LOOK_S = 0.1
"""A run that takes less than this has nothing in the engine yet."""
IMAGES = "seatrial"
"""Names of all images that Seatrial or a test makes begin so."""
_begun: set[str] = set()
"""Runs that this process's children began: their locks are gone when they end, and what they left still names them."""


@contextmanager
def watched() -> Iterator[None]:
    """Note, for the length of a block, which runs this process's children begin."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            _begun.update(path.stem for path in runs_dir().glob("*.lock") if path.stem not in _begun and _ours(path))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _ours(lock: Path) -> bool:
    """Say whether a run's process descends from this one."""
    try:
        pid = int(lock.read_text("ascii") or 0)
        while pid > 1:
            if pid == os.getpid():
                return True
            # The name in it may hold anything, so what follows its last bracket is read.
            pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        pass
    return False


@dataclass(frozen=True)
class Snapshot:
    """What an engine has at one time that is the tests' own, images of whoever else among it."""

    own: dict[str, frozenset[str]]

    @classmethod
    def of(cls, engine: Engine) -> Snapshot:
        own = {f"{kind}s": frozenset(_own(engine, kind)) for kind in ("container", "volume", "network")}
        return cls(own | {"images": engine.inventory()["images"]})


def _own(engine: Engine, kind: str) -> Iterator[str]:
    """Yield the ids of what the tests and their runs have of a kind, be it labelled or only named as ours."""
    api = engine.client.api
    found: list[tuple[str, list[str], dict[str, str] | None]]
    if kind == "container":
        found = [(one["Id"], one["Names"] or [], one["Labels"]) for one in api.containers(all=True)]
    elif kind == "volume":
        found = [(one["Name"], [one["Name"]], one["Labels"]) for one in api.volumes()["Volumes"] or []]
    else:
        found = [(one["Id"], [one["Name"]], one["Labels"]) for one in api.networks()]
    for id, names, labelled in found:
        run = (labelled or {}).get(labels.RUN)
        named = any(name.lstrip("/").startswith(labels.RUNTIME_PREFIX) for name in names)
        if _is_own(run, engine) if run else named:
            yield id


def _is_own(run: str, engine: Engine) -> bool:
    # One of the children's runs that is still going on has not left anything yet.
    return run == engine.run_id or (run in _begun and run_state(run) is not RunState.ALIVE)


def leftovers(engine: Engine, before: Snapshot) -> list[str]:
    """Return a line for each of the tests' things that is new since `before`, other than labelled images.

    Images without a name may be anybody's, such as the steps of a build that goes on elsewhere: not told.
    """
    after = Snapshot.of(engine)
    lines = []
    for kind in ("containers", "volumes", "networks"):
        lines += [f"{kind[:-1]} {name} is new" for name in sorted(after.own[kind] - before.own[kind])]
    new = after.own["images"] - before.own["images"]
    listed = [
        one for one in engine.client.api.images() if one["Id"] in new and labels.ROLE not in (one["Labels"] or {})
    ]
    named = sorted({name for one in listed for name in one["RepoTags"] or () if name.startswith(IMAGES)})
    return lines + [f"image {name} is new and without a label" for name in named]
