"""`seatrial advisories`: the data that images' components are looked up in."""

from __future__ import annotations

import click
from rich.table import Table

from harness.errors import UnreadableOutput
from seatrial.terminal import Terminal
from security.advisories.addresses import addresses
from security.advisories.fetching import Fetched, Missing, update


@click.group("advisories")
def command() -> None:
    """Fetch the data that images' components are looked up in."""


@command.command("update")
@click.argument("ecosystems", nargs=-1, metavar="[ECOSYSTEM]...")
@click.pass_obj
def update_command(terminal: Terminal, ecosystems: tuple[str, ...]) -> None:
    """Fetch OSV's data for ECOSYSTEMs (PyPI, Debian and Alpine, if none is given)."""
    known = addresses().ecosystems
    for name in ecosystems:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(known)}.", param_hint="ECOSYSTEM")
    done = update(ecosystems, say=terminal.say)
    terminal.give(done)
    terminal.out.print(_table(done))
    missing = [one for one in done if isinstance(one, Missing)]
    if missing:
        names = ", ".join(one.ecosystem for one in missing)
        raise UnreadableOutput(
            f"Not fetched: {names}.",
            "A scan says what it could not look up. `seatrial scan --advisories DIR` takes data fetched elsewhere.",
        )


def _table(done: tuple[Fetched | Missing, ...]) -> Table:
    table = Table("ecosystem", "records", "as of", "", box=None, pad_edge=False)
    for one in done:
        if isinstance(one, Fetched):
            table.add_row(one.ecosystem, f"{one.records:,}", one.as_of, "" if one.changed else "unchanged")
        else:
            table.add_row(one.ecosystem, "", one.kept_as_of or "none here", one.reason)
    return table
