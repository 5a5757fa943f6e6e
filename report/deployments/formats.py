"""The formats that a measured configuration can be written in, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from report.deployments import compose, docker_run, kubernetes, quadlet
from report.deployments.deployment import Deployment

Writer = Callable[[Deployment], dict[str, str]]
"""Returns files by name; the first is the one that is asked for, the others belong beside it."""

FORMATS: Mapping[str, Writer] = {
    "compose": compose.write,
    "kubernetes": kubernetes.write,
    "quadlet": quadlet.write,
    "docker-run": docker_run.write,
}
