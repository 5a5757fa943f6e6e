"""Seatrial's own engine: a dockerd and its containerd with files, socket and bridge of their own, started and stopped.

It is shared by all of a user's runs. Each run holds a lock on it while it uses it; the last one to let go stops it,
unless `seatrial engine start` asked for one that stays. The locks are the kernel's, so a run that was killed counts no
more. Every start and stop happens under one more lock, so that two never meet.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine import bridge, processes
from harness.engine.daemon_settings import Files, Say, containerd_settings, dockerd_settings
from harness.errors import EngineMissing, UsageError
from harness.locks import SharedLock, locked_if_free, waiting_lock
from harness.process import start_daemon
from harness.signals import stops_wait

CONTAINERD_START_S = 30.0
DOCKERD_START_S = 90.0
STOP_S = 40.0
SHIM = "containerd-shim-runc-v2"


def has_data() -> bool:
    """Say whether Seatrial's own engine has ever run here, so that there may be things in it."""
    return Files.of_user().data_root.is_dir()


@dataclass(frozen=True, kw_only=True)
class Status:
    """What there is of Seatrial's own engine now."""

    installed: bool
    pid: int | None
    """None: it does not run."""
    kept: bool
    """It stays when its last user goes."""
    host: str
    data_root: Path
    bridge: str


def installed() -> bool:
    """Say whether the programs of an engine are on this machine."""
    return _program("dockerd") is not None and _program("containerd") is not None


def running_pid(files: Files | None = None) -> int | None:
    """Return the process id of our dockerd, or None where it does not run."""
    files = files or Files.of_user()
    return next(iter(processes.with_argument(str(files.dockerd_config), program="dockerd")), None)


def status() -> Status:
    """Return the state of Seatrial's own engine."""
    files = Files.of_user()
    return Status(
        installed=installed(),
        pid=running_pid(files),
        kept=files.keep_mark.exists(),
        host=files.host,
        data_root=files.data_root,
        bridge=files.bridge,
    )


@contextmanager
def in_use(say: Say) -> Iterator[str]:
    """Use Seatrial's own engine for the length of a block, started if need be; yields its address.

    The last user stops it, unless it is kept.

    Raises:
        EngineMissing: it does not start; the message holds the end of its log.

    """
    files = Files.of_user()
    with waiting_lock(files.transition_lock):
        _start_if_stopped(files, say)
        use = SharedLock(files.users_lock)
    try:
        yield files.host
    finally:
        with stops_wait(say), waiting_lock(files.transition_lock):
            use.release()
            with locked_if_free(files.users_lock) as last:
                if last and not files.keep_mark.exists():
                    say("Stopping Seatrial's own engine")
                    _stop(files)


def start_and_keep(say: Say) -> None:
    """Start Seatrial's own engine, if need be, and let it stay until `stop`.

    Raises:
        EngineMissing: it does not start; the message holds the end of its log.

    """
    if os.geteuid() != 0:
        raise EngineMissing("Starting a container engine needs root.", "Run it as root, or with sudo.")
    files = Files.of_user()
    with waiting_lock(files.transition_lock):
        _start_if_stopped(files, say)
        files.keep_mark.touch()


def stop(*, force: bool = False) -> bool:
    """Stop Seatrial's own engine and clear what a killed one left; return whether it ran.

    Raises:
        UsageError: a run is using it, and `force` is not set.

    """
    files = Files.of_user()
    if not files.home.exists():
        return False
    with waiting_lock(files.transition_lock), locked_if_free(files.users_lock) as unused:
        if not unused and not force:
            raise UsageError(
                "A run is using Seatrial's engine.", "Wait for it to end, or stop it all the same with --force."
            )
        was_running = running_pid(files) is not None
        _stop(files)
        return was_running


def _start_if_stopped(files: Files, say: Say) -> None:
    if running_pid(files) is not None and _answers(files.socket):
        return
    dockerd, containerd = _program("dockerd"), _program("containerd")
    if dockerd is None or containerd is None:
        raise EngineMissing("The programs of a container engine (dockerd, containerd) are not on this machine.")
    say("Starting a container engine of Seatrial's own")
    _stop(files)
    for folder in (files.home, files.exec_root, files.data_root):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711 if folder == files.data_root else 0o700)
    files.containerd_config.write_text(containerd_settings(files), "utf-8")
    files.dockerd_config.write_text(json.dumps(dockerd_settings(files, say), indent=2), "utf-8")
    try:
        _start_one(files, "containerd", [containerd, "--config", files.containerd_config], CONTAINERD_START_S)
        _start_one(files, "dockerd", [dockerd, "--config-file", files.dockerd_config], DOCKERD_START_S)
    except BaseException:
        _stop(files)
        raise


def _start_one(files: Files, program: str, argv: list[Any], patience_s: float) -> None:
    """Start one of the two programs, and wait until it answers on its socket."""
    log, listens_on = files.log(program), files.socket if program == "dockerd" else files.containerd_socket
    log.unlink(missing_ok=True)
    pid = start_daemon(argv, log=log)
    deadline = time.monotonic() + patience_s
    while not _answers(listens_on):
        alive = processes.alive(pid)
        if not alive or time.monotonic() > deadline:
            ended = "ended at once" if not alive else f"did not answer within {patience_s:g} s"
            said = log.read_text("utf-8", errors="replace").strip().splitlines()[-3:]
            raise EngineMissing(
                f"Seatrial's own engine does not start: {program} {ended}.\n  " + "\n  ".join(said),
                f"Its whole log is {log}. A running Docker or Podman is used instead where there is one.",
            )
        time.sleep(0.05)


def _stop(files: Files) -> None:
    """End both programs and all that they left: containers, shims, mounts, sockets and the bridge."""
    for program, config in (("dockerd", files.dockerd_config), ("containerd", files.containerd_config)):
        for pid in processes.with_argument(str(config), program=program):
            processes.end(pid, argument=str(config), patience_s=STOP_S)
    address = str(files.containerd_socket)
    for shim in processes.with_argument(address, program=SHIM):
        # A dockerd that was killed leaves its containers running. The first process of each is the shim's child.
        for container in processes.children(shim):
            processes.kill(container)
        processes.end(shim, argument=address, patience_s=0)
    for folder in (files.exec_root, files.data_root):
        for point in processes.mounts_under(folder):
            processes.unmount(point)
    if not any(processes.mounts_under(folder) for folder in (files.exec_root, files.data_root)):
        shutil.rmtree(files.exec_root, ignore_errors=True)
    files.pid_file.unlink(missing_ok=True)
    files.keep_mark.unlink(missing_ok=True)
    if files.home.exists():
        bridge.remove(files.bridge)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin")
