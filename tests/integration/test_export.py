"""What is exported is started by the programs that it is for, and is then checked and asked like any container."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.engine.client import Container, Engine
from harness.engine.inspection import exec_sessions, inspect, processes
from harness.model import Configuration, Failed, Hardening, Image, NotMeasured, RunInfo, Tuning
from harness.results import RunFolder
from report.deployments.deployment import GUNICORN
from seatrial.cli import main
from security import attack, container_scan
from security.hardening import KNOCK
from tests.results_factory import make

NAME = "distroless-gunicorn"
WITHIN_S = 120
TUNED = "--threads 3"
ASK = "import urllib.request as one; print(one.urlopen('http://127.0.0.1:5000/', timeout=9).status)"
FORBIDDEN = {"no", "0", "false", "never"}
STOPPED = ("write-filesystem", "capabilities", "no-new-privileges", "seccomp-mode", "become-root", "execute-written")
"""Cheap attacks, one for each flag that could have been lost on the way."""


@pytest.fixture(scope="module")
def run(hardened: Hardening, attacked: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with what was really built and really proved, and the answer of a tuning."""
    folder, made = RunFolder(tmp_path_factory.mktemp("run")), make().results
    info = RunInfo(**{name: getattr(made, name) for name in RunInfo.model_fields})
    folder.write_run(info.model_copy(update={"run_profile": "hardened", "run_profile_used": hardened.profile}))
    folder.write_image(attacked[NAME])
    folder.write_hardening(hardened)
    assert hardened.profile is not None
    folder.write_answer(
        Tuning(
            variant=NAME, image_digest=hardened.image_digest, run_profile="hardened", finished=True,
            cpus=hardened.profile.cpus, memory_bytes=hardened.profile.memory_bytes, objective_p99_ms=100,
            tolerance=0.05, start_rps=100, seed=1, configurations=(Configuration(name="best", arguments=TUNED),),
            advice="best", best="best", gain=NotMeasured(not_measured="there is but one"),
        )
    )  # fmt: skip
    return folder.path


def export(run: Path, how: str, to: Path) -> Path:
    assert main(["export", NAME, "--format", how, "--results", str(run), "-o", str(to)]) == 0
    return to


def call(*words: str, engine: Engine, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, "DOCKER_HOST": engine.host, **env}, capture_output=True, text=True,
        timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def compose() -> Sequence[str]:
    """The plugin, else docker-compose, else Debian's package of it where this user may install one."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return (docker, "compose")
    forbidden = os.environ.get("SEATRIAL_INSTALL", "").lower() in FORBIDDEN
    if not shutil.which("docker-compose") and os.geteuid() == 0 and shutil.which("apt-get") and not forbidden:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "docker-compose"]):
            apt = ("apt-get", "-o", "DPkg::Lock::Timeout=120", *words)
            subprocess.run(apt, env=env, capture_output=True, timeout=300, check=False)
    if not shutil.which("docker-compose"):
        pytest.skip("neither the compose plugin nor docker-compose is here, nor can this user install it")
    return ("docker-compose",)


def proved(engine: Engine, container: Container, hardened: Hardening) -> None:
    """Check the container by the same checks, attack it by some of the same probes, and ask its app."""
    # Its health is not waited for: the first check of it comes after half a minute.
    _, said = engine.exec_python(container, KNOCK.format(port=5000, seconds=WITHIN_S))
    assert "open" in said, engine.logs(container)
    document = inspect(engine, container)
    checks = container_scan.run_all(
        document,
        processes(engine, container),
        engine.info(),
        sessions=exec_sessions(engine, document),
        log=engine.logs(container),
        tag_points_to=hardened.image_digest,
    )
    assert {one.id: one.outcome for one in checks if isinstance(one.outcome, Failed)} == {}
    host = document["HostConfig"]
    assert document["Image"] == hardened.image_digest
    assert f"{GUNICORN}={TUNED}" in document["Config"]["Env"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (1 << 28, 1 << 28, 10**9, 64)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 5}
    assert host["PortBindings"] in (None, {})
    for probe in attack.run_all(engine, container, only=STOPPED):
        assert probe.outcome.outcome == "passed", probe
    assert engine.exec_python(container, ASK) == (0, "200\n")
    (network,) = document["NetworkSettings"]["Networks"]
    assert engine.client.networks.get(network).attrs["Internal"]


@pytest.fixture
def project(compose: Sequence[str], engine: Engine, run: Path, tmp_path: Path) -> Iterator[Container]:
    file, name = export(run, "compose", tmp_path / "compose.yaml"), f"seatrial-test-{uuid.uuid4().hex[:8]}"
    words = (*compose, "--project-name", name, "--file", file.name)
    call(*words, "config", "--quiet", engine=engine, cwd=tmp_path)
    try:
        call(*words, "up", "--detach", engine=engine, cwd=tmp_path)
        found = call(*words, "ps", "--quiet", engine=engine, cwd=tmp_path).split()
        yield engine.client.containers.get(found[0])
    finally:
        call(*words, "down", "--volumes", "--timeout", "1", engine=engine, cwd=tmp_path)


def test_compose_starts_what_was_measured(engine: Engine, project: Container, hardened: Hardening) -> None:
    proved(engine, project, hardened)
    check = inspect(engine, project)["Config"]["Healthcheck"]
    assert check["Test"] == inspect_image(engine, hardened)["Test"]
    assert check["Interval"] == inspect_image(engine, hardened)["Interval"]


def test_the_script_starts_what_was_measured(engine: Engine, run: Path, hardened: Hardening, tmp_path: Path) -> None:
    if not shutil.which("docker"):
        pytest.skip("there is no docker command: the script is for that")
    script, name = export(run, "docker-run", tmp_path / "it's a $(script).sh"), f"seatrial-test-{uuid.uuid4().hex[:8]}"
    try:
        call("sh", script.name, "--label", "extra=yes", engine=engine, cwd=tmp_path, NAME=name)
        container = engine.client.containers.get(name)
        assert container.labels["extra"] == "yes"
        proved(engine, container, hardened)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and "Health" not in inspect(engine, container)["State"]:
            time.sleep(0.1)
        assert "Health" in inspect(engine, container)["State"]
    finally:
        for words in (("rm", "--force", name), ("network", "rm", name)):
            done = ("docker", *words)
            subprocess.run(done, env={**os.environ, "DOCKER_HOST": engine.host}, capture_output=True, check=False)


def inspect_image(engine: Engine, hardened: Hardening) -> dict[str, object]:
    found: dict[str, object] = (engine.image(hardened.image_digest) or {})["Config"]["Healthcheck"]
    return found
