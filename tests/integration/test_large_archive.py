"""An image of many files is read in seconds and little memory; slow to make, and so not among the unit tests."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from security import archive, secrets
from security.file_system import read_file_system
from tests.image_archives import file, layer, save


def test_a_hundred_thousand_files_take_seconds_and_little_memory(tmp_path: Path) -> None:
    began = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = save(tmp_path / "image.tar", [layer(*(file(f"d/{number}") for number in range(100_000)))])
    with archive.opened(path) as opened:
        files = read_file_system(opened, inspect=secrets.kinds_in)
    assert len(files.entries) == 100_000
    assert time.process_time() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
