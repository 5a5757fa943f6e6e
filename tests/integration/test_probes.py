"""Every probe succeeds in a deliberately weak container, and is stopped in the hardened one: each on real containers.

A limit of the harness's own stands above all of the weak ones: processes, memory, time, and no namespace of the
machine. They are not started with --privileged, which not every machine's root may do: they are given what the
attacks take.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.engine import labels, run_profiles
from harness.engine.client import Container, ContainerSpec, Engine
from harness.engine.inspection import inspect
from harness.engine.labels import Role
from harness.errors import NoValidMeasurement
from harness.model import BaseImage, Failed, Hardening, Image, Passed, ProbeResult, RunProfile, Skipped
from security import attack
from security.hardening import await_app, examine, published
from security.probe import Ceilings, Group, discover
from security.proving_ground import Ground, proving_ground
from tests.integration import tiny_image

ASSETS = Path(__file__).resolve().parent.parent / "assets" / "probes"
PROBES = {loaded.probe.id: loaded.probe for loaded in discover()}
LOW = Ceilings(
    processes=40, memory_bytes=64 << 20, disk_bytes=4 << 20, descriptors=300, busy_processes=2, burn_seconds=0.3
)
SLEEP = "import time; time.sleep(600)"
MISSING_HERE = {
    "open-sysrq": {"ENOENT"},
    "read-kcore": {"ENOENT"},
    "kexec": {"ENOSYS"},
    "bpf": {"ENOSYS"},
    "perf": {"ENOSYS"},
    "keyctl": {"ENOSYS"},
    "userfaultfd": {"ENOSYS"},
    "read-firmware": {"ENOENT"},
    "security-label": {"EINVAL", "ENOENT"},
}
"""What a kernel may lack, and the errnos that say so: such a probe is skipped, in the weak container too."""


def weak_profile(**changes: Any) -> RunProfile:
    """Everything off, and bounds of the harness's own."""
    profile = RunProfile(name="weak", title="weak", seccomp="unconfined", pids_limit=300, memory_bytes=512 << 20)
    return profile.model_copy(update=changes)


@pytest.fixture(scope="module")
def ground(engine: Engine, slim: BaseImage) -> Iterator[Ground]:
    with proving_ground(engine, slim.reference) as found:
        yield found


@pytest.fixture(scope="module")
def weak(engine: Engine, slim: BaseImage, ground: Ground) -> dict[str, ProbeResult]:
    """Every probe's result in the weak container that suits it."""
    with ExitStack() as stack:

        def started(script: str = SLEEP, network: str = "none", pid_mode: str = "", **changes: Any) -> Container:
            spec = ContainerSpec(
                image=slim.reference,
                role=Role.TARGET,
                entrypoint=["python3", "-c", script],
                profile=weak_profile(**changes),
                network=network,
                overrides={"pid_mode": pid_mode} if pid_mode else {},
            )
            return stack.enter_context(engine.running(spec))

        # A pause container of another user, whose namespaces the weak one joins: never the machine's.
        pause = started(user="12345")
        root = started(
            (ASSETS / "weak_container.py").read_text("utf-8"),
            network=f"container:{ground.stand_in}",
            pid_mode=f"container:{pause.id}",
            cap_add=("SYS_ADMIN", "SYS_PTRACE", "SYSLOG", "SYS_BOOT"),
        )
        bare = stack.enter_context(unmasked(engine, slim.reference))
        neighbour = started(network=ground.network)
        app = started((ASSETS / "weak_app.py").read_text("utf-8"))
        await_app(engine, app, 5000)
        wait_for(engine, root, "ready")
        suited = {
            "reach-neighbour": neighbour,
            **dict.fromkeys(("read-kcore", "open-sysrq", "read-firmware", "write-proc-sys"), bare),
            **{name: app for name, probe in PROBES.items() if probe.group is Group.APP},
        }
        results = {}
        for container in (root, bare, neighbour, app):
            names = [name for name in PROBES if suited.get(name, root) is container]
            for one in attack.run_all(engine, container, ground=ground, ceilings=LOW, only=names):
                results[one.id] = one
        return results


@contextmanager
def unmasked(engine: Engine, image: str) -> Iterator[Container]:
    """A container whose /proc and /sys are the kernel's own; the SDK has no option for that, so the API is asked."""
    host = engine.api.create_host_config(
        network_mode="none", pids_limit=300, mem_limit=512 << 20, security_opt=["seccomp=unconfined"]
    )
    made = engine.api.create_container(
        image,
        entrypoint=["python3", "-c", SLEEP],
        host_config={**host, "MaskedPaths": [], "ReadonlyPaths": []},
        name=f"{labels.RUNTIME_PREFIX}{engine.run_id}-unmasked",
        labels=labels.of(engine.run_id, Role.TARGET),
    )
    container = engine.client.containers.get(made["Id"])
    try:
        container.start()
        yield container
    finally:
        engine.remove(container)


def wait_for(engine: Engine, container: Container, word: str) -> None:
    deadline = time.monotonic() + 20
    while word not in engine.logs(container):
        assert time.monotonic() < deadline, engine.logs(container)
        time.sleep(0.05)


@pytest.fixture(scope="module")
def article(engine: Engine, attacked: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Hardening:
    """The naive way, by a run profile of a user's own: it says what the article's does, with another port."""
    path = tmp_path_factory.mktemp("profiles") / "mine.toml"
    path.write_text((run_profiles.FOLDER / "article.toml").read_text("utf-8").replace("= 5000", f"= {free_port()}"))
    return examine(engine, attacked["article"], run_profiles.load(str(path)), say=print)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.parametrize("name", PROBES)
def test_it_succeeds_in_the_weak_container(weak: dict[str, ProbeResult], name: str) -> None:
    result = weak[name]
    if isinstance(result.outcome, Skipped) and name in MISSING_HERE:
        assert {one.errno for one in result.attempts} <= MISSING_HERE[name], result
        pytest.skip(f"this machine's kernel lacks it: {result.outcome.reason}")
    assert isinstance(result.outcome, Failed), result
    assert all(one.evidence or one.errno for one in result.attempts if one.result == "succeeded"), result


@pytest.mark.parametrize("name", PROBES)
def test_it_is_stopped_in_the_hardened_one(hardened: Hardening, weak: dict[str, ProbeResult], name: str) -> None:
    result = next(one for one in hardened.probes if one.id == name)
    if isinstance(weak[name].outcome, Skipped):
        # What the kernel lacks is no defence: nobody may read it as one.
        assert isinstance(result.outcome, Skipped), result
        pytest.skip(result.outcome.reason)
    if name == "burn-cpu" and isinstance(result.outcome, Skipped):
        pytest.skip(result.outcome.reason)
    assert isinstance(result.outcome, Passed), result
    assert result.stopped_by, result
    assert all(one.result != "succeeded" for one in result.attempts), result


def test_counted_attacks_say_how_far_they_got(hardened: Hardening, weak: dict[str, ProbeResult]) -> None:
    counts = {one.id: one.counts for one in hardened.probes}
    assert 0 < counts["fork-until-stopped"]["processes"] < 64
    assert 0 < counts["allocate-until-stopped"]["bytes"] < 256 << 20
    assert 0 < counts["exhaust-descriptors"]["descriptors"] < 1024
    assert counts["fill-disk"]["bytes in /tmp"] == 16 << 20
    assert weak["fork-until-stopped"].counts["processes"] == LOW.processes
    assert weak["allocate-until-stopped"].counts["bytes"] == LOW.memory_bytes


def test_the_hardened_container_passes_every_check_that_applies(hardened: Hardening) -> None:
    outcomes = {one.id: one.outcome for one in hardened.container_checks}
    assert {key: one for key, one in outcomes.items() if isinstance(one, Failed)} == {}
    skipped = {key for key, one in outcomes.items() if isinstance(one, Skipped)}
    # AppArmor and SELinux depend on the machine; sessions that ended are not recorded by any engine.
    assert skipped <= {"CIS-5.2", "CIS-5.3", "CIS-5.23", "CIS-5.24"}


def test_the_article_fails_what_it_should(article: Hardening) -> None:
    checks = {one.id for one in article.container_checks if isinstance(one.outcome, Failed)}
    assert checks >= {
        *("CIS-5.4", "CIS-5.11", "CIS-5.12", "CIS-5.13", "CIS-5.14", "CIS-5.19", "CIS-5.26", "CIS-5.27", "CIS-5.29"),
        *("CIS-5.30", "SEA-CONTAINER-LOG"),
    }
    probes = {one.id for one in article.probes if isinstance(one.outcome, Failed)}
    assert probes >= {
        *("become-root", "capabilities", "no-new-privileges", "user-namespace", "write-filesystem", "execute-written"),
        *("chown", "mknod", "raw-socket", "bind-low-port", "reach-neighbour", "fork-until-stopped"),
        *("allocate-until-stopped", "fill-disk", "exhaust-descriptors", "burn-cpu", "request-smuggling"),
    }


def test_a_port_that_is_taken_is_in_nobodys_way(engine: Engine, slim: BaseImage, article: Hardening) -> None:
    assert (article.run_profile, article.remarks) == ("mine", ())
    publish = {"5000/tcp": free_port()}
    spec = ContainerSpec(
        image=slim.reference,
        role=Role.TARGET,
        entrypoint=["python3", "-c", SLEEP],
        profile=weak_profile(network="bridge", publish=publish),
        network="bridge",
    )
    with published(engine, spec) as (first, said), published(engine, spec) as (second, remarks):
        ports = [inspect(engine, one)["NetworkSettings"]["Ports"]["5000/tcp"] for one in (first, second)]
    assert ports[0][0]["HostPort"] == str(publish["5000/tcp"]) != ports[1][0]["HostPort"]
    # Where it can be reached from is what checks judge, and stays the same.
    assert ports[0][0]["HostIp"] == ports[1][0]["HostIp"]
    assert said == ()
    assert str(publish["5000/tcp"]) in remarks[0]


@pytest.mark.parametrize("no_new_privileges", [False, True])
def test_a_setuid_program_gives_root_unless_that_is_ruled_out(
    engine: Engine, slim: BaseImage, no_new_privileges: bool
) -> None:
    profile = weak_profile(user="65532", no_new_privileges=no_new_privileges, seccomp="default")
    spec = ContainerSpec(
        image=slim.reference, role=Role.TARGET, entrypoint=["python3", "-c", SLEEP], profile=profile, network="none"
    )
    with engine.running(spec) as container:
        (result,) = attack.run_all(engine, container, only=["become-root"])
    tries = [one for one in result.attempts if "setuid-root" in one.what]
    assert len(tries) > 3, result
    if no_new_privileges:
        assert isinstance(result.outcome, Passed), result
        assert {one.stopped_by for one in tries} == {"no-new-privileges"}
    else:
        assert isinstance(result.outcome, Failed), result
        assert {one.evidence for one in tries} == {"it runs with effective uid 0"}


def test_nothing_is_sent_to_the_metadata_address_where_a_route_leads_out(article: Hardening) -> None:
    result = next(one for one in article.probes if one.id == "reach-cloud-metadata")
    assert isinstance(result.outcome, Skipped)
    assert "nothing was sent" in result.outcome.reason


def test_calls_are_tried_where_an_image_lacks_ctypes(engine: Engine, attacked: dict[str, Image]) -> None:
    names = [name for name, probe in PROBES.items() if probe.group is Group.KERNEL]
    spec = ContainerSpec(
        image=attacked["alpine-gunicorn"].digest,
        role=Role.TARGET,
        entrypoint=["python3", "-c", SLEEP],
        profile=weak_profile(user="0", cap_add=("SYS_ADMIN", "SYS_PTRACE", "SYSLOG")),
    )
    with engine.running(spec) as container:
        code, said = engine.exec_python(container, "import ctypes")
        results = {one.id: one for one in attack.run_all(engine, container, only=names)}
    for name in ("mount", "pivot-root", "unshare", "setns", "ptrace", "kernel-log"):
        assert isinstance(results[name].outcome, Failed), results[name]
    assert (code, said) == (0, "") or "_ctypes" in said


def test_an_image_without_python_is_skipped_with_its_reason(engine: Engine) -> None:
    image = tiny_image.make(engine)
    with engine.running(ContainerSpec(image=image, role=Role.TARGET, entrypoint=tiny_image.SLEEP)) as container:
        results = attack.run_all(engine, container, only=["mount", "capabilities"])
    assert [type(one.outcome) for one in results] == [Skipped, Skipped]
    assert all("python3" in one.outcome.reason for one in results if isinstance(one.outcome, Skipped))


def test_a_container_that_ended_gives_no_pass(engine: Engine, slim: BaseImage) -> None:
    spec = ContainerSpec(image=slim.reference, role=Role.TARGET, entrypoint=["python3", "-c", "pass"])
    with engine.running(spec) as container:
        container.wait(timeout=20)
        results = attack.run_all(engine, container, only=["mount"])
    assert isinstance(results[0].outcome, Skipped)


def test_an_app_that_does_not_come_up_is_told(engine: Engine, slim: BaseImage) -> None:
    spec = ContainerSpec(image=slim.reference, role=Role.TARGET, entrypoint=["python3", "-c", "raise SystemExit('no')"])
    with engine.running(spec) as container:
        container.wait(timeout=20)
        with pytest.raises(NoValidMeasurement, match="no"):
            await_app(engine, container, 5000)
