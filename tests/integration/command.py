"""Runs the command as a user does, on the tests' own engine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.engine.client import Engine
from harness.paths import ROOT


@dataclass(frozen=True)
class Said:
    """What the command printed, and its exit code."""

    code: int
    out: str
    err: str


def seatrial(*words: str | Path, cwd: Path, engine: Engine, timeout_s: float, python: Path | None = None) -> Said:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [python or sys.executable, "-m", "seatrial", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "DOCKER_HOST": engine.host, "PYTHONPATH": str(ROOT), "CI": "true"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
