"""Makes `.venv` from the hash-locked requirements, with nothing but the standard library; nothing to do once made.

Runs on any Python 3 that `make` finds, so that an old one can say what is missing; the newest Python from 3.11 up makes
the environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.txt"
STAMP = VENV / "seatrial-lock.sha256"
OLDEST = (3, 11)
NEWEST = (3, 14)
PROBE = "import sys; print(*sys.version_info[:2]); import ensurepip, venv"
COMPAT = ["--config-settings", "editable_mode=compat"]  # a path file: what is added to the folder later is found too
MISSING = 3


def main() -> int:
    """Make the environment if it is not there or its lock has changed; return 0, or 3 where something is missing."""
    wanted = _wanted_stamp()
    if _made() == wanted:
        return 0
    if VENV.is_symlink():
        # What it points to is somebody's, and making the environment would empty it.
        _say(f"{VENV} is a link to {VENV.readlink()}. Seatrial makes a folder of its own there: remove the link.")
        return MISSING
    with (ROOT / ".venv.lock").open("w") as lock:
        # Two `make` at once must not both write the environment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _made() == wanted:
            return 0
        python = _python()
        if python is None:
            return MISSING
        return _install(python, wanted)


def _wanted_stamp() -> str:
    """Return the hash of all that decides what is in the environment; its place too, since scripts there name it."""
    return hashlib.sha256(LOCK.read_bytes() + b"\0" + os.fsencode(ROOT)).hexdigest()


def _made() -> str:
    try:
        if not os.access(VENV / "bin" / "python", os.X_OK):
            return ""
        return STAMP.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _install(python: str, wanted: str) -> int:
    _say(f"Making .venv with {python} (once; takes a minute or two)")
    inside = str(VENV / "bin" / "python")
    pip = [inside, "-m", "pip", "--disable-pip-version-check", "--no-input", "-qq"]
    steps = [
        (
            [python, "-m", "venv", "--clear", str(VENV)],
            f"It says above why. {ROOT} must be writable and have room, and that Python must be whole; "
            "SEATRIAL_PYTHON=/path/to/python3 names another.",
        ),
        (
            [*pip, "install", "--require-hashes", *_wheels_only(), "--no-deps", "-r", str(LOCK)],
            "Wheels come from the package index that pip is set up for: is the network there? Then run make again.",
        ),
        (
            [*pip, "install", "--no-deps", "--no-build-isolation", "--no-index", *COMPAT, "-e", str(ROOT)],
            f"It says above why. It needs no network, only a whole clone in {ROOT} that can be written to.",
        ),
    ]
    for step, hint in steps:
        done = subprocess.run(step, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            _say(f"This failed: {' '.join(step)}")
            _say(hint)
            return MISSING
    STAMP.write_text(wanted + "\n", "ascii")
    return 0


def _wheels_only() -> list[str]:
    """Return pip's options against source packages: all locked ones have wheels for x86_64, not all for others."""
    return ["--only-binary", ":all:"] if platform.machine() == "x86_64" else ["--prefer-binary"]


def _python() -> str | None:
    """Return the newest Python that can make an environment; install what it lacks as root; else say what to do."""
    without_venv = ""
    for python, version, complete in _candidates():
        if complete:
            return python
        without_venv = without_venv or f"python{version[0]}.{version[1]}-venv"
    if not without_venv:
        _say("Seatrial needs Python 3.11 to 3.14, and there is none on PATH.")
        _say("Install it with: sudo apt-get install python3 python3-venv")
        return None
    forbidden = os.environ.get("SEATRIAL_INSTALL", "").lower() in ("no", "0", "false", "never")
    if os.geteuid() != 0 or forbidden or shutil.which("apt-get") is None:
        _say(f"Python is there, but its venv module is not. Install it with: sudo apt-get install {without_venv}")
        return None
    _say(f"Installing {without_venv}")
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--no-install-recommends", without_venv]):
        if subprocess.run([*apt, *step], check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=env).returncode:
            _say(f"This failed: {' '.join([*apt, *step])}")
            return None
    return next((python for python, _, complete in _candidates() if complete), None)


def _candidates() -> list[tuple[str, tuple[int, int], bool]]:
    """Return (program, version, whether it can make environments) of every Python that will do, best first.

    `SEATRIAL_PYTHON` names one and leaves no choice. `python3` comes before others of its version: it is the user's.
    """
    chosen = os.environ.get("SEATRIAL_PYTHON")
    names = (
        [chosen]
        if chosen
        else ["python3", *(f"python3.{n}" for n in range(NEWEST[1], OLDEST[1] - 1, -1)), "/usr/bin/python3"]
    )
    found = []
    for name in names:
        program = shutil.which(name)
        if program is None:
            continue
        asked = subprocess.run([program, "-c", PROBE], check=False, capture_output=True, text=True)
        version = tuple(int(part) for part in asked.stdout.split() if part.isdigit())
        if len(version) == 2 and OLDEST <= version <= NEWEST:
            found.append((program, (version[0], version[1]), asked.returncode == 0))
    return sorted(found, key=lambda one: (one[2], one[1]), reverse=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
