"""A real process that forks, and how many of it are counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.engine import processes

FORKS = "import os, sys; child = os.fork(); child and print(child, flush=True); sys.stdin.read()"


def test_a_child_that_is_not_yet_a_program_of_its_own_is_not_a_second_one() -> None:
    argv = [sys.executable, "-c", FORKS, "of-this-test"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert processes.arguments(child) == tuple(argv)
        assert processes.children(parent.pid) == [child]
        assert processes.with_argument("of-this-test", program=Path(sys.executable).name) == [parent.pid]
        parent.communicate("", timeout=10)
