"""The measured configuration as a shell script that ends in `docker run`."""

from __future__ import annotations

import shlex

from report.deployments.comments import comment
from report.deployments.deployment import Deployment, network_note

OPENING = """\
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=${NAME:-%s}
"""
INSIDE = """\
network=${NETWORK:-$name}
docker network inspect "$network" >/dev/null 2>&1 || docker network create --internal "$network" >/dev/null
set -- "$@" --network "$network"
"""


def write(one: Deployment) -> dict[str, str]:
    """Return the script and what belongs beside it, by name; the script itself comes first."""
    kept, notes = one.profile, one.notes
    lines = ["#!/bin/sh"]
    how = "Run with sh. Its arguments go to docker run before all others; NAME and NETWORK in the environment rename."
    quiet = () if one.env else (notes["env"],)
    for text in (*one.about, how, *quiet, *one.left_out):
        lines += [*comment(text), "#"]
    lines[-1:] = [OPENING % shlex.quote(one.name)]

    def add(note: str, *flags: str) -> None:
        if flags:
            lines.extend([*comment(note), f'set -- "$@" {" ".join(map(shlex.quote, flags))}', ""])

    add(notes["user"], *(("--user", one.user) if one.user else ()))
    add(notes["read_only"], *(("--read-only",) if kept.read_only else ()))
    mounts = [f"{place}:{how}" if how else place for place, how in kept.tmpfs.items()]
    add(notes["tmpfs"], *(word for mount in mounts for word in ("--tmpfs", mount)))
    add(notes["cap_drop"], *(word for cap in kept.cap_drop for word in ("--cap-drop", cap)))
    add(notes["cap_add"], *(word for cap in kept.cap_add for word in ("--cap-add", cap)))
    add(notes["no_new_privileges"],
        *(("--security-opt", "no-new-privileges:true") if kept.no_new_privileges else ()))  # fmt: skip
    if one.seccomp_json:
        lines += [*comment(notes["seccomp"]), f'set -- "$@" --security-opt "seccomp=$here/{one.seccomp_file}"', ""]
    else:
        add(notes["seccomp"], *(("--security-opt", "seccomp=unconfined") if kept.seccomp == "unconfined" else ()))
    add(notes["pids_limit"], *(("--pids-limit", str(kept.pids_limit)) if kept.pids_limit else ()))
    memory = str(kept.memory_bytes)
    add(f"Bytes; no swap. {notes['memory_bytes']}",
        *(("--memory", memory, "--memory-swap", memory) if kept.memory_bytes else ()))  # fmt: skip
    add(notes["cpus"], *(("--cpus", f"{kept.cpus:g}") if kept.cpus else ()))
    limits = [f"{each.name}={each.soft}:{each.hard}" for each in kept.ulimits]
    add(notes["ulimits"], *(word for limit in limits for word in ("--ulimit", limit)))
    add(notes["restart"], *(("--restart", kept.restart) if kept.restart != "no" else ()))
    add(notes["sysctls"], *(word for key, value in kept.sysctls.items() for word in ("--sysctl", f"{key}={value}")))
    if kept.healthcheck:
        lines += [*comment(f"Health: docker run takes it from the image. {notes['health']}"), ""]
    else:
        add(notes["health"], "--no-healthcheck")
    add(notes["env"], *(word for key, value in one.env.items() for word in ("--env", f"{key}={value}")))
    lines += _network(one)
    lines += [*comment(notes["image"]), f'exec docker run --detach --name "$name" "$@" {shlex.quote(one.image)}', ""]
    seccomp = {one.seccomp_file: f"{one.seccomp_json}\n"} if one.seccomp_json else {}
    return {f"{one.name}.run.sh": "\n".join(lines), **seccomp}


def _network(one: Deployment) -> list[str]:
    note = one.notes["network"]
    if one.profile.network == "none":
        said = f"{network_note(one)} To publish port {one.port} takes another network; not measured."
        return [*comment(said), INSIDE]
    flags = ["--network", one.profile.network]
    for inside, host in one.profile.publish.items():
        flags += ["--publish", f"{host}:{inside}"]
    return [*comment(f"As it was measured. {note}"), f'set -- "$@" {" ".join(map(shlex.quote, flags))}', ""]
