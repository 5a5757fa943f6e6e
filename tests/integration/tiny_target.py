"""The tiny server under load: the generator's own image, with a server in place of the app."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from harness.engine.client import ContainerSpec
from harness.model import Image
from loadtests.setting import Setting

ASSETS = Path(__file__).resolve().parent.parent / "assets" / "load"
SERVER = (ASSETS / "tiny_server.py").read_text("utf-8")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TinySetting(Setting):
    """Runs the tiny server on the generator's own image, in place of an app's image."""

    fault: str = "none"
    after_s: float = 0.9

    def target(self, image: Image, namespace: str) -> ContainerSpec:
        spec = super().target(image, namespace)
        # A published port leads to the container's address on the bridge, and not to its loopback.
        bind = {"BIND": "0.0.0.0"} if self.path == "published" else {}  # noqa: S104
        command = ["-c", SERVER, self.fault, str(self.after_s)]
        return dataclasses.replace(spec, command=command, env={**spec.env, **bind})
