"""Pure-Python wheels unpacked into a root file system, as pip would install them: pip itself, before there is a pip."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import zipfile
from pathlib import Path

from harness.errors import BuildFailed
from images.bases.rootfs import Rootfs

SCRIPT = """#!{python}
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""


class _EntryPoints(configparser.ConfigParser):
    """Names of scripts are case sensitive."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def install(rootfs: Rootfs, wheel: Path, *, site: str, scripts: str, python: str, version: str) -> None:
    """Unpack a wheel as the wheel format says, with its console scripts, `INSTALLER` and a true `RECORD`.

    Args:
        rootfs: where to.
        wheel: the file, its hash verified.
        site: the folder that Python imports from, without a leading slash.
        scripts: the folder for console scripts, likewise.
        python: absolute path of the interpreter for the scripts' first line.
        version: Python's major and minor version, as `3.13`.

    Raises:
        BuildFailed: the wheel is not pure Python, or has parts that do not go into `site`.

    """
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        info = next((name.split("/")[0] for name in names if name.endswith(".dist-info/WHEEL")), "")
        if not info or "Root-Is-Purelib: true" not in archive.read(f"{info}/WHEEL").decode():
            raise BuildFailed(f"{wheel.name} is not a pure Python wheel.")
        if any(".data/" in name or ".." in name.split("/") or name.startswith("/") for name in names):
            raise BuildFailed(f"{wheel.name} has files that go elsewhere than into site-packages.")
        files = {f"{site}/{name}": archive.read(name) for name in names if name != f"{info}/RECORD"}
    entry_points = files.get(f"{site}/{info}/entry_points.txt", b"").decode()
    for name, text in console_scripts(entry_points, python=python, version=version).items():
        files[f"{scripts}/{name}"] = text.encode()
    files[f"{site}/{info}/INSTALLER"] = b"pip\n"
    record = f"{site}/{info}/RECORD"
    files[record] = _record(files, site=site, record=record)
    for path, data in files.items():
        rootfs.add_file(path, data, mode=0o755 if path.startswith(f"{scripts}/") else 0o644)


def console_scripts(entry_points: str, *, python: str, version: str) -> dict[str, str]:
    """Return the scripts of a wheel's `entry_points.txt`: name -> text. pip's `pip3` is joined by its `pip3.N`."""
    parser = _EntryPoints(delimiters=("=",))
    parser.read_string(entry_points)
    found = {}
    for name, target in parser["console_scripts"].items() if parser.has_section("console_scripts") else ():
        if name.startswith("pip3."):
            # Written by whoever built the wheel, for the Python that it was built with.
            continue
        module, _, function = target.split("[")[0].strip().partition(":")
        found[name] = SCRIPT.format(python=python, module=module, function=function)
    if "pip3" in found:
        found[f"pip{version}"] = found["pip3"]
    return found


def _record(files: dict[str, bytes], *, site: str, record: str) -> bytes:
    """Return the text of RECORD: path relative to `site`, hash, size of each file (PEP 376)."""
    up = "../" * (site.count("/") + 1)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for path, data in sorted(files.items()):
        shown = path.removeprefix(f"{site}/") if path.startswith(f"{site}/") else up + path
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow([shown, f"sha256={digest}", len(data)])
    writer.writerow([record.removeprefix(f"{site}/"), "", ""])
    return out.getvalue().encode()
