"""The same files as a plain process: an image's root under chroot, in no namespace and no cgroup of its own.

Only where the engine is this machine's and this process is root: elsewhere there is nothing to compare with.
"""

from __future__ import annotations

import io
import json
import os
import platform
import signal
import stat
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.engine.client import ContainerSpec, ContainerState, Engine
from harness.engine.labels import Role
from harness.engine.stats import ContainerStats
from harness.model import Image
from harness.process import start_daemon
from loadtests.events import Events
from loadtests.judging import Measured, Order, judged
from loadtests.seen import Reading, Seen
from loadtests.setting import Setting
from loadtests.trial import SLACK_S, WATCH_S, containers, orders_of

NOBODY = 65534
"""Runs what the image would run as root: outside of a container, root is root."""
LAUNCH = """
import json, os, sys
import warnings  # os.execvpe wants it, and behind chroot this interpreter's modules are gone
how = json.loads(sys.argv[1])
os.sched_setaffinity(0, how["cores"])
os.chroot(how["root"])
os.chdir(how["directory"])
os.setgroups([])
os.setgid(how["gid"])
os.setuid(how["uid"])
os.execvpe(how["argv"][0], how["argv"], how["env"])
"""
PROC = Path("/proc")


def reason_against(engine: Engine) -> str | None:
    """Say why there can be no plain process to compare with; None where there can."""
    if os.geteuid() != 0:
        return "a plain process under chroot needs root"
    if not engine.host.startswith("unix://") or engine.info().get("KernelVersion") != platform.release():
        return "the engine runs on another machine, so a process here would be compared with a container there"
    return None


@contextmanager
def exported_root(engine: Engine, image: Image) -> Iterator[Path]:
    """Lend a folder with the image's files, as a container would see them; removed at the end.

    Raises:
        SeatrialError: the engine does not give them.

    """
    with tempfile.TemporaryDirectory(prefix="seatrial-root-") as temporary:
        root = Path(temporary)
        root.chmod(0o755)
        container = engine.create(ContainerSpec(image=image.digest, role=Role.INSPECTOR))
        try:
            with tarfile.open(fileobj=io.BufferedReader(_Stream(engine.export(container))), mode="r|") as archive:
                # No devices, nothing outside of the folder, and no set-user-id bits.
                archive.extractall(root, filter="tar", numeric_owner=True)
        finally:
            engine.remove(container)
        _furnish(root)
        yield root


@dataclass(frozen=True, kw_only=True)
class PlainRunner:
    """Makes trials of an exported root as a plain process; takes a container's place in an experiment."""

    root: Path
    config: Mapping[str, Any]
    """The image's configuration, in the engine's words."""

    def __call__(self, order: Order, setting: Setting, engine: Engine) -> Measured:
        """Run one trial, from a fresh process to its end.

        Raises:
            SeatrialError: the engine failed. What the target did wrong is a broken guard.

        """
        started_at = datetime.now(UTC)
        seen = Seen()
        with containers(engine) as start, tempfile.NamedTemporaryFile(prefix="seatrial-plain-") as log:
            pause = start(setting.pause())
            generator = start(
                setting.inside(Role.GENERATOR, "driver", orders_of(order, setting), f"container:{pause.id}")
            )
            events = Events(engine.follow(generator))
            while not events.over and (first := events.next(SLACK_S)) is not None and first["event"] != "waiting":
                pass
            leader = start_daemon(self.command(setting), log=Path(log.name))
            try:
                self._watch(events, leader, setting, seen)
                running = bool(members(leader))
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(leader, signal.SIGKILL)
            seen.state = ContainerState(
                running=running, exit_code=0, oom_killed=False, restarts=0, started_at=started_at.isoformat()
            )
            seen.log = Path(log.name).read_text("utf-8", "replace")
            seen.generator_log = engine.logs(generator, stdout=False)
        return judged(order, setting, seen, started_at=started_at)

    def command(self, setting: Setting) -> list[str]:
        """Return the command that becomes the target: in the root, on its cores, as its user, with its variables."""
        variables = dict(entry.partition("=")[::2] for entry in self.config.get("Env") or ())
        uid, gid = user_of(str(self.config.get("User") or ""))
        how = {
            "root": str(self.root),
            "directory": self.config.get("WorkingDir") or "/",
            "cores": [int(core) for core in setting.cores.target.split(",")],
            "uid": uid,
            "gid": gid,
            "argv": [*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ())],
            "env": {**variables, "PORT": str(setting.port), **setting.env},
        }
        return [sys.executable, "-I", "-c", LAUNCH, json.dumps(how)]

    def _watch(self, events: Events, leader: int, setting: Setting, seen: Seen) -> None:
        profile = setting.load_profile
        allowed = profile.ready_timeout_s + profile.warmup_s + profile.measure_s + 4 * profile.request_timeout_s
        deadline = time.monotonic() + allowed + SLACK_S
        while not events.over and "result" not in seen.events:
            event = events.next(WATCH_S)
            if time.monotonic() > deadline:
                seen.timed_out = f"The trial was not over after {allowed + SLACK_S:g} s."
                return
            if event is None:
                if "ready" not in seen.events and not members(leader):
                    return
                continue
            name = str(event["when"] if event["event"] == "contract" else event["event"])
            seen.events[name] = event
            if name == "measure-begin":
                seen.begin = _reading(leader)
            elif name == "measure-end":
                seen.end = _reading(leader)
                seen.ended_at = seen.end.at


def user_of(user: str) -> tuple[int, int]:
    """Return the ids that an image's USER stands for where it is numbers; nobody for root and for names."""
    name, _, group = user.partition(":")
    if not name.isdigit() or int(name) == 0:
        return NOBODY, NOBODY
    return int(name), int(group) if group.isdigit() and int(group) else int(name)


def members(leader: int) -> list[int]:
    """Return the processes of a process group that run."""
    found = []
    for path in PROC.iterdir():
        fields = _fields(path) if path.name.isdigit() else None
        if fields and int(fields[2]) == leader and fields[0] not in ("Z", "X"):
            found.append(int(path.name))
    return found


def _reading(leader: int) -> Reading:
    ticks = os.sysconf("SC_CLK_TCK")
    used = sum(int(value) for pid in members(leader) for value in (_fields(PROC / str(pid)) or [])[11:13])
    stats = ContainerStats(
        cpu_seconds=used / ticks, throttled_seconds=0.0, anonymous_bytes=None, peak_bytes=None, pids=None
    )
    return Reading(at=time.monotonic(), stats=stats)


def _fields(process: Path) -> list[str] | None:
    """Return the fields of a process's stat after its name: state, parent, group, ...; proc(5)."""
    try:
        return (process / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None


def _furnish(root: Path) -> None:
    """Put in what an engine mounts into every container: the null device, and a folder for shared memory."""
    device = root / "dev" / "null"
    device.unlink(missing_ok=True)
    device.parent.mkdir(exist_ok=True)
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    device.chmod(0o666)
    for name in ("dev/shm", "tmp"):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o1777)


class _Stream(io.RawIOBase):
    """An engine's stream of chunks as a file that can be read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer with what comes next; nothing at the end."""
        if not self._left:
            self._left = memoryview(next(self._chunks, b""))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
