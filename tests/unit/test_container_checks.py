"""Every container check against its own examples, and the reading of the engine's documents."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UnreadableOutput
from harness.model import Failed, Passed, Skipped
from security.check import LoadedCheck
from security.container_scan import checks, run_all
from security.running_container import EngineFacts, RunningContainer, parse

CHECKS = checks()
INFO = {"Swarm": {"LocalNodeState": "inactive"}, "SecurityOptions": ["name=seccomp,profile=default"], "NCPU": 2}


def document(**host: Any) -> dict[str, Any]:
    """An inspect document with what an engine says of a container that was started without any option."""
    return {
        "Image": "sha256:a",
        "Config": {"Image": "app:1", "User": "", "ExposedPorts": {"5000/tcp": {}}},
        "State": {"Running": True},
        "HostConfig": {"NetworkMode": "default", "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, **host},
        "Mounts": [],
        "NetworkSettings": {"Networks": {"bridge": {}}},
    }


def outcomes(**host: Any) -> dict[str, str]:
    found = run_all(document(**host), ("python3 app.py",), INFO, log="")
    return {one.id: one.outcome.outcome for one in found}


@pytest.mark.parametrize("loaded", CHECKS, ids=lambda loaded: loaded.check.id)
class TestExamples:
    def test_good_ones_pass(self, loaded: LoadedCheck) -> None:
        for example in loaded.check.good:
            assert loaded.test(example) == Passed(), example

    def test_bad_ones_fail_with_evidence(self, loaded: LoadedCheck) -> None:
        for example in loaded.check.bad:
            outcome = loaded.test(example)
            assert isinstance(outcome, Failed), example
            assert all(": " in line for line in outcome.evidence)

    def test_unclear_ones_are_skipped_with_a_reason(self, loaded: LoadedCheck) -> None:
        for example in loaded.check.unclear:
            outcome = loaded.test(example)
            assert isinstance(outcome, Skipped), example
            assert outcome.reason


def test_every_row_of_section_5_has_its_check() -> None:
    assert {f"CIS-5.{row}" for row in range(1, 33)} <= {loaded.check.id for loaded in CHECKS}


def test_a_container_without_options_fails_what_it_should() -> None:
    failed = {key for key, outcome in outcomes().items() if outcome == "failed"}
    assert failed == {
        *("CIS-5.4", "CIS-5.11", "CIS-5.12", "CIS-5.13", "CIS-5.19", "CIS-5.26", "CIS-5.27", "CIS-5.29", "CIS-5.30")
    }


def test_what_the_kernel_or_the_engine_lacks_is_skipped() -> None:
    found = outcomes()
    assert {found["CIS-5.2"], found["CIS-5.3"], found["CIS-5.23"], found["CIS-5.24"], found["CIS-5.28"]} == {"skipped"}


def test_processes_that_cannot_be_listed_are_no_pass() -> None:
    found = {one.id: one.outcome for one in run_all(document(), None, INFO)}
    assert isinstance(found["CIS-5.7"], Skipped)
    assert isinstance(found["SEA-CONTAINER-LOG"], Skipped)


def test_ports_are_read_with_address_and_number() -> None:
    bindings = {"5000/tcp": [{"HostIp": "::", "HostPort": "80"}], "22/tcp": None}
    found = run_all(document(PortBindings=bindings), (), INFO)
    evidence = {one.id: one.outcome.evidence for one in found if isinstance(one.outcome, Failed)}
    assert evidence["CIS-5.8"] == ("5000/tcp: published at 80",)
    assert evidence["CIS-5.9"] == ("22/tcp: published, not exposed",)
    assert evidence["CIS-5.14"] == ("22/tcp: bound to every address", "5000/tcp: bound to ::")


@pytest.mark.parametrize("names", [["CAP_ALL"], ["all"], ["ALL"]])
def test_capabilities_are_read_in_each_of_their_forms(names: list[str]) -> None:
    assert outcomes(CapDrop=names)["CIS-5.4"] == "passed"


def test_a_quota_is_a_cpu_limit_as_much_as_nano_cpus() -> None:
    assert outcomes(CpuQuota=50_000, CpuPeriod=100_000)["CIS-5.12"] == "passed"
    assert outcomes(NanoCpus=1_000_000_000)["CIS-5.12"] == "passed"
    assert outcomes(CpuQuota=-1)["CIS-5.12"] == "failed"


def test_devices_requests_and_rules_are_all_devices() -> None:
    for host in (
        {"Devices": [{"PathOnHost": "/dev/kvm", "CgroupPermissions": "rwm"}]},
        {"DeviceCgroupRules": ["c 1:3 rwm"]},
        {"DeviceRequests": [{"Driver": "nvidia"}]},
    ):
        assert outcomes(**host)["CIS-5.18"] == "failed"


def test_a_mount_is_read_whole() -> None:
    mounts = [{"Type": "bind", "Source": "/etc/ssl", "Destination": "/x", "RW": False, "Propagation": "rshared"}]
    found = run_all({**document(), "Mounts": mounts}, (), INFO)
    evidence = {one.id: one.outcome.evidence for one in found if isinstance(one.outcome, Failed)}
    assert evidence["CIS-5.6"] == ("/etc/ssl: mounted at /x, read-only",)
    assert evidence["CIS-5.20"] == ("/x: propagation rshared",)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"HostConfig": None, "Config": {}, "State": {}},
        {**document(), "HostConfig": []},
        {**document(), "Mounts": [3]},
        document(PortBindings={"5000/tcp": [{"HostPort": "x"}]}),
        document(Memory="much"),
    ],
)
def test_a_document_that_is_none_is_told_and_never_a_pass(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadableOutput, match="cannot be read"):
        run_all(broken, (), INFO)


def test_an_engine_that_says_nothing_of_seccomp_is_not_taken_to_have_it() -> None:
    container = parse(document(), engine_info={}, processes=())
    assert container.engine == EngineFacts(security_options=())
    found = {one.id: one.outcome for one in run_all(document(), (), {})}
    assert isinstance(found["CIS-5.22"], Skipped)


def test_the_last_of_two_contrary_options_counts() -> None:
    container = RunningContainer(security_opt=("seccomp=unconfined", "seccomp={}"))
    assert container.security_option("seccomp") == "{}"
    assert container.security_option("label") is None
