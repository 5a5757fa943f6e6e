"""What a built image is: its layers and sizes, what it says of itself, and the Python inside it."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import SeatrialError
from harness.model import HealthCheck, Interpreter, NotMeasured
from harness.paths import cache_dir
from images.archive import ImageArchive, read_archive

INTERPRETER_TIMEOUT_S = 60.0
NANOSECONDS = 1e9

# Runs in any Python 3; prints one line of JSON.
DESCRIBE = """
import json, os, platform, sys, sysconfig

def libc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        pass
    try:
        with open("/lib/apk/db/installed") as database:
            musl = next(p for p in database.read().split("\\n\\n") if "\\nP:musl\\n" in p)
        return "musl " + next(line[2:] for line in musl.splitlines() if line.startswith("V:"))
    except (OSError, StopIteration):
        return " ".join(platform.libc_ver()).strip() or "unknown"

print(json.dumps({
    "implementation": sys.implementation.name, "version": platform.python_version(),
    "compiler": platform.python_compiler(), "libc": libc(),
    "config_args": sysconfig.get_config_var("CONFIG_ARGS") or "",
}))
"""

_measuring = threading.Lock()


def contents(engine: Engine, reference: str) -> ImageArchive:
    """Return an image's layers and settings; compressed sizes come from the cache where a layer was met before.

    Raises:
        UnreadableOutput: the engine's archive of the image cannot be read.

    """
    # Base layers are in many images: one after the other, so that each is compressed once.
    with _measuring:
        return read_archive(engine.save(reference), compressed=_compressed)


def interpreter(engine: Engine, reference: str, variant: str) -> Interpreter | NotMeasured:
    """Ask the Python inside an image for itself; no network, locked down, the image's own user."""
    spec = ContainerSpec(
        image=reference, role=Role.INSPECTOR, variant=variant, entrypoint=("python3", "-I", "-c", DESCRIBE), command=()
    )
    try:
        code, out, err = engine.run_to_end(spec, timeout_s=INTERPRETER_TIMEOUT_S)
    except SeatrialError as error:
        return NotMeasured(not_measured=f"`python3` cannot be run in the image: {error.message}")
    if code != 0:
        return NotMeasured(not_measured=f"`python3` in the image ended with exit code {code}: {err.strip()[-200:]}")
    return parse_interpreter(out)


def parse_interpreter(printed: str) -> Interpreter | NotMeasured:
    """Read what `DESCRIBE` prints, and tell from the build flags whether PGO and LTO were used."""
    try:
        said = json.loads(printed)
        arguments = str(said["config_args"])
        debian = is_debian_build(arguments)
        return Interpreter(
            **said,
            pgo="--enable-optimizations" in arguments or debian,
            lto="--with-lto" in arguments or debian,
        )
    except (ValueError, TypeError, KeyError) as error:
        return NotMeasured(not_measured=f"the image's Python describes itself in a way that cannot be read: {error}")


def is_debian_build(config_args: str) -> bool:
    """Say whether these are the build flags of Debian's Python packages.

    Debian's `debian/rules` builds with PGO and LTO by make variables (`profile-opt`, `-flto`) and takes the flags out
    of what `sysconfig` tells, so that its CONFIG_ARGS name neither.
    """
    return "'--prefix=/usr'" in config_args and "--with-dbmliborder=bdb:gdbm" in config_args


def described(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Image` that an image's own settings hold.

    They are read from the image and not from the engine's inspect document: Podman's leaves the health check out.
    """
    return {
        "user": config.get("User") or "",
        "entrypoint": tuple(config.get("Entrypoint") or ()),
        "command": tuple(config.get("Cmd") or ()),
        "exposed_ports": tuple(sorted(config.get("ExposedPorts") or ())),
        "healthcheck": health_check(config.get("Healthcheck")),
        "labels": dict(config.get("Labels") or {}),
    }


def health_check(config: Mapping[str, Any] | None) -> HealthCheck | None:
    """Read an image's health check; the API gives nanoseconds, and 0 for what is left to the engine's default."""
    test = tuple((config or {}).get("Test") or ())
    if not config or not test or test == ("NONE",):
        return None
    seconds = {name: (config.get(name) or 0) / NANOSECONDS or None for name in ("Interval", "Timeout", "StartPeriod")}
    return HealthCheck(
        test=test,
        interval_s=seconds["Interval"],
        timeout_s=seconds["Timeout"],
        start_period_s=seconds["StartPeriod"],
        retries=config.get("Retries") or None,
    )


def _compressed(diff_id: str, compress: Callable[[], int]) -> int:
    """Return a layer's compressed bytes from the cache, or compress it and remember."""
    path = cache_dir() / "layers" / diff_id.replace(":", "-")
    with suppress(OSError, ValueError):
        return int(path.read_text("ascii"))
    size = compress()
    write_whole(path, str(size))
    return size


def write_whole(path: Path, text: str) -> None:
    """Write a file of the cache so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(text, "utf-8")
    draft.replace(path)
