"""A neighbour inside its container: waits, does its one thing in a process of its own, and tells what came of it.

Signals: SIGUSR1 begins, SIGUSR2 says that the victim is measured from now on, SIGTERM ends. JSON lines on standard
output: `ready`, `done`. What the kernel kills is begun anew; this process itself is the last that it would choose.
"""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from contextlib import suppress
from pathlib import Path

from loadtests.inside.neighbour_kinds import KINDS, PAUSE_S
from loadtests.inside.neighbour_notes import Account, Notes
from loadtests.inside.neighbour_orders import NeighbourOrders
from loadtests.inside.own_cgroup import counters
from loadtests.inside.watcher import say

SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGCHLD)
PIPE_READ = 65536
LAST_WORDS = 64
OOM_FIRST = "1000"
"""Of all processes the kernel is to kill those of the neighbour first, where memory runs out."""


def main() -> None:
    """Wait to be told to begin, be a neighbour until told to end or the time is over, and say what was done."""
    orders = NeighbourOrders.from_environment()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    say("ready")
    told = signal.sigtimedwait((signal.SIGUSR1, signal.SIGTERM), orders.wait_s)
    if told is None or told.si_signo == signal.SIGTERM:
        return
    supervised(orders)


def supervised(orders: NeighbourOrders) -> None:
    """Keep the neighbour at it, and tell what it did; all its processes are dead when this returns."""
    reader, writer = os.pipe()
    account, notes = Account(), Notes(writer)
    readings = {"begin": _reading()}
    deadline = time.monotonic() + orders.seconds
    worker = _worker(orders, reader, notes)
    over = ""
    while not over:
        if select.select([reader], [], [], 0)[0]:
            account.take(os.read(reader, PIPE_READ))
            pause_s = 0.0
        else:
            pause_s = 0.01
        # What a signal or a full pipe brings is looked at a hundred times a second, which costs next to nothing.
        told = signal.sigtimedwait(SIGNALS, pause_s)
        if told is not None and told.si_signo == signal.SIGUSR2:
            readings["measured"] = _reading()
        elif told is not None and told.si_signo == signal.SIGTERM:
            over = "told to"
        elif time.monotonic() > deadline:
            over = "time"
        if worker is None or _ended(worker, account):
            if worker is not None:
                time.sleep(PAUSE_S)
            worker = _worker(orders, reader, notes)
    readings["end"] = _reading()
    if worker is not None:
        _end(worker)
    for _ in range(LAST_WORDS):
        if not select.select([reader], [], [], 0)[0]:
            break
        account.take(os.read(reader, PIPE_READ))
    stops = [[limit, how, count] for (limit, how), count in account.stops.items()]
    say("done", over=over, did=account.did, stops=stops, readings=readings)


def _worker(orders: NeighbourOrders, reader: int, notes: Notes) -> int | None:
    """Start the process that does it, in a group with all that it forks; None where not even that is granted."""
    try:
        child = os.fork()
    except OSError:
        time.sleep(PAUSE_S)
        return None
    if child:
        with suppress(OSError):
            os.setpgid(child, child)
        return child
    try:
        os.setpgid(0, 0)
        os.close(reader)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(OOM_FIRST, "ascii")
        KINDS[orders.kind](orders, notes)
    except BaseException:
        # The container's log is all that tells of it.
        traceback.print_exc()
    finally:
        os._exit(1)


def _ended(worker: int, account: Account) -> bool:
    """Say whether the worker has ended, and end what it left; a kill that was not ours is the kernel's."""
    ended, status = os.waitpid(worker, os.WNOHANG)
    if not ended:
        return False
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        account.stops["memory", "OOM kill"] += 1
    _end(worker)
    return True


def _end(worker: int) -> None:
    """Kill a worker and all that it forked, and collect them."""
    with suppress(ProcessLookupError):
        os.killpg(worker, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _reading() -> dict[str, float]:
    return {"at": time.monotonic(), **counters()}


if __name__ == "__main__":
    main()
