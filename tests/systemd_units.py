"""Reads unit files as systemd and Podman's generator do: sections, repeated keys, comments, quoted words."""

from __future__ import annotations

import re

CONTAINER_KEYS = {
    "AddCapability", "AddDevice", "AddHost", "Annotation", "AutoUpdate", "CgroupsMode", "ContainerName",
    "ContainersConfModule", "DNS", "DNSOption", "DNSSearch", "DropCapability", "Entrypoint", "Environment",
    "EnvironmentFile", "EnvironmentHost", "Exec", "ExposeHostPort", "GIDMap", "GlobalArgs", "Group", "GroupAdd",
    "HealthCmd", "HealthInterval", "HealthLogDestination", "HealthMaxLogCount", "HealthMaxLogSize",
    "HealthOnFailure", "HealthRetries", "HealthStartPeriod", "HealthStartupCmd", "HealthStartupInterval",
    "HealthStartupRetries", "HealthStartupSuccess", "HealthStartupTimeout", "HealthTimeout", "HostName", "Image",
    "IP", "IP6", "Label", "LogDriver", "LogOpt", "Mask", "Mount", "Network", "NetworkAlias", "NoNewPrivileges",
    "Notify", "PidsLimit", "Pod", "PodmanArgs", "PublishPort", "Pull", "ReadOnly", "ReadOnlyTmpfs", "Rootfs",
    "RunInit", "SeccompProfile", "Secret", "SecurityLabelDisable", "SecurityLabelFileType", "SecurityLabelLevel",
    "SecurityLabelNested", "SecurityLabelType", "ShmSize", "StartWithPod", "StopSignal", "StopTimeout", "SubGIDMap",
    "SubUIDMap", "Sysctl", "Timezone", "Tmpfs", "UIDMap", "Ulimit", "Unmask", "User", "UserNS", "Volume",
    "WorkingDir",
}  # fmt: skip
"""What podman-systemd.unit(5) of Podman 5.0 to 5.3 lists for `[Container]`; another key makes the generator refuse."""
NETWORK_KEYS = {
    "ContainersConfModule", "DisableDNS", "DNS", "Driver", "Gateway", "GlobalArgs", "Internal", "IPAMDriver",
    "IPRange", "IPv6", "Label", "NetworkName", "Options", "PodmanArgs", "Subnet",
}  # fmt: skip
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "s": " "}


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """Return a unit's entries by section; a line that is none of it is an error."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        if header := re.fullmatch(r"\[([A-Za-z]+)\]", line):
            name = header[1]
            found.setdefault(name, [])
            continue
        key, sign, value = line.partition("=")
        assert name, line
        assert sign, line
        assert re.fullmatch(r"[A-Za-z0-9]+", key), line
        assert not value.endswith("\\"), line
        found[name].append((key, value))
    return found


def expanded(value: str) -> str:
    """Return a value after systemd put specifiers and variables in: only doubled signs and %E may be there."""
    assert not re.search(r"(?<!%)(?:%%)*%(?![%E])", value), value
    assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", value), value
    return value.replace("%%", "%").replace("$$", "$")


def word(value: str) -> str:
    """Return the one word that a quoted value is; a quote that ends early is an error."""
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value)
    assert quoted, value
    return re.sub(
        r"\\(x[0-9a-f]{2}|.)",
        lambda found: chr(int(found[1][1:], 16)) if found[1][0] == "x" else ESCAPES[found[1]],
        quoted[1],
    )
