"""The kernel's peak of a target's memory where the engine does not give it, as on cgroup v2."""

from __future__ import annotations

from harness.engine.client import Container, ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import SeatrialError
from harness.model import NotMeasured
from loadtests.setting import Setting

ASK_TIMEOUT_S = 30
UNSEEN = (
    "the engine's statistics have no peak on cgroup v2, and the target's memory.peak could not be seen from outside it"
)


def read(engine: Engine, target: Container, setting: Setting) -> int | NotMeasured:
    """Return a running target's peak in bytes, shared page cache in it, as the kernel has it in `memory.peak`.

    A container beside the target reads it, in the machine's cgroup namespace: what is read so does not grow by it.
    Where the engine or its kernel does not let it be seen, it is not measured.
    """
    spec = ContainerSpec(
        image=setting.generator_image,
        role=Role.INSPECTOR,
        command=["-m", "loadtests.inside.peak", str(target.id)],
        cpuset=setting.cores.generator,
        overrides={"cgroupns": "host"},
    )
    try:
        code, out, said = engine.run_to_end(spec, timeout_s=ASK_TIMEOUT_S)
    except SeatrialError as error:
        return NotMeasured(not_measured=f"{UNSEEN}: {error.message}")
    return of(code, out, said)


def of(code: int, out: str, said: str) -> int | NotMeasured:
    """Return what the reader printed as a number of bytes."""
    text = out.strip()
    if code == 0 and text.isdecimal():
        return int(text)
    why = said.strip().splitlines()[-1:]
    return NotMeasured(not_measured=": ".join([UNSEEN, *why]))
