"""What CI runs says what is missing on a new machine, and installs nothing where that is forbidden."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.paths import ROOT
from harness.process import call


@pytest.mark.parametrize("switch", ["no", "NO", "0", "false", "never"])
def test_nothing_is_installed_where_that_is_forbidden(tmp_path: Path, switch: str) -> None:
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/bash\necho called >>{tmp_path}/called\n")
    apt.chmod(0o755)
    bash = str(tmp_path / "bash")
    environment = {**os.environ, "PATH": str(tmp_path), "SEATRIAL_INSTALL": switch}
    done = call([bash, ROOT / ".ci" / "run"], timeout_s=20, env=environment, accept=range(256))
    assert done.exit_code == 3
    assert "sudo apt-get install make git python3" in done.stderr
    assert not (tmp_path / "called").exists()
