"""The only file that starts a program: argument lists, no shell; a time limit; both outputs read at once."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.errors import Interrupted, ToolFailed, ToolMissing

LINES_KEPT_IN_ERROR = 5
CANCEL_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Completed:
    """What a program left behind: its exit code and both outputs as text."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str


def call(
    argv: Sequence[str | Path],
    *,
    timeout_s: float,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    accept: Sequence[int] = (0,),
    hint: str = "",
    cancel: threading.Event | None = None,
) -> Completed:
    """Run a program to its end and return what it printed.

    Args:
        argv: the program and its arguments.
        timeout_s: seconds after which the program and its children are killed.
        stdin: text for its standard input; nothing is connected without it.
        env: variables added to this process's environment.
        cwd: where it runs.
        on_line: called with every line of either output as it comes, from reader threads.
        accept: exit codes that are not a failure.
        hint: what to do when the program is missing or fails.
        cancel: for calls from worker threads, which Ctrl-C does not reach: once set, the program is killed.

    Raises:
        Interrupted: `cancel` was set.
        ToolMissing: the program is not there or may not be started.
        ToolFailed: it took too long, or ended with an exit code outside `accept`.

    """
    words = tuple(str(word) for word in argv)
    child = _start(words, env=env, cwd=cwd, stdin=stdin is not None, hint=hint)
    outputs: dict[str, list[str]] = {"stdout": [], "stderr": []}
    readers = [
        threading.Thread(target=_read, args=(stream, outputs[name], on_line), daemon=True)
        for name, stream in (("stdout", child.stdout), ("stderr", child.stderr))
    ]
    writer = threading.Thread(target=_write, args=(child.stdin, stdin or ""), daemon=True)
    for thread in (*readers, writer):
        thread.start()
    try:
        exit_code = _wait(child, timeout_s, cancel, hint)
    finally:
        _end_group(child)
        for thread in (*readers, writer):
            thread.join(timeout=5)
    done = Completed(
        argv=words, exit_code=exit_code, stdout="".join(outputs["stdout"]), stderr="".join(outputs["stderr"])
    )
    if exit_code not in accept:
        said = (done.stderr.strip() or done.stdout.strip() or "(it printed nothing)").splitlines()
        tail = "\n  ".join(said[-LINES_KEPT_IN_ERROR:])
        raise ToolFailed(f"{' '.join(words[:3])} ended with exit code {exit_code}:\n  {tail}", hint)
    return done


def start_daemon(argv: Sequence[str | Path], *, log: Path) -> int:
    """Start a long-lived program in a session of its own, its outputs appended to `log`, and return its process id.

    Raises:
        ToolMissing: the program is not there or may not be started.

    """
    words = tuple(str(word) for word in argv)
    try:
        with log.open("ab") as sink:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True)
    except OSError as error:
        raise ToolMissing(f"{words[0]} cannot be started: {error.strerror}.") from error
    # A daemon outlives its starter on purpose; the thread only reaps it, so that its end can be seen.
    threading.Thread(target=child.wait, daemon=True).start()
    return child.pid


def _start(
    words: tuple[str, ...], *, env: Mapping[str, str] | None, cwd: Path | None, stdin: bool, hint: str
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolMissing(f"{words[0]} cannot be started: {error.strerror}.", hint) from error


def _wait(child: subprocess.Popen[bytes], timeout_s: float, cancel: threading.Event | None, hint: str) -> int:
    name = str(child.args[0]) if isinstance(child.args, tuple) else str(child.args)
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=min(left, CANCEL_POLL_S) if cancel else left)
        if cancel and cancel.is_set():
            raise Interrupted(f"{name} was stopped.")
    raise ToolFailed(f"{name} took longer than {timeout_s:g} seconds and was stopped.", hint)


def _read(stream: IO[bytes] | None, kept: list[str], on_line: Callable[[str], None] | None) -> None:
    if stream is None:
        return
    with stream:
        for raw in stream:
            line = raw.decode("utf-8", errors="replace")
            kept.append(line)
            if on_line is not None:
                on_line(line.rstrip("\r\n"))


def _write(stream: IO[bytes] | None, text: str) -> None:
    # A program may end, or close its input, before it has read all of it: its exit code says what that means.
    if stream is not None:
        with suppress(BrokenPipeError), stream:
            stream.write(text.encode())


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill whatever the program left running in its own process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=5)
