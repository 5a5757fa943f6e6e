"""Processes and mounts are told by what only ours name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.engine import processes

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home/a\\040b/exec/netns/1 rw - nsfs nsfs rw
31 22 0:41 / /home/a\\040b/exec rw - tmpfs tmpfs rw
32 22 0:42 / /home/a\\040b/execute rw - tmpfs tmpfs rw
"""


def test_mounts_in_a_folder_come_deepest_first_and_neighbours_are_left_out() -> None:
    found = processes.mounts_under(Path("/home/a b/exec"), MOUNTINFO)
    assert found == ["/home/a b/exec/netns/1", "/home/a b/exec"]


def test_a_process_is_found_by_program_and_whole_argument() -> None:
    words = processes.arguments(os.getpid())
    program, last = Path(words[0]).name, words[-1]
    assert os.getpid() in processes.with_argument(last, program=program)
    assert os.getpid() not in processes.with_argument(last[:-1], program=program)
    assert os.getpid() not in processes.with_argument(last, program=f"{program}x")


def test_this_process_is_alive_and_a_child_of_its_parent() -> None:
    assert processes.alive(os.getpid())
    assert os.getpid() in processes.children(os.getppid())
    assert not processes.alive(2**22 + 1)
    assert processes.arguments(2**22 + 1) == ()


def test_a_process_that_is_not_ours_is_left_alone() -> None:
    # This very process would end if it were touched.
    assert processes.end(os.getpid(), argument="/nowhere/dockerd.json", patience_s=0) is False
    assert sys.is_finalizing() is False
