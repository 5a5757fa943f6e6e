"""The measured configuration as a Compose file, for docker-compose 1.29 and the plugin alike."""

from __future__ import annotations

from typing import Any

from report.deployments.comments import comment
from report.deployments.deployment import Deployment, network_note
from report.deployments.durations import spelled
from report.deployments.yaml_text import document

NETWORK = "inside"
PUBLISH = 'To publish it takes ports ["127.0.0.1:{port}:{port}"] and a network that is not internal; not measured.'


def write(one: Deployment) -> dict[str, str]:
    """Return the Compose file and what belongs beside it, by name; the file itself comes first."""
    kept, notes = one.profile, one.notes
    service: dict[str, Any] = {"image": one.image}
    said: dict[str, str] = {"image": notes["image"]}

    def put(key: str, value: Any, note: str) -> None:
        if value not in (None, [], {}):
            service[key], said[key] = value, note

    put("user", one.user, notes["user"])
    put("read_only", kept.read_only or None, notes["read_only"])
    put("tmpfs", [f"{place}:{how}" if how else place for place, how in kept.tmpfs.items()], notes["tmpfs"])
    put("cap_drop", list(kept.cap_drop), notes["cap_drop"])
    put("cap_add", list(kept.cap_add), notes["cap_add"])
    put("security_opt", _security(one), f"{notes['no_new_privileges']} {notes['seccomp']}")
    put("pids_limit", kept.pids_limit, notes["pids_limit"])
    put("mem_limit", kept.memory_bytes, f"Bytes. {notes['memory_bytes']}")
    put("memswap_limit", kept.memory_bytes, "Memory and swap together: no swap.")
    put("cpus", kept.cpus, notes["cpus"])
    put("ulimits", {each.name: {"soft": each.soft, "hard": each.hard} for each in kept.ulimits}, notes["ulimits"])
    put("restart", kept.restart if kept.restart != "no" else None, notes["restart"])
    put("sysctls", dict(kept.sysctls), notes["sysctls"])
    put("healthcheck", _health(one), notes["health"])
    put("environment", dict(one.env), notes["env"])
    entries: dict[str, Any] = {"services": {one.name: service}}
    if kept.network == "host":
        put("network_mode", "host", notes["network"])
    elif kept.network == "none":
        put("networks", [NETWORK], f"{network_note(one)} {PUBLISH.format(port=one.port)}")
        entries["networks"] = {NETWORK: {"internal": True}}
    else:
        ports = [f"{host}:{inside}" for inside, host in kept.publish.items()]
        put("ports", ports, f"As it was measured. {notes['network']}")
    seccomp = {one.seccomp_file: one.seccomp_json} if one.seccomp_json else {}
    start = [
        f"Start in this folder: docker compose -f FILE up -d. {'Beside it: ' + one.seccomp_file if seccomp else ''}"
    ]
    quiet = [] if one.env else [notes["env"]]
    head = [line for text in (*one.about, *start, *quiet, *one.left_out) for line in (*comment(text), "#")]
    body = document(
        entries,
        {("services", one.name, key): text for key, text in said.items()},
        text=lambda value: value.replace("$", "$$"),
    )
    return {f"{one.name}.compose.yaml": "\n".join([*head[:-1], body]), **{k: f"{v}\n" for k, v in seccomp.items()}}


def _security(one: Deployment) -> list[str]:
    options = ["no-new-privileges:true"] if one.profile.no_new_privileges else []
    if one.seccomp_json:
        options.append(f"seccomp=./{one.seccomp_file}")
    elif one.profile.seccomp == "unconfined":
        options.append("seccomp=unconfined")
    return options


def _health(one: Deployment) -> dict[str, Any]:
    if not one.profile.healthcheck:
        return {"disable": True}
    if one.health is None:
        return {}
    found = one.health
    times = {"interval": found.interval_s, "timeout": found.timeout_s, "start_period": found.start_period_s}
    return {
        "test": list(found.test),
        **{key: spelled(value) for key, value in times.items() if value},
        **({"retries": found.retries} if found.retries else {}),
    }
