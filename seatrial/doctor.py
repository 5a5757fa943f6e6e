"""`seatrial doctor`: tells what was found on this machine, and what each absence costs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from harness import debian
from harness.engine.buildkit import buildkit_client
from harness.engine.client import Engine
from harness.engine.find import connected
from harness.engine.registry import ask
from harness.errors import EngineMissing, SeatrialError
from seatrial.programs import PROGRAMS, Program, engine_name, locate, version
from seatrial.terminal import Terminal

REGISTRY_PROBE = "docker.io/library/python:3.13-slim-trixie"
REGISTRY_PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that was looked for. `cost` says what its absence costs; empty where nothing is lost."""

    name: str
    found: bool
    value: str
    cost: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON list instead of a table.")
@click.pass_obj
def command(terminal: Terminal, as_json: bool) -> int:
    """Tell what was found on this machine, and what each absence costs. Installs nothing."""
    facts = list(examine(terminal))
    if as_json or terminal.as_json:
        terminal.json(json.dumps([asdict(fact) for fact in facts], indent=2))
    else:
        terminal.out.print(_table(facts))
    return 0 if facts[0].found or debian.installing_forbidden() is None else EngineMissing.exit_code


def examine(terminal: Terminal) -> Iterator[Fact]:
    """Yield all facts; the first is the engine. An engine of Seatrial's own is started for it, and stopped again."""
    try:
        with connected(say=terminal.say, install=False) as engine:
            yield from engine_facts(engine.version(), engine.info(), source=engine.source, host=engine.host)
            yield _builder(engine)
            yield _registry(engine)
    except EngineMissing as error:
        why_not = debian.installing_forbidden()
        will = f"none can be installed: {why_not}" if why_not else "the next run installs one"
        yield Fact(name="engine", found=False, value=error.message, cost=f"nothing can be built or run; {will}")
    with ThreadPoolExecutor() as pool:
        yield from pool.map(_program, PROGRAMS)
    forbidden = debian.installing_forbidden()
    yield Fact(
        name="installing",
        found=forbidden is None,
        value="allowed, as root" if forbidden is None else forbidden,
        cost="" if forbidden is None else "what is missing has to be installed by hand",
    )
    yield Fact(name="Python", found=True, value=f"{platform.python_version()} on {platform.platform()}")


def engine_facts(version: dict[str, Any], info: dict[str, Any], *, source: str, host: str) -> Iterator[Fact]:
    """Read the engine's two documents: its version, cores, memory, cgroups, storage and security options."""
    yield Fact(
        name="engine",
        found=True,
        value=f"{engine_name(version)} {version.get('Version', '?')}, API {version.get('ApiVersion', '?')}, "
        f"{version.get('Os', '?')}/{version.get('Arch', '?')}, kernel {version.get('KernelVersion', '?')}",
    )
    yield Fact(name="found by", found=True, value=f"{source}: {host}")
    cores, here = int(info.get("NCPU") or 0), os.cpu_count() or 0
    yield Fact(
        name="cores",
        found=cores > 1,
        value=f"{cores} for the engine" + ("" if cores == here else f", {here} here"),
        cost="" if cores > 1 else "target and load generator share a core: figures say so, and mean less",
    )
    yield Fact(name="memory", found=True, value=f"{int(info.get('MemTotal') or 0) / 2**30:.1f} GiB for the engine")
    cgroup = str(info.get("CgroupVersion") or "")
    yield Fact(
        name="cgroups",
        found=bool(cgroup),
        value=f"version {cgroup or 'unknown'}, driver {info.get('CgroupDriver', 'unknown')}",
        cost="" if cgroup else "memory and CPU of containers may not be measured",
    )
    yield Fact(name="storage", found=True, value=str(info.get("Driver", "unknown")))
    options = [part.partition("name=")[2].partition(",")[0] for part in info.get("SecurityOptions") or ()]
    seccomp = "seccomp" in options
    yield Fact(
        name="confinement",
        found=seccomp,
        value=", ".join(options) or "none",
        cost="" if seccomp else "containers run without a seccomp profile",
    )


def _builder(engine: Engine) -> Fact:
    client = buildkit_client(engine)
    if client is not None:
        return Fact(name="builder", found=True, value=f"BuildKit, through {client.path} {client.version}")
    return Fact(
        name="builder",
        found=False,
        value="classic, through the API",
        cost="no docker client with BuildKit for this engine: builds are slower, and less of them is cached",
    )


def _registry(engine: Engine) -> Fact:
    answer = ask(engine, REGISTRY_PROBE, timeout_s=REGISTRY_PATIENCE_S)
    reached = answer.answered
    return Fact(
        name="registry",
        found=reached,
        value=f"{REGISTRY_PROBE} " + ("answers" if reached else f"does not answer ({answer.reason})"),
        cost=""
        if reached
        else "bases are stand-ins made from packages: figures do not carry over to the public images",
    )


def _program(program: Program) -> Fact:
    path = locate(program)
    if path is None:
        return Fact(name=program.name, found=False, value="not here", cost=program.cost)
    try:
        return Fact(name=program.name, found=True, value=f"{version(path)}, {path}")
    except SeatrialError as error:
        why = error.message.splitlines()[0]
        return Fact(name=program.name, found=False, value=f"{path} does not run: {why}", cost=program.cost)


def _table(facts: list[Fact]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for fact in facts:
        optional = any(fact.name == program.name and program.optional for program in PROGRAMS)
        mark = Text("yes", "green") if fact.found else Text("no", "yellow" if optional else "red")
        text = Text(fact.value)
        if fact.cost:
            text.append(f"\n{fact.cost}", style="dim")
        table.add_row(fact.name, mark, text)
    return table
