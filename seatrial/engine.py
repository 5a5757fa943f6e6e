"""`seatrial engine`: shows, starts and stops the container engine that is Seatrial's own."""

from __future__ import annotations

import click
from rich.table import Table

from harness.engine import daemon
from harness.engine.find import look
from harness.engine.packages import ensure_engine
from harness.errors import EngineMissing
from seatrial.terminal import Terminal


@click.group("engine")
def command() -> None:
    """Show, start or stop Seatrial's own container engine.

    A command starts it where no other engine runs, and stops it when it ends. One that was started here stays.
    """


@command.command("status")
@click.pass_obj
def status(terminal: Terminal) -> None:
    """Tell which engine a command would use, and the state of Seatrial's own."""
    table = Table(show_header=False, box=None, pad_edge=False)
    try:
        search = look()
    except EngineMissing as error:
        search = None
        table.add_row("used", f"none: {error.message}")
    if search is not None:
        if search.place is None or search.client is None:
            table.add_row("used", "none runs now")
        else:
            table.add_row("used", f"{search.place.source}, {search.place.host}")
            search.client.close()
    own = daemon.status()
    table.add_row("own engine", _state(own))
    table.add_row("its address", own.host)
    table.add_row("its data", str(own.data_root))
    table.add_row("its bridge", own.bridge)
    terminal.out.print(table, soft_wrap=True)


@command.command("start")
@click.pass_obj
def start(terminal: Terminal) -> None:
    """Start Seatrial's own engine; it stays until `seatrial engine stop`."""
    ensure_engine(say=terminal.say)
    daemon.start_and_keep(terminal.say)
    own = daemon.status()
    terminal.out.print(f"Seatrial's own engine runs (process {own.pid}) and stays.", highlight=False)
    terminal.out.print(f"export DOCKER_HOST={own.host}", soft_wrap=True)


@command.command("stop")
@click.option("--force", is_flag=True, help="Stop it even while a run uses it.")
@click.pass_obj
def stop(terminal: Terminal, force: bool) -> None:
    """Stop Seatrial's own engine; no other engine is ever stopped."""
    ran = daemon.stop(force=force)
    terminal.out.print("Seatrial's own engine is stopped." if ran else "Seatrial's own engine did not run.")


def _state(own: daemon.Status) -> str:
    if own.pid is not None:
        return f"runs (process {own.pid}), " + ("stays" if own.kept else "stops with its last user")
    return "does not run" if own.installed else "does not run; dockerd is not installed"
