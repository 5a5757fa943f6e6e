"""An image's files serve as a plain process too, and nothing of it is left."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.engine import run_profiles
from harness.engine.client import Engine
from harness.model import Image, ResourceUse
from loadtests import plain_process
from loadtests.experiment_plan import ArmOrder
from loadtests.load_profile import LoadProfile
from loadtests.plain_process import PlainRunner
from loadtests.ports import free_ports
from loadtests.setting import Cores, Setting
from tests.integration.tiny_target import SERVER

PROFILE = LoadProfile(
    name="test", title="test", users=4, warmup_s=0.3, measure_s=1.5, sample_share=0.1, ready_timeout_s=8,
    request_timeout_s=2, foreign_share_max=1.0,
)  # fmt: skip


def test_a_plain_process_is_measured_as_a_container_is(
    engine: Engine, tiny_image: Image, generator_image: str, cores: Cores
) -> None:
    why = plain_process.reason_against(engine)
    if why is not None:
        pytest.skip(why)
    (port,) = free_ports(engine, generator_image, 1)
    setting = Setting(
        run_profile=run_profiles.load("hardened"),
        load_profile=PROFILE,
        generator_image=generator_image,
        cores=cores,
        path="host",
        port=port,
    )
    config = {"Env": ["PATH=/usr/bin:/bin"], "User": "10001:10001", "Entrypoint": ["python3", "-c", SERVER]}
    order = ArmOrder(
        image=tiny_image, model="closed", round=1, attempt=1, seed=1, question="process", arm="process"
    )  # fmt: skip
    with plain_process.exported_root(engine, tiny_image) as root:
        assert (root / "dev" / "null").is_char_device()
        runner = PlainRunner(root=root, config={**config, "Cmd": ["none", "9"]})
        one = runner(order, setting, engine).trial
        broken = dataclasses.replace(runner, config={**config, "Cmd": ["refuses to start", "9"]})
        none = broken(order, setting, engine).trial
        assert one.valid, one.broken_guards
        assert one.requests > 50
        assert isinstance(one.resources, ResourceUse)
        assert isinstance(one.resources.cpu_share, float)
        assert 0 < one.resources.cpu_share < 1.5
        assert "no such setting" in none.broken_guards[0].evidence
        assert not [path for path in Path("/proc").glob("[0-9]*/root") if _is(path, root)]
    assert not root.exists()


def _is(link: Path, root: Path) -> bool:
    try:
        return link.readlink() == root
    except OSError:
        return False
