"""The command's front door: finds the verb, and turns every error into a message, a hint and an exit code."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from typing import Any

import click

from harness.errors import Interrupted, SeatrialError, UsageError
from harness.signals import stops_raise
from seatrial import __version__
from seatrial.terminal import Terminal, asked_plain

HINT_FOLDERS = "Is there room, and may this user write there? XDG_CACHE_HOME, XDG_STATE_HOME and XDG_DATA_HOME move it."
BUG_EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h: none of the documented ones, since the fault is in Seatrial itself


@dataclass(frozen=True)
class Verb:
    """A subcommand: where its click command is, and its line in the help, so that help loads none of them."""

    target: str
    help: str


VERBS = {
    "run": Verb("seatrial.run:command", "Build, load, scan, attack, compare and report every variant."),
    "build": Verb("seatrial.build:command", "Build the image of every variant."),
    "load": Verb("seatrial.load:command", "Measure start, load and stop of every variant."),
    "capacity": Verb("seatrial.capacity:command", "Find the highest rate that a variant holds."),
    "duel": Verb("seatrial.duel:command", "Tell whether one variant is slower than another, on a noisy machine."),
    "soak": Verb("seatrial.soak:command", "Load a variant for long, and see whether its memory grows."),
    "cost": Verb("seatrial.cost:command", "Tell what hardening, network path, limits or workers cost a variant."),
    "tune": Verb("seatrial.tune:command", "Find the workers and threads with which gunicorn serves most."),
    "neighbours": Verb("seatrial.neighbours:command", "Tell what other containers on its core do to a variant."),
    "scan": Verb("seatrial.scan:command", "List what is inside the images and what is wrong with them."),
    "probe": Verb("seatrial.probe:command", "Check how containers are set up, and attack them from inside."),
    "seccomp": Verb("seatrial.seccomp:command", "Make and prove a tighter seccomp profile for one variant."),
    "export": Verb("seatrial.export:command", "Write a measured configuration as a file that starts it."),
    "compare": Verb("seatrial.compare:command", "Judge a run by its budgets, or compare two runs, variants or images."),
    "baseline": Verb("seatrial.baseline:command", "Keep a run's figures, to judge later runs against."),
    "answers": Verb("seatrial.answers:command", "Show what a run answers to each of the eight questions."),
    "report": Verb("seatrial.report:command", "Write a run's report anew."),
    "advisories": Verb("seatrial.advisories:command", "Fetch the data that images' components are looked up in."),
    "doctor": Verb("seatrial.doctor:command", "Tell what was found on this machine, and what each absence costs."),
    "engine": Verb("seatrial.engine:command", "Show, start or stop Seatrial's own container engine."),
    "ps": Verb("seatrial.ps:command", "List what Seatrial has in the engine."),
    "clean": Verb("seatrial.clean:command", "Remove what dead runs left behind."),
}

EVERYWHERE = ("--debug", "-q", "--quiet", "--plain", "--json")
"""Options of the command itself; they may stand behind the verb too, where most people write them."""
OWN_JSON = ("doctor", "ps")


class Verbs(click.Group):
    """A group whose commands are imported when they are called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which a run uses them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb's module and return its command."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module, _, name = verb.target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the verb that was meant where the one that was typed does not exist."""
        typed = args[0] if args else ""
        if typed not in VERBS and not typed.startswith("-"):
            near = [verb for verb in VERBS if verb.startswith(typed[:3])]
            hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(VERBS)}."
            ctx.fail(f"There is no command {typed!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs' help lines without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="seatrial")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("--plain", is_flag=True, help="No colour and no moving bar; so too where NO_COLOR or CI is set.")
@click.option("--json", "as_json", is_flag=True, help="What was found as JSON, and nothing else, on standard output.")
@click.pass_context
def cli(context: click.Context, debug: bool, quiet: bool, plain: bool, as_json: bool) -> None:
    """Take the container images of a Flask app to sea: build, load, scan, attack and compare them.

    Exit codes: 0 done, 1 a budget or regression threshold is exceeded, 2 usage or settings, 3 engine or tool missing,
    4 a build failed, 5 the app breaks its contract, 6 no valid measurement, 7 unreadable results, 70 a fault in
    Seatrial itself, 130 interrupted.
    """
    if context.obj is None:
        context.obj = Terminal(debug=debug, quiet=quiet, plain=plain or asked_plain(), as_json=as_json)


@cli.result_callback()
@click.pass_obj
def ended(terminal: Terminal, /, code: Any, **_: Any) -> Any:
    """Write what a verb gave, where JSON was asked for; `--help` and `--version` are no verbs, and have their text."""
    terminal.end()
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; errors are told on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding than UTF-8 gets what it has no letter for spelled out, and no error.
            stream.reconfigure(errors="backslashreplace")
    words = hoisted(list(sys.argv[1:] if argv is None else argv))
    said = set(words[: sum(1 for _ in takewhile(EVERYWHERE.__contains__, words))])
    terminal = Terminal(
        debug="--debug" in said,
        quiet=bool(said & {"-q", "--quiet"}),
        plain="--plain" in said or asked_plain(),
        as_json="--json" in said,
    )
    try:
        with stops_raise():
            code = _invoke(words, terminal)
            sys.stdout.flush()
            return code
    except SeatrialError as error:
        if terminal.debug:
            terminal.err.print_exception()
        terminal.fail(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        terminal.fail(Interrupted("Stopped."))
        return Interrupted.exit_code
    except BrokenPipeError:
        # Whoever read standard output has gone, as `head` does. What is still to be flushed goes nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk, a folder that may not be written: the machine's state, not a fault of ours.
        if terminal.debug:
            terminal.err.print_exception()
        where = f": {error.filename}" if error.filename else ""
        terminal.fail(UsageError(f"{error.strerror or error}{where}", HINT_FOLDERS))
        return UsageError.exit_code
    except Exception as error:
        if terminal.debug:
            raise
        terminal.fail(
            SeatrialError(
                f"Seatrial itself failed: {type(error).__name__}: {error}", "Run it with --debug to see where."
            )
        )
        return BUG_EXIT_CODE


def hoisted(words: list[str]) -> list[str]:
    """Return a command line with the options of every verb at its front, wherever they stood.

    A word after `--` is none, and some verbs have a `--json` of their own, which does the same.
    """
    end = words.index("--") if "--" in words else len(words)
    verb = next((word for word in words if not word.startswith("-")), "")
    mine = [word for word in words[:end] if word in EVERYWHERE and not (word == "--json" and verb in OWN_JSON)]
    return [*mine, *(word for place, word in enumerate(words) if place >= end or word not in mine)]


def _invoke(words: list[str], terminal: Terminal) -> int:
    stdout, stderr = sys.stdout, sys.stderr
    try:
        outcome: Any = cli.main(args=words, prog_name="seatrial", standalone_mode=False, obj=terminal)
    except click.ClickException as error:
        error.show()
        if terminal.as_json:
            told = {"message": error.format_message(), "hint": "", "exit_code": error.exit_code}
            terminal.json(json.dumps({"error": told}, indent=2))
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except SystemExit as stop:
        # click turns a broken pipe into exit code 1, which here means that a budget is exceeded. All that tells one
        # from the other is that it has put something else in standard output's place.
        if sys.stdout is not stdout:
            sys.stdout, sys.stderr = stdout, stderr
            raise BrokenPipeError from stop
        raise
    # Without standalone mode click returns a command's own value, or the exit code of --help and --version.
    return outcome if isinstance(outcome, int) and not isinstance(outcome, bool) else 0
