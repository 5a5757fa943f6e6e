"""Runs in the container of an image under test: times its interpreter to the first line, and the import of its app.

Sent over the command line, so it stands alone: standard library only, Python 3.7 or newer, nothing written.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from typing import Any

CHILD = """
import os
os.write({end}, b"i")
import importlib, runpy, sys
for name in {modules}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that is run and is no package has no __main__: it is the module itself.
        if not name.endswith(".__main__") or error.name not in (name, name.rpartition(".")[0]):
            raise
        importlib.import_module(name.rpartition(".")[0])
if {script}:
    sys.path[0] = os.path.dirname(os.path.abspath({script}))
    runpy.run_path({script}, run_name="seatrial")
os.write({end}, b"a")
os._exit(0)
"""
NOWHERE = "/nonexistent/seatrial"


def main() -> None:
    """Do what the environment's orders say, and print the seconds as JSON."""
    orders = json.loads(os.environ["SEATRIAL_SPLIT"])
    kinds = ["compiled", "source"]
    if orders["source_first"]:
        kinds.reverse()
    found = {kind: timed(orders, kind == "source") for kind in kinds}
    print(json.dumps(found))


def timed(orders: dict[str, Any], from_source: bool) -> dict[str, Any]:
    """Start the interpreter once; return its two times in seconds, or what went wrong."""
    flags = list(orders["flags"])
    if from_source:
        if not hasattr(sys, "pycache_prefix"):
            return {"error": "Python before 3.8 cannot be told to leave compiled bytecode aside"}
        # Bytecode is looked for there only, finds nothing, and is not written: every module is compiled anew.
        flags += ["-B", "-X", "pycache_prefix=" + NOWHERE]
    begin, end = os.pipe()
    said, complaint = os.pipe()
    os.set_inheritable(end, True)
    code = CHILD.format(end=end, modules=repr(orders["modules"]), script=repr(orders["script"]))
    began = time.perf_counter()
    child = os.fork()
    if not child:
        become([sys.executable, *flags, "-c", code], complaint)
    os.close(end)
    os.close(complaint)
    try:
        moments: dict[bytes, float] = {}
        for _ in range(2):
            left = began + orders["timeout_s"] - time.perf_counter()
            if not select.select([begin], [], [], max(left, 0))[0]:
                return {"error": f"it was not imported within {orders['timeout_s']:g} s: does importing it serve?"}
            letter = os.read(begin, 1)
            if not letter:
                lines = os.read(said, 65536).decode("utf-8", "replace").strip().splitlines()
                return {"error": "importing it failed: " + (lines[-1][:200] if lines else "without a word")}
            moments[letter] = time.perf_counter() - began
        return {"interpreter": moments[b"i"], "imported": moments[b"a"]}
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(begin)
        os.close(said)


def become(argv: list[str], complaint: int) -> None:
    """Turn this process into another program, whose complaints go into a pipe; never returns."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for target, source in enumerate((nowhere, nowhere, complaint)):
            os.dup2(source, target)
        os.execv(argv[0], argv)  # noqa: S606 - inside the target, which may have no shell
    finally:
        os._exit(127)


if __name__ == "__main__":
    main()
