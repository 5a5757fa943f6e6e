"""Filling what can be written to; counted, bounded, and removed again."""

from __future__ import annotations

import errno
import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="fill-disk",
    title="Every place that can be written to has a size",
    severity=Severity.MEDIUM,
    group=Group.RESOURCES,
    rationale="A full disk stops every container of the machine, and the engine with them.",
    remediation="Make the root read-only, and give each tmpfs a size.",
    seconds=20,
)
CHUNK = b"\xa5" * (1 << 20)


def attack(kit: Kit) -> None:
    """Write to one file in each writable file system until it is full or the harness's ceiling is reached."""
    most = kit.facts["ceilings"]["disk_bytes"]
    devices: set[int] = set()
    for place in kit.writable_places():
        device = os.stat(place).st_dev
        if device in devices:
            continue
        devices.add(device)
        _fill(kit, place, most)
    if not devices:
        kit.stopped("find a place to write to", "read-only file system", None, "no place can be written to")


def _fill(kit: Kit, place: str, most: int) -> None:
    name = os.path.join(place, ".seatrial-" + kit.facts["nonce"])
    what = "write " + str(most >> 20) + " MiB to " + place
    try:
        file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        kit.refused(what, error.errno)
        return
    written, stopped = 0, None
    try:
        # Gone from its folder at once, so that its bytes are freed however the attack ends.
        os.unlink(name)
        while written < most:
            written += os.write(file, CHUNK[: most - written])
    except OSError as error:
        stopped = error.errno
    finally:
        os.close(file)
    kit.progress("bytes in " + place, written)
    if stopped is None:
        kit.succeeded(what, str(written) + " bytes, and nothing stopped it; removed again")
    elif stopped in (errno.ENOSPC, errno.EDQUOT):
        kit.stopped(what, "size of the file system", stopped, "full after " + str(written) + " bytes; removed again")
    else:
        kit.absent(what, "stopped after " + str(written) + " bytes by something else", stopped)
