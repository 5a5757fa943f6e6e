"""The measured configuration as Podman quadlets: a container unit and its network's.

systemd expands `%` and `$` in what Podman's generator makes of these lines, so both are doubled everywhere.
"""

from __future__ import annotations

import json
import re

from report.deployments.comments import comment
from report.deployments.deployment import Deployment, network_note
from report.deployments.durations import spelled

RESTARTS_WITHIN = "10min"
PLAIN = re.compile(r"[A-Za-z0-9/_.,:=-]+")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write(one: Deployment) -> dict[str, str]:
    """Return the units and what belongs beside them, by name; the container's comes first."""
    kept, notes = one.profile, one.notes
    own_network = kept.network == "none"
    place = "Podman 5 or newer. All files go to /etc/containers/systemd/, or a user's ~/.config/containers/systemd/."
    quiet = () if one.env else (notes["env"],)
    lines = [line for text in (*one.about, place, *quiet, *one.left_out) for line in (*comment(text), "#")][:-1]
    lines += ["[Unit]", f"Description={_raw(f'{one.name}, as Seatrial measured it')}"]
    if kept.restart != "no":
        # The first start counts too.
        often = int(kept.restart.partition(":")[2]) + 1
        lines += [*comment(f"{kept.restart}, as near as systemd comes. {notes['restart']}"),
                  f"StartLimitIntervalSec={RESTARTS_WITHIN}", f"StartLimitBurst={often}"]  # fmt: skip
    lines += ["", "[Container]", f"ContainerName={_raw(one.name)}"]

    def add(note: str, *entries: str) -> None:
        if entries:
            lines.extend([*comment(note), *entries])

    add(notes["image"], f"Image={_raw(one.image)}", *(("Pull=never",) if one.local else ()))
    if one.user:
        user, _, group = one.user.partition(":")
        add(notes["user"], f"User={_raw(user)}", *((f"Group={_raw(group)}",) if group else ()))
    if kept.read_only:
        add(f"{notes['read_only']} Podman would add writable places that were not there.", "ReadOnly=true",
            "ReadOnlyTmpfs=false")  # fmt: skip
    add(notes["tmpfs"], *(_tmpfs(f"{path}:{how}" if how else path) for path, how in kept.tmpfs.items()))
    add(notes["cap_drop"], *(f"DropCapability={cap.lower() if cap == 'ALL' else cap}" for cap in kept.cap_drop))
    add(notes["cap_add"], *(f"AddCapability={cap}" for cap in kept.cap_add))
    add(notes["no_new_privileges"], *(("NoNewPrivileges=true",) if kept.no_new_privileges else ()))
    if one.seccomp_json:
        add(f"%E is where this file is. {notes['seccomp']}",
            f"SeccompProfile=%E/containers/systemd/{one.seccomp_file}")  # fmt: skip
    elif kept.seccomp == "unconfined":
        add(notes["seccomp"], "SeccompProfile=unconfined")
    add(notes["pids_limit"], *((f"PidsLimit={kept.pids_limit}",) if kept.pids_limit else ()))
    add(f"Bytes; no swap. {notes['memory_bytes']}",
        *((f"PodmanArgs=--memory={kept.memory_bytes} --memory-swap={kept.memory_bytes}",) if kept.memory_bytes
          else ()))  # fmt: skip
    add(notes["cpus"], *((f"PodmanArgs=--cpus={kept.cpus:g}",) if kept.cpus else ()))
    add(notes["ulimits"], *(f"Ulimit={each.name}={each.soft}:{each.hard}" for each in kept.ulimits))
    add(notes["sysctls"], *(f"Sysctl={_quoted(f'{key}={value}')}" for key, value in kept.sysctls.items()))
    add(notes["health"], *_health(one))
    add(notes["env"], *(f"Environment={_quoted(f'{key}={value}')}" for key, value in one.env.items()))
    if own_network:
        add(
            f"{network_note(one)} To publish port {one.port} takes PublishPort= and another network; not measured.",
            f"Network={one.name}.network",
        )
    else:
        ports = (f"PublishPort={host}:{inside}" for inside, host in kept.publish.items())
        add(f"As it was measured. {notes['network']}", f"Network={kept.network}", *ports)
    if kept.restart != "no":
        lines += ["", "[Service]", "Restart=on-failure"]
    lines += ["", "[Install]", "WantedBy=default.target", ""]
    files = {f"{one.name}.container": "\n".join(lines)}
    if own_network:
        files[f"{one.name}.network"] = f"[Network]\nNetworkName={_raw(one.name)}\nInternal=true\n"
    if one.seccomp_json:
        files[one.seccomp_file] = f"{one.seccomp_json}\n"
    return files


def _health(one: Deployment) -> list[str]:
    found = one.health
    if found is None:
        return ["HealthCmd=none"] if not one.profile.healthcheck else []
    kind, *words = found.test
    # Podman reads a JSON array as a program with its arguments, or as a shell's line behind that word. It ends in a
    # bracket, and so never in a backslash, by which the next line would be swallowed.
    lines = [f"HealthCmd={_raw(json.dumps(words if kind == 'CMD' else ['CMD-SHELL', *words]))}"]
    times = {"Interval": found.interval_s, "Timeout": found.timeout_s, "StartPeriod": found.start_period_s}
    lines += [f"Health{key}={spelled(value)}" for key, value in times.items() if value]
    return [*lines, *([f"HealthRetries={found.retries}"] if found.retries else [])]


def _tmpfs(mount: str) -> str:
    """Return a mount by its own key, which knows no quotes, or where it needs some as an argument of Podman's."""
    return f"Tmpfs={mount}" if PLAIN.fullmatch(mount) else f"PodmanArgs={_quoted(f'--tmpfs={mount}')}"


def _raw(value: str) -> str:
    """Return a value that is taken as it stands to the line's end: no line breaks, and no backslash at its end."""
    return value.replace("%", "%%").replace("$", "$$")


def _quoted(value: str) -> str:
    """Return one word of a value that systemd splits into words, with C's escapes inside of double quotes."""
    signs = (ESCAPES.get(sign) or (f"\\x{ord(sign):02x}" if ord(sign) < 32 or ord(sign) == 127 else sign)
             for sign in value)  # fmt: skip
    return '"' + "".join(signs).replace("%", "%%").replace("$", "$$") + '"'
