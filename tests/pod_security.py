"""The Pod Security Standard `restricted`, control by control, as its published table has it (Kubernetes 1.34)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def broken_rules(pod: Spec) -> list[str]:
    """Return the controls of `restricted`, those of `baseline` among them, that a pod's spec breaks."""
    return sorted(set(_of_pod(pod)) | {rule for one in containers(pod) for rule in _of_container(one, pod)})


def containers(pod: Spec) -> list[Spec]:
    """Return all containers of a pod: the controls hold for each kind."""
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return [one for kind in kinds for one in pod.get(kind) or ()]


def _of_pod(pod: Spec) -> Iterator[str]:
    security = pod.get("securityContext") or {}
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield "Host Namespaces"
    for volume in pod.get("volumes") or ():
        if set(volume) - {"name"} - VOLUMES:
            yield "Volume Types"
    if {one["name"] for one in security.get("sysctls") or ()} - SYSCTLS:
        yield "Sysctls"
    if security.get("runAsUser") == 0:
        yield "Running as Non-root user"
    yield from _shared(security)


def _of_container(one: Spec, pod: Spec) -> Iterator[str]:
    security, above = one.get("securityContext") or {}, pod.get("securityContext") or {}
    capabilities = security.get("capabilities") or {}
    if security.get("privileged"):
        yield "Privileged Containers"
    if any(port.get("hostPort") for port in one.get("ports") or ()):
        yield "Host Ports"
    if security.get("procMount") not in (None, "Default"):
        yield "/proc Mount Type"
    if security.get("allowPrivilegeEscalation") is not False:
        yield "Privilege Escalation"
    if security.get("runAsNonRoot", above.get("runAsNonRoot")) is not True:
        yield "Running as Non-root"
    if security.get("runAsUser") == 0:
        yield "Running as Non-root user"
    profile = security.get("seccompProfile") or above.get("seccompProfile") or {}
    if profile.get("type") not in ("RuntimeDefault", "Localhost"):
        yield "Seccomp"
    if "ALL" not in (capabilities.get("drop") or ()) or set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield "Capabilities"
    if any((one.get(probe) or {}).get(how, {}).get("host") for probe in PROBES for how in ("httpGet", "tcpSocket")):
        yield "Host Probes"
    yield from _shared(security)


def _shared(security: Spec) -> Iterator[str]:
    selinux = security.get("seLinuxOptions") or {}
    if selinux.get("type") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "SELinux"
    if (security.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield "AppArmor"
    if (security.get("windowsOptions") or {}).get("hostProcess"):
        yield "HostProcess"
