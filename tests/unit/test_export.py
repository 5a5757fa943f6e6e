"""What is exported: only what was proved, with what proved it, in every format; nothing else, silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from harness.engine import run_profiles
from harness.errors import UnreadableOutput, UsageError
from harness.model import (
    Failed,
    Image,
    Outcome,
    Results,
    RunProfile,
    Skipped,
    Tuning,
)
from report.deployments import deployment
from report.deployments.deployment import GUNICORN
from report.deployments.formats import FORMATS
from report.deployments.proof import EVIDENCE, proof
from seatrial.cli import main as seatrial
from tests.exported import PUSHED, comments, loaded, main, of, pod, service, tuning, words
from tests.made_hardening import CHECKS, DIGEST, HARDENED, NAME, PROBES, hardening, image, results
from tests.pod_security import broken_rules
from tests.results_factory import make
from tests.systemd_units import CONTAINER_KEYS, NETWORK_KEYS, sections


def test_what_proves_a_flag_are_checks_and_probes_that_there_are() -> None:
    assert {one for each in EVIDENCE.values() for one in each.checks} <= set(CHECKS)
    assert {one for each in EVIDENCE.values() for one in each.probes} <= set(PROBES)
    assert set(deployment.CLAIMS) <= set(EVIDENCE) <= set(RunProfile.model_fields)


def test_every_flag_that_was_proved_is_there() -> None:
    found = service(of())
    assert found["image"] == DIGEST
    assert (found["user"], found["read_only"], found["cap_drop"]) == ("65532:65532", True, ["ALL"])
    assert found["security_opt"] == ["no-new-privileges:true", f"seccomp=./{NAME}.seccomp.json"]
    assert (found["pids_limit"], found["mem_limit"], found["memswap_limit"], found["cpus"]) == (
        64,
        1 << 28,
        1 << 28,
        1.0,
    )
    assert found["ulimits"] == {"nofile": {"soft": 1024, "hard": 1024}}
    assert (found["restart"], found["sysctls"]) == ("on-failure:5", dict(HARDENED.sysctls))
    assert found["healthcheck"]["test"] == ["CMD", "python3", "/check me.py"]
    assert found["networks"] == ["inside"]


@pytest.mark.parametrize("how", FORMATS)
def test_comments_point_to_the_evidence(how: str) -> None:
    said = comments(main(how, of()))
    assert make().results.run_id in said
    for name in ("CIS-5.13", "write-filesystem", "CIS-5.29", "fork-until-stopped", "CIS-5.27"):
        # Kubernetes has no word for a limit of processes: it says so in place of the proof.
        assert name in said or (how == "kubernetes" and "podPidsLimit" in said)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize(
    ("flag", "outcomes"),
    [
        ("read_only", {"write-filesystem": Failed(evidence=("it wrote to /usr",))}),
        ("pids_limit", {"CIS-5.29": Failed(evidence=("no limit",))}),
        ("cpus", {"CIS-5.12": Skipped(reason="no list"), "burn-cpu": Skipped(reason="too busy")}),
        ("restart", {"CIS-5.15": Skipped(reason="unknown")}),
        ("seccomp", {"seccomp-mode": Failed(evidence=("mode 0",))}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_nothing_proved_is_left_out_and_said(how: str, flag: str, outcomes: dict[str, Outcome]) -> None:
    one = of(results(hardening(outcomes)))
    text = main(how, one)
    assert f"{flag} = {getattr(HARDENED, flag)} is left out. Not proved" in comments(text)
    assert getattr(one.profile, flag) == RunProfile.model_fields[flag].default
    signs = {
        "read_only": ("read_only:", "--read-only", "ReadOnly=", "readOnlyRootFilesystem"),
        "pids_limit": ("pids_limit:", "--pids-limit", "PidsLimit="),
        "cpus": ("cpus:", "--cpus", "cpu:"),
        "restart": ("restart:", "--restart", "Restart="),
        "seccomp": ("seccomp=", "SeccompProfile=", "Localhost"),
    }[flag]
    live = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
    assert not [sign for sign in signs if sign in live]


def test_a_limit_that_the_engine_holds_stays_where_an_attack_could_not_be_tried() -> None:
    one = of(results(hardening({"burn-cpu": Skipped(reason="the machine was too busy")})))
    assert service(one)["cpus"] == 1.0
    assert "probe burn-cpu could not tell: the machine was too busy" in comments(main("compose", one))


ADDED = HARDENED.model_copy(update={"cap_add": ("NET_BIND_SERVICE",), "cap_add_because": "it listens on port 80"})
HELD: dict[str, Outcome] = {
    "CIS-5.4": Failed(evidence=("CapAdd: NET_BIND_SERVICE",)),
    "capabilities": Failed(evidence=("hold a capability in CapBnd: 1: NET_BIND_SERVICE",)),
}


@pytest.mark.parametrize("how", FORMATS)
def test_a_capability_that_was_added_leaves_the_others_dropped(how: str) -> None:
    one = of(results(hardening(HELD, profile=ADDED)))
    assert one.profile.cap_drop == ("ALL",)
    assert one.profile.cap_add == ("NET_BIND_SERVICE",)
    assert "it listens on port 80" in comments(main(how, one))


def test_without_proof_that_capabilities_are_dropped_none_is_added_to_the_engines_own() -> None:
    one = of(results(hardening({**HELD, "chown": Failed(evidence=("it gave a file away",))}, profile=ADDED)))
    assert one.profile.cap_drop == one.profile.cap_add == ()
    assert "cap_add = NET_BIND_SERVICE is left out" in comments(main("compose", one))


def test_no_evidence_at_all_proves_nothing() -> None:
    found = hardening(container_checks=(), probes=())
    assert not any(proof(flag, found).holds for flag in EVIDENCE)


def test_attacks_that_succeeded_stand_at_the_head() -> None:
    one = of(
        results(hardening({"request-smuggling": Failed(evidence=("405",)), "CIS-5.27": Failed(evidence=("none",))}))
    )
    for how in FORMATS:
        assert "failed: CIS-5.27" in comments(main(how, one))
        assert "succeeded: request-smuggling" in comments(main(how, one))


def test_tuned_settings_go_into_the_environment_with_their_evidence() -> None:
    one = of(results(tunings=(tuning(),)))
    assert service(one)["environment"] == {GUNICORN: "--workers 3 --threads 8"}
    assert pod(one)["containers"][0]["env"] == [{"name": GUNICORN, "value": "--workers 3 --threads 8"}]
    assert f"{GUNICORN}=--workers 3 --threads 8" in words(one)
    assert "Tuned under the limits here, in run" in comments(main("compose", one))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((), "gunicorn was not tuned"),
        ((tuning(finished=False),), "not tuned to the end"),
        ((tuning(best=None),), "not tuned to the end"),
        ((tuning(cpus=2.0),), "which are not the limits here"),
        ((tuning(arguments=""),), "The image's own settings were the best"),
        ((tuning(image_digest="sha256:other"),), "gunicorn was not tuned"),
    ],
    ids=["none", "stopped", "no best", "other limits", "own settings", "other image"],
)
@pytest.mark.parametrize("how", FORMATS)
def test_without_tuned_settings_it_is_said_why(how: str, found: tuple[Tuning, ...], said: str) -> None:
    text = main(how, of(results(tunings=found)))
    assert said in comments(text)
    assert GUNICORN not in "".join(line for line in text.splitlines() if not line.strip().startswith("#"))


def test_an_image_without_gunicorn_has_none_to_tune() -> None:
    one = of(results(built=image(entrypoint=("python3", "app.py")), tunings=(tuning(),)))
    assert one.env == {}
    assert "It is not started by gunicorn" in comments(main("compose", one))


@pytest.mark.parametrize(
    ("built", "profile", "words_of"),
    [
        (image(healthcheck=None), HARDENED, {}),
        (image(), HARDENED.model_copy(update={"healthcheck": False}), {"disable": True}),
    ],
    ids=["no check in the image", "turned off"],
)
def test_a_health_check_that_did_not_run_is_not_exported(
    built: Image, profile: RunProfile, words_of: dict[str, bool]
) -> None:
    one = of(results(hardening(profile=profile), built))
    assert service(one).get("healthcheck", {}) == words_of
    assert "livenessProbe" not in pod(one)["containers"][0]
    assert ("--no-healthcheck" in words(one)) == bool(words_of)


def test_the_manifests_are_valid_and_meet_the_restricted_standard() -> None:
    text = main("kubernetes", of(image=PUSHED))
    documents = loaded(text)
    for one in documents:
        kubernetes_validate.validate(one, "1.34", strict=True)
    assert [one["kind"] for one in documents] == ["Deployment", "Service", "NetworkPolicy"]
    assert broken_rules(documents[0]["spec"]["template"]["spec"]) == []
    assert "It meets the Pod Security Standard" in comments(text)
    container = documents[0]["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["imagePullPolicy"]) == (PUSHED, "IfNotPresent")
    assert container["resources"]["limits"] == {"memory": str(1 << 28), "cpu": "1000m"}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"no_new_privileges": False}, "Privilege Escalation"),
        ({"cap_drop": ("NET_RAW",)}, "Capabilities"),
        ({"cap_add": ("SYS_ADMIN",)}, "Capabilities"),
        ({"seccomp": "unconfined"}, "Seccomp"),
        ({"user": "0:0"}, "Running as Non-root"),
        ({"network": "host"}, "Host Namespaces"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_manifest_that_does_not_meet_the_standard_says_so(change: dict[str, Any], broken: str) -> None:
    profile = HARDENED.model_copy(update=change)
    seccomp = None if profile.seccomp == "unconfined" else "{}"
    one = of(results(hardening(profile=profile, seccomp_profile=seccomp)))
    assert broken in broken_rules(pod(one))
    assert "It does not meet the Pod Security Standard" in comments(main("kubernetes", one))


def test_the_units_have_only_keys_that_podman_knows() -> None:
    files = FORMATS["quadlet"](of(results(tunings=(tuning(),))))
    units = sections(files[f"{NAME}.container"])
    assert {key for key, _ in units["Container"]} <= CONTAINER_KEYS
    assert {key for key, _ in units["Service"]} == {"Restart"}
    assert {key for key, _ in units["Unit"]} == {"Description", "StartLimitIntervalSec", "StartLimitBurst"}
    assert {key for key, _ in sections(files[f"{NAME}.network"])["Network"]} <= NETWORK_KEYS
    assert json.loads(files[f"{NAME}.seccomp.json"]) == json.loads(run_profiles.seccomp_text(HARDENED) or "")


def test_the_naive_way_is_exported_as_it_was_measured() -> None:
    article = run_profiles.load("article")
    found = hardening(
        {"CIS-5.14": Failed(evidence=("every address",))}, run_profile="article", profile=article, seccomp_profile=None
    )
    one = of(results(found, image(user="", healthcheck=None)), run_profile="article")
    assert service(one) == {"image": DIGEST, "ports": ["5000:5000/tcp"]}
    assert "--publish 5000:5000/tcp" in main("docker-run", one)
    assert "failed: CIS-5.14" in comments(main("compose", one))
    assert "it runs as root" in comments(main("kubernetes", one))


@pytest.mark.parametrize(
    "bad", ["web", "web:latest", "web@sha256:short", f"$(id)@{DIGEST}", f"web\n@{DIGEST}", f"{PUSHED}\n"]
)
def test_an_image_has_to_be_named_by_its_digest(bad: str) -> None:
    with pytest.raises(UsageError, match="digest"):
        of(image=bad)


@pytest.mark.parametrize(
    ("found", "error", "said"),
    [
        (results(hardenings=()), UsageError, "Nothing was proved"),
        (results(hardening(failure="it ended")), UsageError, "did not start"),
        (results(hardening(image_digest="sha256:other")), UsageError, "no image"),
        (results(hardening(profile=None)), UnreadableOutput, "run profile"),
    ],
    ids=["not attacked", "did not start", "other image", "older record"],
)
def test_what_was_not_proved_is_no_export(found: Results, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        of(found)


def test_the_verb_writes_what_belongs_together_and_nothing_over_it(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(results().model_dump_json(), "utf-8")
    asked = ["export", NAME, "--format", "quadlet", "--results", str(tmp_path), "-o"]
    assert seatrial([*asked, str(tmp_path / f"{NAME}.network")]) == UsageError.exit_code
    assert seatrial([*asked, str(tmp_path / "nowhere" / "unit")]) == UsageError.exit_code
    assert [one.name for one in tmp_path.iterdir()] == ["results.json"]
    assert seatrial([*asked, str(tmp_path / "mine.container")]) == 0
    assert {one.suffix for one in tmp_path.iterdir()} == {".json", ".container", ".network"}


def test_a_size_that_a_pod_cannot_have_is_told() -> None:
    one = of(results(hardening(profile=HARDENED.model_copy(update={"tmpfs": {"/data": "rw,size=50%"}}))))
    assert pod(one)["volumes"] == [{"name": "tmpfs-0", "emptyDir": {"medium": "Memory"}}]
    assert "the size of /data (rw,size=50%)" in comments(main("kubernetes", one))
