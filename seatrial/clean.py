"""`seatrial clean`: removes what runs that are no longer alive left in the engine, and more where it is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import click

from harness.engine import daemon, things
from harness.engine.find import connected
from harness.engine.things import Kind, Thing
from harness.errors import EngineMissing, SeatrialError, UsageError
from harness.locks import RunState, living_runs, run_state
from harness.paths import cache_dir
from seatrial.terminal import Terminal


class NotRemoved(SeatrialError):
    """The engine would not remove something."""

    exit_code = 3


@click.command("clean")
@click.option("--images", is_flag=True, help="Remove the images that Seatrial made, too.")
@click.option(
    "--cache", is_flag=True, help="Remove downloaded wheels and packages and other caches, too, and the own engine's."
)
@click.option("--all", "everything", is_flag=True, help="Of runs that are alive or not of this user or machine, too.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@click.pass_obj
def command(terminal: Terminal, images: bool, cache: bool, everything: bool, dry_run: bool) -> None:
    """Remove the containers, volumes and networks of runs that died.

    Nothing without Seatrial's labels is touched, nor any name that somebody else gave an image. A build cache is only
    emptied in an engine of Seatrial's own.
    """
    living = living_runs()
    if (images or cache) and living and not everything:
        raise UsageError(
            f"The run {living[0]} is going on and needs images and caches.", "Wait for it to end, or add --all."
        )
    failures = _clean_engine(terminal, images=images, cache=cache, everything=everything, dry_run=dry_run)
    if cache and cache_dir().exists():
        terminal.out.print(f"{'would remove' if dry_run else 'removed'} {cache_dir()}", soft_wrap=True)
        if not dry_run:
            shutil.rmtree(cache_dir(), ignore_errors=True)
    if failures:
        raise NotRemoved("Not all could be removed:\n  " + "\n  ".join(failures), "See `seatrial ps`.")


def chosen(found: Sequence[Thing], *, everything: bool) -> list[Thing]:
    """Return the things that may go: those of dead runs, or all."""
    return [
        thing
        for thing in found
        if everything or (thing.run_id is not None and run_state(thing.run_id) is RunState.DEAD)
    ]


def _clean_engine(terminal: Terminal, *, images: bool, cache: bool, everything: bool, dry_run: bool) -> list[str]:
    try:
        with connected(say=terminal.say, install=False, start=daemon.has_data()) as engine:
            found = things.of_runs(engine.client)
            going = chosen(found, everything=everything)
            staying = [thing for thing in found if thing not in going]
            if images:
                going += things.images(engine.client)
            failures = [] if dry_run else things.remove(engine.client, going)
            if cache and engine.host == daemon.status().host:
                freed = "" if dry_run else f", {things.empty_build_cache(engine.client) / 1e6:,.0f} MB"
                terminal.out.print(f"{'would empty' if dry_run else 'emptied'} the engine's build cache{freed}")
    except EngineMissing as error:
        # With no engine there is nothing in one; what was asked for beside it can still be done.
        terminal.say(error.message)
        return []
    verb = "would remove" if dry_run else "removed"
    for kind in Kind:
        count = sum(1 for thing in going if thing.kind is kind)
        if count:
            terminal.out.print(f"{verb} {count} {kind}{'s' if count != 1 else ''}")
    if not going:
        terminal.out.print("Nothing to remove.")
    if staying:
        terminal.out.print(f"left {len(staying)} of runs that are alive, or not of this user or machine (--all)")
    return failures
