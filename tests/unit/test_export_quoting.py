"""No value breaks out of its place in any format, whatever it holds."""

from __future__ import annotations

import json

import pytest

from harness.errors import UsageError
from harness.model import (
    HealthCheck,
    Skipped,
)
from report.deployments import deployment
from report.deployments.deployment import GUNICORN
from report.deployments.formats import FORMATS
from tests.exported import HOSTILE, main, of, pod, service, tuning, words
from tests.made_hardening import HARDENED, hardening, image, results
from tests.systemd_units import expanded, sections, word


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_hostile_value_arrives_as_it_is_in_every_format(value: str) -> None:
    one = of(results(tunings=(tuning(f"--name {value}!"),)))
    sent = f"--name {value}!"
    assert service(one)["environment"][GUNICORN].replace("$$", "$") == sent
    env = pod(one)["containers"][0]["env"][0]
    assert env["value"].replace("$$", "$") == sent
    assert f"{GUNICORN}={sent}" in words(one)
    entries = sections(main("quadlet", one))["Container"]
    (environment,) = [word(expanded(text)) for key, text in entries if key == "Environment"]
    assert environment == f"{GUNICORN}={sent}"


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("how", FORMATS)
def test_hostile_evidence_stays_in_its_comment(how: str, value: str) -> None:
    plain = main(how, of(results(hardening({"CIS-5.12": Skipped(reason="x")}, remarks=("x",)))))
    hostile = main(how, of(results(hardening({"CIS-5.12": Skipped(reason=value)}, remarks=(f"{value} x",)))))

    def live(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.strip().startswith("#") and line.strip()]

    assert live(hostile) == live(plain)


def test_a_hostile_health_check_arrives_as_it_is() -> None:
    test = ("CMD", "python3", *HOSTILE)
    built = image(healthcheck=HealthCheck(test=test, interval_s=0.5))
    one = of(results(built=built))
    assert [part.replace("$$", "$") for part in service(one)["healthcheck"]["test"]] == list(test)
    assert service(one)["healthcheck"]["interval"] == "500ms"
    assert pod(one)["containers"][0]["readinessProbe"]["exec"]["command"] == list(test[1:])
    command = dict(sections(main("quadlet", one))["Container"])["HealthCmd"]
    assert json.loads(expanded(command)) == list(test[1:])
    shell = of(results(built=image(healthcheck=HealthCheck(test=("CMD-SHELL", "echo %n \\")))))
    command = dict(sections(main("quadlet", shell))["Container"])["HealthCmd"]
    assert json.loads(expanded(command)) == ["CMD-SHELL", "echo %n \\"]
    assert pod(shell)["containers"][0]["livenessProbe"]["exec"]["command"] == ["/bin/sh", "-c", "echo %n \\"]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_hostile_run_profile_arrives_as_it_is(value: str) -> None:
    place, how, key = f"/t{value}", f"rw,{value}", "net.core.somaxconn"
    profile = HARDENED.model_copy(update={"tmpfs": {place: how}, "sysctls": {key: value}})
    one = of(results(hardening(profile=profile)))
    found = service(one)
    assert [text.replace("$$", "$") for text in found["tmpfs"]] == [f"{place}:{how}"]
    assert found["sysctls"][key].replace("$$", "$") == value
    assert f"{place}:{how}" in words(one)
    assert f"{key}={value}" in words(one)
    assert pod(one)["containers"][0]["volumeMounts"][0]["mountPath"] == place
    assert pod(one)["securityContext"]["sysctls"] == [{"name": key, "value": value}]
    entries = sections(main("quadlet", one))["Container"]
    assert word(expanded(dict(entries)["Sysctl"])) == f"{key}={value}"
    mounts = [word(expanded(text)) for key, text in entries if key == "PodmanArgs" and "--tmpfs" in text]
    assert (mounts or [f"--tmpfs={dict(entries)['Tmpfs']}"]) == [f"--tmpfs={place}:{how}"]


@pytest.mark.parametrize("name", ["a;b", "$(id)", "../up", "UPPER", "a b", ""])
def test_a_name_that_is_no_variants_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no variant's name"):
        deployment.of(results(), name)
