"""The measured configuration as Kubernetes manifests: a deployment, a service and a network policy."""

from __future__ import annotations

import re
from typing import Any

from report.deployments.comments import comment
from report.deployments.deployment import Deployment, is_root
from report.deployments.durations import whole
from report.deployments.yaml_text import document

UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
Path = tuple[str, ...]
POD: Path = ("spec", "template", "spec")


def write(one: Deployment) -> dict[str, str]:
    """Return the manifests and what belongs beside them, by name; the manifests come first."""
    labels = {"app.kubernetes.io/name": one.name}
    notes: dict[Path, str] = {}
    spec = _pod(one, notes)
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": one.name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": one.name, "labels": labels},
        "spec": {"selector": labels, "ports": [{"port": one.port, "targetPort": one.port, "protocol": "TCP"}]},
    }
    documents = [document(deployment, notes, text=str), document(service, {}, text=str)]
    if one.profile.network == "none":
        policy = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": one.name, "labels": labels},
            "spec": {
                "podSelector": {"matchLabels": labels},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": one.port, "protocol": "TCP"}]}],
                "egress": [],
            },
        }
        said = (
            f"Measured without any network: {one.notes['network']} This lets its own namespace in and nothing out, "
            "where the cluster's network plugin enforces policies; that was not measured."
        )
        documents.append("\n".join([*comment(said), document(policy, {}, text=str)]))
    head = [line for text in (*one.about, *_missing(one)) for line in (*comment(text), "#")][:-1]
    seccomp = {one.seccomp_file: f"{one.seccomp_json}\n"} if one.seccomp_json else {}
    return {f"{one.name}.k8s.yaml": "\n".join([*head, "---\n".join(["", *documents])]), **seccomp}


def _pod(one: Deployment, notes: dict[Path, str]) -> dict[str, Any]:
    kept, said = one.profile, one.notes
    container: dict[str, Any] = {"name": one.name, "image": one.image}
    inside: Path = (*POD, "containers")
    notes[(*inside, "image")] = said["image"] + (" It has to be on the node." if one.local else "")
    container["imagePullPolicy"] = "Never" if one.local else "IfNotPresent"
    container["ports"] = [{"containerPort": one.port, "protocol": "TCP"}]
    if one.env:
        # Kubernetes reads $(NAME) in a value, and $$ as one $.
        container["env"] = [{"name": key, "value": value.replace("$", "$$")} for key, value in one.env.items()]
        notes[(*inside, "env")] = said["env"]
    if limits := _limits(one):
        # The same as what is asked for: nobody else is promised it.
        container["resources"] = {"requests": limits, "limits": dict(limits)}
        notes[(*inside, "resources")] = f"memory: {said['memory_bytes']} cpu: {said['cpus']}"
    security, about = _container_security(one)
    if security:
        container["securityContext"] = security
        notes[(*inside, "securityContext")] = about
    if one.health is not None and (command := _command(one.health.test)):
        every = whole(one.health.interval_s, 30)
        check = {"exec": {"command": command}, "timeoutSeconds": whole(one.health.timeout_s, 30)}
        retries = one.health.retries or 3
        start = whole(one.health.start_period_s, 1) + every * retries
        container["startupProbe"] = {**check, "periodSeconds": 1, "failureThreshold": start}
        container["readinessProbe"] = {**check, "periodSeconds": every, "failureThreshold": retries}
        container["livenessProbe"] = {**check, "periodSeconds": every, "failureThreshold": retries}
        notes[(*inside, "startupProbe")] = f"{said['health']} Kubernetes passes over an image's own check."
    pod: dict[str, Any] = {"automountServiceAccountToken": False, "enableServiceLinks": False}
    context, why = _pod_security(one)
    if context:
        pod["securityContext"] = context
        notes[(*POD, "securityContext")] = why
    if kept.network == "host":
        pod["hostNetwork"] = True
    pod["containers"] = [container]
    if kept.tmpfs:
        container["volumeMounts"] = [{"name": f"tmpfs-{n}", "mountPath": path} for n, path in enumerate(kept.tmpfs)]
        pod["volumes"] = [{"name": f"tmpfs-{n}", "emptyDir": _memory(how)} for n, how in enumerate(kept.tmpfs.values())]
        notes[(*POD, "volumes")] = (
            f"Sizes in bytes as measured; other mount options cannot be said here. {said['tmpfs']}"
        )
    return pod


def _limits(one: Deployment) -> dict[str, str]:
    found = {}
    if one.profile.memory_bytes:
        found["memory"] = str(one.profile.memory_bytes)
    if one.profile.cpus:
        found["cpu"] = f"{round(one.profile.cpus * 1000)}m"
    return found


def _container_security(one: Deployment) -> tuple[dict[str, Any], str]:
    kept, notes = one.profile, one.notes
    found: dict[str, Any] = {}
    said = []
    if kept.no_new_privileges:
        found["allowPrivilegeEscalation"] = False
        said.append(notes["no_new_privileges"])
    if kept.read_only:
        found["readOnlyRootFilesystem"] = True
        said.append(notes["read_only"])
    if kept.cap_drop or kept.cap_add:
        sides = {"drop": list(kept.cap_drop), "add": list(kept.cap_add)}
        found["capabilities"] = {side: names for side, names in sides.items() if names}
        said += [notes["cap_drop"]] + ([notes["cap_add"]] if kept.cap_add else [])
    return found, " ".join(said)


def _pod_security(one: Deployment) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    said = [f"user: {one.notes['user']}"]
    if one.user and not is_root(one.user):
        found["runAsNonRoot"] = True
    user, _, group = (one.user or "").partition(":")
    if user.isdigit():
        found["runAsUser"] = int(user)
    if group.isdigit():
        found["runAsGroup"] = int(group)
    if one.seccomp_json:
        found["seccompProfile"] = {"type": "Localhost", "localhostProfile": one.seccomp_file}
        said.append(f"seccomp: {one.notes['seccomp']} The file goes into every node's /var/lib/kubelet/seccomp/.")
    elif one.profile.seccomp == "unconfined":
        found["seccompProfile"] = {"type": "Unconfined"}
    else:
        found["seccompProfile"] = {"type": "RuntimeDefault"}
        said.append(f"seccomp: the node's default profile; another engine's was measured. {one.notes['seccomp']}")
    if one.profile.sysctls and one.profile.network != "host":
        found["sysctls"] = [{"name": key, "value": value} for key, value in one.profile.sysctls.items()]
        said.append(f"sysctls: {one.notes['sysctls']}")
    return found, " ".join(said)


def _missing(one: Deployment) -> list[str]:
    """Say what was measured and Kubernetes cannot say, and what was never proved."""
    kept = one.profile
    lines = list(one.left_out)
    if not one.env:
        lines.append(one.notes["env"])
    if one.health is None:
        lines.append(one.notes["health"])
    cannot = []
    if kept.pids_limit:
        cannot.append(f"{kept.pids_limit} processes at the most (the kubelet's podPidsLimit)")
    if kept.ulimits:
        cannot.append(f"ulimits {', '.join(f'{each.name}={each.hard}' for each in kept.ulimits)} (the node's runtime)")
    if kept.restart != "no":
        cannot.append(f"restart {kept.restart} (a deployment starts again for ever, ever more slowly)")
    for path, how in kept.tmpfs.items():
        if words := [word for word in how.split(",") if word in ("noexec", "nosuid", "nodev")]:
            cannot.append(f"{', '.join(words)} on {path}")
        if "size=" in how and "sizeLimit" not in _memory(how):
            cannot.append(f"the size of {path} ({how})")
    if kept.publish:
        cannot.append("publishing on a port of the machine (left to a service)")
    if cannot:
        lines.append(f"Measured, but a pod cannot say it, so it is not in force here: {'; '.join(cannot)}.")
    unmet = [
        text
        for text, bad in (
            ("it runs as root", is_root(one.user)),
            ("privileges may be gained", not kept.no_new_privileges),
            ("not all capabilities are dropped", "ALL" not in kept.cap_drop),
            ("capabilities are added", bool(set(kept.cap_add) - {"NET_BIND_SERVICE"})),
            ("seccomp is off", kept.seccomp == "unconfined"),
            ("the node's network is used", kept.network == "host"),
        )
        if bad
    ]
    met = "It meets the Pod Security Standard `restricted`."
    lines.append(f"It does not meet the Pod Security Standard `restricted`: {'; '.join(unmet)}." if unmet else met)
    return lines


def _memory(how: str) -> dict[str, Any]:
    """Return a volume in memory of the size that a tmpfs has."""
    size = re.search(r"(?:^|,)size=(\d+)([kmg]?)(?:,|$)", how.lower())
    return {"medium": "Memory", **({"sizeLimit": str(int(size[1]) * UNITS[size[2]])} if size else {})}


def _command(test: tuple[str, ...]) -> list[str]:
    kind, *words = test or ("NONE",)
    if kind == "CMD":
        return words
    return ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else []
