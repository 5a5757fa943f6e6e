"""gunicorn's settings for every variant: as many workers and threads as the container's CPU limit can keep busy.

gunicorn's own advice counts the host's cores, so a container with one core on a 64-core host would get 129 workers.
Here one process a core of the limit, since one Python process fills one core, and 8 threads for each whole core, so
that waiting for others is overlapped; more threads only queue for the interpreter's lock.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
THREADS_PER_CORE = 8
LEAST_THREADS = 4


def cpu_limit(cgroups: Path = CGROUPS) -> float:
    """Return how many cores this process may use: the cgroup's quota, or its CPU set where that is less."""
    cores = float(len(os.sched_getaffinity(0)))
    return min(cores, _quota_v2(cgroups) or cores, _quota_v1(cgroups) or cores)


def _quota_v2(cgroups: Path) -> float | None:
    try:
        quota, period = (cgroups / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(cgroups: Path) -> float | None:
    try:
        quota = int((cgroups / "cpu" / "cpu.cfs_quota_us").read_text())
        period = int((cgroups / "cpu" / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


_cores = cpu_limit()

bind = f"0.0.0.0:{os.environ.get('PORT') or '5000'}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or math.ceil(_cores))
threads = int(os.environ.get("THREADS") or max(LEAST_THREADS, round(THREADS_PER_CORE * _cores / workers)))
# Import the app once and fork: four workers then take 37 MB in place of 83 (measured), and an app that cannot be
# imported ends the container at once. Nothing is opened at import that must not be shared.
preload_app = True
# The heartbeat file must be writable and in memory: on a disk it stalls workers, and the root may be read-only.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - a private tmpfs in a container
# Without it gunicorn makes a socket under $HOME, fails on a read-only root, and says so in the log.
control_socket_disable = True
# Less than the 10 seconds after which engines kill, and more than the longest answer takes.
graceful_timeout = 8
# Longer than the pauses of a client that keeps its connection, so that it is the client who closes it.
keepalive = 5
