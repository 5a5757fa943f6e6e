"""Closed throughput on `/plaintext` against wrk: same container, network namespace, cores and connections, in turn.

Bound: Seatrial's generator reaches 0.95 of wrk or more on the development server, gunicorn sync and gunicorn gthread.
One line is one fresh container, on which the two alternate. wrk is Debian's own, with its loader and libraries in a
volume, and runs in a container of the generator's image. `python -m benchmarks.wrk`.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.bench import Bench, Kept, loaded, opened, repeat
from harness.engine import run_profiles
from harness.engine.client import ContainerSpec, machine_name
from harness.engine.labels import Role
from harness.engine.volumes import filled_volume
from harness.errors import ToolMissing, UnreadableOutput
from harness.statistics import mean_interval, paired_ratio
from images import recorder
from images.bases import apt_sources, catalogue, distroless
from images.bases.making import Making
from images.bases.rootfs import Rootfs
from loadtests.inside.steps import steps_of
from loadtests.judging import Order
from loadtests.load_profile import LoadProfile
from loadtests.questions import with_arguments
from loadtests.setting import Setting
from loadtests.trial import SLACK_S, StartContainer, containers, orders_of

BOUND = 0.95
CONTAINERS, TURNS = 8, 3
"""Fresh containers of each server, and how often the two take turns on each."""
SECONDS, WARMUP_S = 5.0, 1.0
CONNECTIONS = 32
PACKAGES = ("wrk", "libluajit-5.1-2", "libssl3t64", "libgcc-s1", "zlib1g", "libzstd1", "libc6")
LIBRARIES = re.compile(
    r"usr/lib/[^/]+/(libc|libm|libpthread|libdl|libluajit-.*|libssl|libcrypto|libgcc_s|libz|libzstd)\.so\.[0-9]+"
)
TOOLS, SCRIPT = "/tools", "/tmp/requests.lua"  # noqa: S108 - a container's own folder
WITH_SCRIPT = f"""
import os, sys
_, script, *command = sys.argv
with open("{SCRIPT}", "w") as file:
    file.write(script)
os.execv(command[0], command)
"""
"""Runs wrk with its script, which wrk takes from a file alone."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server of the comparison.

    Args:
        name: in the results.
        variant: whose image it is.
        arguments: gunicorn's, beside its own; none for another server.

    """

    name: str
    variant: str
    arguments: str = ""


SERVERS = (
    Server(name="dev server", variant="slim-dev"),
    Server(name="gunicorn sync", variant="slim-gunicorn", arguments="--worker-class sync --workers 1 --threads 1"),
    Server(
        name="gunicorn gthread", variant="slim-gunicorn", arguments="--worker-class gthread --workers 1 --threads 8"
    ),
)


def main() -> int:
    """Measure what is missing, print, and return 1 where the bound is broken."""
    broken = False
    with opened(__doc__ or "", "slim-dev", "slim-gunicorn") as bench:
        tools = wrk_kit(bench)
        for server in SERVERS:
            image = bench.images[server.variant]
            # The generator's image has its client in it, so another client is measured anew.
            kept = Kept("wrk", image_digest=image.digest, generator=bench.generator_image)
            with filled_volume(bench.engine, Role.INSPECTOR, tools, image=bench.generator_image) as volume:
                wanted = max(1, round(CONTAINERS * bench.share))
                lines = repeat(kept, server.name, wanted, partial(one_container, bench, server, volume))
            broken = not _told(server, lines) or broken
    print(f"bound: {BOUND} of wrk or more: {'BROKEN' if broken else 'kept'}")
    return int(broken)


def one_container(bench: Bench, server: Server, volume: str, seed: int) -> dict[str, Any]:
    """Let the two take turns on one fresh container; return each one's requests a second, turn by turn."""
    setting = _setting(bench, server)
    order = Order(image=bench.images[server.variant], model="closed", round=1, attempt=1, seed=seed)
    found: dict[str, list[float]] = {"seatrial": [], "wrk": []}
    shares: list[float] = []
    with containers(bench.engine) as start:
        namespace = f"container:{start(setting.pause()).id}"
        start(setting.target(order.image, namespace))
        # Waits until it answers, and warms it up.
        _seatrial(bench, start, order, setting, namespace, WARMUP_S)
        for turn in range(TURNS):
            for who in ("seatrial", "wrk") if (seed + turn) % 2 else ("wrk", "seatrial"):
                if who == "wrk":
                    found[who].append(_wrk(bench, start, volume, setting, namespace, seed))
                    continue
                rate, share = _seatrial(bench, start, order, setting, namespace, SECONDS)
                found[who].append(rate)
                shares.append(share)
    means = {who: mean_interval(rates).value for who, rates in found.items()}
    return {
        "ratio": {"value": means["seatrial"] / means["wrk"]}, "rps": found, "generator_cpu_share": shares,
        "connections": CONNECTIONS, "seconds": SECONDS,
    }  # fmt: skip


def wrk_kit(bench: Bench) -> bytes:
    """Return a tar with wrk and all that it loads, out of Debian's packages.

    Raises:
        ToolMissing: the engine is on another kind of machine than this.
        BuildFailed: the packages cannot be downloaded.

    """
    machine = machine_name(platform.machine())
    if machine != bench.engine.machine:
        raise ToolMissing("wrk for the engine's machine cannot be had here.", "Run it on a machine like the engine's.")
    rootfs = Rootfs()
    sources = Making(recipe=catalogue()[recorder.LIKE], machine=machine, say=print).sources()
    with apt_sources.temporary_folder("wrk") as folder:
        for name, deb in distroless.download(PACKAGES, sources=sources, folder=Path(folder)).items():
            distroless.add_package(rootfs, name, deb)
    return recorder.kit(rootfs, "wrk", LIBRARIES)


def script(seed: int, port: int) -> str:
    """Return what makes wrk send the requests that the generator sends for a seed, in turn, as a script in Lua."""
    random = Random(seed)  # noqa: S311 - inputs that vary, no secret
    requests = [request for _, request in steps_of("plaintext", port, random)]
    texts = ",".join('"' + "".join(f"\\{byte:03}" for byte in one) + '"' for one in requests)
    return f"local all, turn = {{{texts}}}, 0 request = function() turn = turn % #all + 1 return all[turn] end"


def parse(said: str) -> float:
    """Read what wrk printed: its requests a second.

    Raises:
        UnreadableOutput: no figure, or requests that failed.

    """
    failed = re.search(r"^ *(Socket errors|Non-2xx).*$", said, re.MULTILINE)
    found = re.search(r"^Requests/sec: *([\d.]+)$", said, re.MULTILINE)
    if failed or not found or not float(found[1]):
        raise UnreadableOutput(f"wrk gave no figure: {(failed[0] if failed else said).strip()[-200:]}")
    return float(found[1])


def _setting(bench: Bench, server: Server) -> Setting:
    profile = run_profiles.without_quota(run_profiles.load("hardened")).model_copy(update={"restart": "no"})
    load = LoadProfile(
        name="wrk", title="wrk", users=CONNECTIONS, warmup_s=WARMUP_S, measure_s=SECONDS, journeys={"plaintext": 1}
    )
    setting = Setting(run_profile=profile, load_profile=load, generator_image=bench.generator_image, cores=bench.cores)
    return with_arguments(setting, server.arguments) if server.arguments else setting


def _seatrial(
    bench: Bench, start: StartContainer, order: Order, setting: Setting, namespace: str, seconds: float
) -> tuple[float, float]:
    """Return the right answers a second, and the generator's share of its core."""
    result = loaded(bench, start, replace(orders_of(order, setting), measure_s=seconds), setting, namespace)
    requests = sum(one["requests"] for one in result["endpoints"].values())
    return requests / result["window_s"], result["cpu_seconds"] / result["window_s"]


def _wrk(bench: Bench, start: StartContainer, volume: str, setting: Setting, namespace: str, seed: int) -> float:
    url = f"http://127.0.0.1:{setting.port}"
    spec = ContainerSpec(
        image=bench.generator_image, role=Role.GENERATOR, network=namespace, cpuset=setting.cores.generator,
        command=["-c", WITH_SCRIPT, script(seed, setting.port),
                 f"{TOOLS}/ld", "--library-path", TOOLS, f"{TOOLS}/wrk",
                 "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{SECONDS:.0f}s",
                 "--script", SCRIPT, url],
        volumes={volume: {"bind": TOOLS, "mode": "ro"}},
    )  # fmt: skip
    _, out, said = bench.engine.run_to_end(spec, timeout_s=SECONDS + SLACK_S)
    return parse(out + said)


def _told(server: Server, lines: list[dict[str, Any]]) -> bool:
    """Print one server's ratio, and return whether the bound holds."""
    means: Mapping[str, dict[int, float]] = {
        who: {line["number"]: mean_interval(line["rps"][who]).value for line in lines} for who in ("seatrial", "wrk")
    }
    ratio = paired_ratio(means["seatrial"], means["wrk"])
    middle = {who: mean_interval(list(rates.values())).value for who, rates in means.items()}
    interval = "too few for an interval" if ratio.low is None else f"{ratio.low:.3f} to {ratio.high:.3f}"
    busiest = max(share for line in lines for share in line["generator_cpu_share"])
    print(
        f"{server.name}: {ratio.value:.3f} of wrk ({interval}; {len(lines)} containers); {middle['seatrial']:.0f} and"
        f" {middle['wrk']:.0f} a second; the generator used up to {busiest:.0%} of its core"
    )
    return ratio.value >= BOUND


if __name__ == "__main__":
    sys.exit(main())
