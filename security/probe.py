"""What a probe is, how the probes in `security/probes/` are found, and how one becomes a script for standard input."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType
from typing import Any

from harness.model import Severity
from security.inside import http, kit, syscalls
from security.inside.kit import Kit

INSIDE = (kit, syscalls, http)
OLDEST_PYTHON = (3, 7)
"""The oldest Python whose grammar a script keeps to: `python:3.7-slim` is an image that people run."""
NOT_SENT = ("security", "harness", "__future__")
SPARE_ADDRESS_BYTES = 512 << 20


class BrokenProbe(Exception):
    """A module among the probes is not one: a fault of this program, not of the user."""


class Group(IntEnum):
    """What a probe attacks. They run in this order: those that exhaust something come last."""

    IDENTITY = 0
    FILES = 1
    KERNEL = 2
    NETWORK = 3
    APP = 4
    RESOURCES = 5


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What an attack says about itself."""

    id: str
    """The module's name, with dashes."""
    title: str
    """What must not be possible, as a statement that holds where the probe is stopped."""
    severity: Severity
    group: Group
    rationale: str
    remediation: str
    seconds: float = 15.0
    """After this long the attack and all its processes are killed."""


@dataclass(frozen=True, kw_only=True)
class LoadedProbe:
    """A probe with its attack; the attack runs inside the container, never here."""

    probe: Probe
    attack: Callable[[Kit], None]
    source: str
    """The module, less what only the host needs."""


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """How far a counted attack goes where nothing stops it; bounds of the harness's own, whatever the container."""

    processes: int = 256
    memory_bytes: int = 512 << 20
    disk_bytes: int = 96 << 20
    descriptors: int = 4096
    busy_processes: int = 2
    burn_seconds: float = 1.0


def discover(package: ModuleType | None = None) -> tuple[LoadedProbe, ...]:
    """Return every probe of the package (default: `security.probes`), in the order in which they run.

    Raises:
        BrokenProbe: a module there has no PROBE or no `attack`, or an id that is not the module's name.

    """
    folder = package or importlib.import_module("security.probes")
    found = [
        _load(importlib.import_module(f"{folder.__name__}.{i.name}")) for i in pkgutil.iter_modules(folder.__path__)
    ]
    return tuple(sorted(found, key=lambda one: (one.probe.group, one.probe.id)))


def script(loaded: LoadedProbe, facts: Mapping[str, Any]) -> str:
    """Return a program for the standard input of a container's Python: the attack, its bounds, and what it may know.

    Args:
        loaded: the probe.
        facts: addresses, ports, ceilings and the run's nonce; plain JSON values.

    """
    ceilings = facts.get("ceilings", {})
    bounds = {
        "seconds": loaded.probe.seconds,
        "address_bytes": int(ceilings.get("memory_bytes", 0)) + SPARE_ADDRESS_BYTES,
        "file_bytes": int(ceilings.get("disk_bytes", 0)) + (1 << 20),
    }
    parts = [
        "from __future__ import annotations",
        # The working directory is the app's: none of its modules may stand for one of the library's.
        "import sys\nsys.path[:] = [place for place in sys.path if place not in ('', '.')]",
        *(_for_the_container(module) for module in INSIDE),
        loaded.source,
        f"run(attack, json.loads({json.dumps(json.dumps({**facts, **bounds}))}))",
    ]
    return "\n\n".join(parts) + "\n"


def _load(module: ModuleType) -> LoadedProbe:
    probe, attack = getattr(module, "PROBE", None), getattr(module, "attack", None)
    if not isinstance(probe, Probe) or not callable(attack):
        raise BrokenProbe(f"{module.__name__} needs `PROBE = Probe(...)` and a function `attack(kit)`.")
    if probe.id != module.__name__.rpartition(".")[2].replace("_", "-"):
        raise BrokenProbe(f"The id of {module.__name__} is {probe.id!r}, not its module's name.")
    return LoadedProbe(probe=probe, attack=attack, source=_for_the_container(module))


@functools.cache  # the same for every probe and container
def _for_the_container(module: ModuleType) -> str:
    """Return a module's source without its docstring, its PROBE, and the imports that only this project can serve."""
    text = inspect.getsource(module)
    kept = [node for node in ast.parse(text).body if not _stays_here(node)]
    return "\n\n".join(_segment(text, node) for node in kept)


def _segment(text: str, node: ast.stmt) -> str:
    return ast.get_source_segment(text, node) or ""


def _stays_here(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return True
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in NOT_SENT
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "PROBE" for t in node.targets)
