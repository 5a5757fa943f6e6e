"""A container image of one program of this machine and its libraries: enough for a container that only lives."""

from __future__ import annotations

import io
import re
import shutil
import tarfile
from pathlib import Path

from harness.engine.client import Engine
from harness.engine.labels import INPUTS, ROLE, Role
from harness.process import call

TAG = "seatrial-test/tiny:latest"
SLEEP = ("/sleep", "600")


def make(engine: Engine) -> str:
    """Import the image into an engine and return its reference; it carries the labels of a base of ours."""
    labels = [f'LABEL {ROLE}="{Role.BASE}" {INPUTS}="tiny"']
    engine.load_filesystem(io.BytesIO(archive()), tag=TAG, changes=labels)
    return TAG


def archive() -> bytes:
    """Return a tar of `sleep`, its loader and its libraries."""
    program = Path(shutil.which("sleep") or "/bin/sleep")
    linked = re.findall(r"(/\S+)", call(["ldd", program], timeout_s=20).stdout)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, name in [(program, "sleep"), *((Path(each), each.lstrip("/")) for each in linked)]:
            entry = tarfile.TarInfo(name)
            content = path.resolve().read_bytes()
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
