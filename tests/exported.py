"""Exports of a made run, read as the programs read them that they are for."""

from __future__ import annotations

import io
import shlex
from typing import Any

from ruamel.yaml import YAML

from harness.model import (
    Configuration,
    NotMeasured,
    Results,
    Tuning,
)
from report.deployments import deployment
from report.deployments.deployment import Deployment
from report.deployments.formats import FORMATS
from tests.made_hardening import DIGEST, HARDENED, NAME, results

PUSHED = f"registry.example.com:5000/shop/web@sha256:{'b' * 64}"


HOSTILE = [
    "a\nb: c", "# no comment", "$HOME ${X} $(id) `id` $$", '"; rm -rf /; "', "'", "%n %% %E \\", "* & ! | >", "no",
    "é 🚢", " lead and trail ", "a=b,c=d", "\t\x07\x7f", "--privileged", "{{x}}", "\u2028x\x85y", "\\", "",
]  # fmt: skip


def tuning(arguments: str = "--workers 3 --threads 8", **changes: Any) -> Tuning:
    fields: dict[str, Any] = {
        "variant": NAME, "image_digest": DIGEST, "run_profile": "hardened", "finished": True, "cpus": HARDENED.cpus,
        "memory_bytes": HARDENED.memory_bytes, "objective_p99_ms": 100, "tolerance": 0.05, "start_rps": 100, "seed": 1,
        "configurations": (Configuration(name="best", arguments=arguments), Configuration(name="other", arguments="")),
        "advice": "other", "best": "best", "gain": NotMeasured(not_measured="no"),
    }  # fmt: skip
    return Tuning(**(fields | changes))


def of(found: Results | None = None, **how: Any) -> Deployment:
    return deployment.of(found or results(), NAME, **how)


def loaded(text: str) -> list[Any]:
    """Every document, as YAML 1.1 reads it, which is what docker-compose and kubectl do."""
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    return [one for one in reader.load_all(io.StringIO(text)) if one is not None]


def main(how: str, one: Deployment) -> str:
    return next(iter(FORMATS[how](one).values()))


def pod(one: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = loaded(main("kubernetes", one))[0]["spec"]["template"]["spec"]
    return found


def service(one: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = loaded(main("compose", one))[0]["services"][one.name]
    return found


def words(one: Deployment) -> list[str]:
    """The words of a script that are quoted for the shell, comments left out."""
    return shlex.split(main("docker-run", one), comments=True)


def comments(text: str) -> str:
    return " ".join(
        line.strip().removeprefix("#").strip() for line in text.splitlines() if line.strip().startswith("#")
    )
