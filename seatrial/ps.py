"""`seatrial ps`: lists what Seatrial has in the engine, by run, and whether that run is alive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.table import Table

from harness.engine import daemon, things
from harness.engine.find import connected
from harness.engine.things import Kind, Thing
from harness.locks import RunState, run_state
from seatrial.terminal import Terminal

MEANING = {
    RunState.ALIVE: "alive",
    RunState.DEAD: "dead",
    RunState.UNKNOWN: "not of this user or machine",
}


@click.command("ps")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON list instead of a table.")
@click.pass_obj
def command(terminal: Terminal, as_json: bool) -> None:
    """List Seatrial's containers, volumes, networks and images in the engine."""
    with connected(say=terminal.say, install=False, start=daemon.has_data()) as engine:
        found = [*things.of_runs(engine.client), *things.images(engine.client)]
    if as_json or terminal.as_json:
        terminal.json(json.dumps([asdict(thing) | {"run_state": _run_state(thing)} for thing in found], indent=2))
    elif found:
        terminal.out.print(_table(found))
    else:
        terminal.out.print("Seatrial has nothing in the engine.")


def _run_state(thing: Thing) -> str | None:
    if thing.kind is Kind.IMAGE or thing.run_id is None:
        return None
    return MEANING[run_state(thing.run_id)]


def _table(found: Sequence[Thing]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "run", "the run is", "for", "state"):
        table.add_column(heading, no_wrap=heading == "run", overflow="fold")
    for thing in sorted(found, key=lambda one: (list(Kind).index(one.kind), one.run_id or "", one.name)):
        size = f"{thing.size_bytes / 1e6:,.0f} MB" if thing.size_bytes is not None else ""
        what_for = " ".join(part for part in (thing.role, thing.variant) if part)
        run = "" if thing.kind is Kind.IMAGE else thing.run_id or ""
        table.add_row(str(thing.kind), thing.name, run, _run_state(thing) or "", what_for, thing.state or size)
    return table
