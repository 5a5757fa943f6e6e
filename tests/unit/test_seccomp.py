"""An image's own seccomp profile: what is read from strace's log, what is allowed and closed, and what is searched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine import run_profiles
from harness.errors import BuildFailed, NoValidMeasurement, ToolMissing, UnreadableOutput
from harness.results import RunFolder
from images import recorder
from images.bases import distroless
from images.bases.rootfs import Rootfs
from loadtests.asking import asked
from seatrial.seccomp import run_profile_text, sentences, written
from security import seccomp_kit, seccomp_log, seccomp_proof, seccomp_rules, seccomp_runtime
from security.seccomp import Tight
from security.seccomp_record import phases
from security.seccomp_rude import Rude
from tests.made_records import image
from tests.made_seccomp import seccomp_profile

LOG = (Path(__file__).resolve().parent.parent / "assets" / "seccomp" / "strace-6.13.log").read_text("utf-8")
NAMES = seccomp_rules.numbers("x86_64")
TEMPLATE = json.loads((run_profiles.FOLDER / seccomp_rules.TEMPLATE).read_text("utf-8"))


def allows(profile: Mapping[str, Any]) -> set[str]:
    return {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}


def seen(at: float, name: str, refused: bool | None = False) -> seccomp_log.Seen:
    return seccomp_log.Seen(at=at, name=name, refused=refused)


class TestLog:
    def test_calls_are_read_with_their_time_whether_they_end_on_their_line_or_another(self) -> None:
        found = list(seccomp_log.parse(LOG, NAMES))
        assert found[0] == seen(1795570976.610519, "execve")
        assert [one.refused for one in found if one.name == "set_robust_list"][:2] == [None, False]
        assert found[-1].name == "exit_group"

    def test_a_call_that_only_ever_came_back_refused_is_told_from_others(self) -> None:
        found = [
            *seccomp_log.parse(LOG, NAMES),
            seen(1, "chown", refused=True),
            seen(2, "chown"),
            seen(3, "poll", None),
        ]
        assert seccomp_log.only_refused(found) == {"clone3"}

    def test_a_call_by_number_gets_its_name_or_is_known_to_have_none(self) -> None:
        text = "1 1.5 syscall_0x1cf(0x1) = 0\n1 1.6 syscall_0xfff(0) = -1 ENOSYS (Function not implemented)\n"
        found = [one.name for one in seccomp_log.parse(text, {0x1CF: "listxattrat"})]
        assert found == ["listxattrat", "syscall_0xfff"]
        assert [seccomp_log.unnamed(name) for name in found] == [False, True]

    @pytest.mark.parametrize("line", ["", "1 1.0 +++ exited with 0 +++", "1 1.0 --- SIGTERM ---", "1 1.0", "1 1.0 rea"])
    def test_what_is_no_call_is_passed_over(self, line: str) -> None:
        assert list(seccomp_log.parse(line, NAMES)) == []

    def test_a_program_of_another_architecture_is_refused(self) -> None:
        with pytest.raises(UnreadableOutput, match="32 bit mode"):
            list(seccomp_log.parse("strace: [ Process PID=12 runs in 32 bit mode. ]", NAMES))


class TestPhases:
    def test_calls_belong_to_what_the_image_was_doing(self) -> None:
        run = [seen(1, "execve"), seen(2, "accept4"), seen(3, "poll"), seen(4, "shutdown"), seen(5, "wait4")]
        moments = {"ready": 2.0, "begun": 3.0, "over": 4.0}
        found = {one.phase: one.calls for one in phases(run, [seen(9, "connect")], moments, stopped_at=5.0)}
        assert found == {
            "start": ("execve",), "contract": ("accept4", "shutdown"), "load": ("poll",),
            "health check": ("connect",), "stop": ("wait4",),
        }  # fmt: skip

    def test_an_image_without_a_health_check_has_no_such_phase(self) -> None:
        assert "health check" not in {one.phase for one in phases([seen(1, "read")], [], {}, stopped_at=5.0)}


class TestRules:
    def test_the_default_allows_less_to_a_container_without_capabilities(self) -> None:
        none = seccomp_rules.allowed_by_default("x86_64", ())
        assert {"read", "ptrace", "clone", "socket"} <= none
        assert none.isdisjoint({"clone3", "mount", "chroot", "bpf", "mmap2", "s390_runtime_instr"})
        assert seccomp_rules.allowed_by_default("x86_64", seccomp_rules.DOCKERS_CAPABILITIES) - none == {"chroot"}
        assert "clone3" in seccomp_rules.allowed_by_default("x86_64", {"SYS_ADMIN"})

    def test_an_architecture_has_its_own_calls(self) -> None:
        arm = seccomp_rules.allowed_by_default("aarch64", ())
        assert "arch_prctl" not in arm
        assert "open" not in arm
        with pytest.raises(ToolMissing, match="riscv64"):
            seccomp_rules.numbers("riscv64")

    def test_a_profile_allows_what_is_named_and_nothing_else(self) -> None:
        names = {"read", "clone", "socket", "clone3", "io_uring_setup", "personality"}
        made = seccomp_rules.profile("x86_64", names, TEMPLATE)
        assert allows(made) == names - {"clone3"}
        assert (made["defaultAction"], made["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
        (refused,) = [rule for rule in made["syscalls"] if rule["action"] != "SCMP_ACT_ALLOW"]
        assert (refused["names"], refused["errnoRet"]) == (["clone3"], 38)
        assert made["archMap"] == [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}]

    def test_what_is_allowed_under_a_condition_stays_under_it(self) -> None:
        made = seccomp_rules.profile("x86_64", {"clone", "socket", "personality"}, TEMPLATE)
        assert all(rule.get("args") for rule in made["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW")

    @pytest.mark.parametrize(
        ("dropped", "added", "held"),
        [(("ALL",), (), set()), (("ALL",), ("KILL",), {"KILL"}), (("NET_RAW",), (), None)],
        ids=["none", "one added", "one dropped"],
    )
    def test_capabilities_are_the_run_profiles(
        self, dropped: tuple[str, ...], added: tuple[str, ...], held: set[str] | None
    ) -> None:
        profile = run_profiles.load("article").model_copy(update={"cap_drop": dropped, "cap_add": added})
        wanted = seccomp_rules.DOCKERS_CAPABILITIES - {"NET_RAW"} if held is None else held
        assert seccomp_rules.capabilities(profile) == wanted


class TestRuntime:
    @given(st.sets(st.integers(0, 60), max_size=5))
    def test_just_what_is_needed_is_found(self, wanted: set[int]) -> None:
        names = tuple(f"call{number}" for number in range(61))
        need = {names[number] for number in wanted}
        assert seccomp_runtime.needed(lambda calls: calls >= need | {"own"}, {"own"}, names) == frozenset(need)

    def test_where_nothing_helps_nothing_is_found(self) -> None:
        assert seccomp_runtime.needed(lambda calls: False, {"own"}, ("a", "b")) is None
        assert seccomp_runtime.needed(lambda calls: False, {"own"}, ()) is None

    def test_a_trial_that_failed_in_haste_adds_nothing(self) -> None:
        answers = iter([False, True])
        assert seccomp_runtime.needed(lambda calls: next(answers), {"own"}, ()) == frozenset()

    def test_few_trials_are_enough_for_what_is_likely(self) -> None:
        tried = []

        def works(calls: frozenset[str]) -> bool:
            tried.append(calls)
            return "fstatfs" in calls

        order = seccomp_runtime.ordered(seccomp_rules.allowed_by_default("x86_64", ()))
        assert seccomp_runtime.needed(works, {"read"}, order) == frozenset({"fstatfs"})
        assert len(tried) <= 3

    @pytest.mark.parametrize(
        ("components", "said"),
        [
            ([{"Name": "Engine", "Version": "20"}, {"Name": "runc", "Version": "1.1.5+ds1"}], "runc 1.1.5+ds1"),
            ([{"Name": "OCI Runtime (runc)", "Version": "runc version 1.1.5\ncommit: x"}], "runc runc version 1.1.5"),
            ([], "runc of an unknown version"),
        ],
        ids=["docker", "podman", "untold"],
    )
    def test_the_runtime_is_named_with_its_version(self, components: list[dict[str, str]], said: str) -> None:
        assert seccomp_runtime.named("runc", {"Components": components}) == said


class TestKit:
    @pytest.mark.parametrize(
        ("config", "command"),
        [
            ({}, None),
            ({"Healthcheck": {"Test": ["NONE"]}}, None),
            ({"Healthcheck": {"Test": ["CMD", "python3", "x.py"]}}, ["python3", "x.py"]),
            ({"Healthcheck": {"Test": ["CMD-SHELL", "curl x"]}}, ["/bin/sh", "-c", "curl x"]),
            ({"Healthcheck": {"Test": ["CMD-SHELL", "x"]}, "Shell": ["/bin/ash", "-c"]}, ["/bin/ash", "-c", "x"]),
        ],
        ids=["none", "switched off", "exec form", "shell form", "a shell of its own"],
    )
    def test_the_health_checks_command(self, config: dict[str, Any], command: list[str] | None) -> None:
        assert seccomp_kit.health_command(config) == command

    def test_an_image_that_starts_nothing_is_refused(self) -> None:
        with pytest.raises(NoValidMeasurement, match="no program"):
            seccomp_kit.own_command({"Entrypoint": None, "Cmd": []})

    def test_a_kernel_that_forbids_watching_is_told_with_what_to_do(self) -> None:
        said = "hello\n/seatrial-recorder/strace: attach: ptrace(PTRACE_ATTACH, 1): Operation not permitted\n"
        with pytest.raises(ToolMissing, match="PTRACE_ATTACH") as caught:
            seccomp_kit.refuse_forbidden(said)
        assert "ptrace_scope" in caught.value.hint
        seccomp_kit.refuse_forbidden("PermissionError: [Errno 1] Operation not permitted\n")

    def test_strace_comes_with_its_loader_and_libraries_under_the_names_they_are_looked_up_by(self) -> None:
        rootfs = Rootfs()
        rootfs.add_file("usr/bin/strace", b"the program")
        rootfs.add_file("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", b"the loader")
        rootfs.add_file("usr/lib/x86_64-linux-gnu/libc.so.6", b"the library")
        rootfs.add_file("usr/lib/x86_64-linux-gnu/libunwind.so.8.1.0", b"another")
        rootfs.add_symlink("usr/lib/x86_64-linux-gnu/libunwind.so.8", "libunwind.so.8.1.0")
        rootfs.add_file("usr/lib/x86_64-linux-gnu/libcrypt.so.1", b"not needed")
        rootfs.add_file(f"{distroless.STATUS}/strace", b"Package: strace\nVersion: 6.13+ds-1\n")
        found = recorder.opened(recorder.kit(rootfs))
        assert found.name == "strace 6.13+ds-1"
        assert b"another" in found.tar
        assert b"not needed" not in found.tar
        rootfs.remove("usr/bin/strace")
        with pytest.raises(BuildFailed, match="lack strace"):
            recorder.kit(rootfs)


class TestProofs:
    def test_a_log_line_of_a_refusal_is_the_same_whatever_its_numbers(self) -> None:
        first = seccomp_proof.refused_lines("[12] PermissionError: [Errno 1] x\nall is well\n")
        assert first == seccomp_proof.refused_lines("[99] PermissionError: [Errno 1] x\n")
        assert len(first) == 1

    @pytest.mark.parametrize(
        ("recorded", "before", "after", "held"),
        [
            ("200", "200", "200", True), ("404", "404", "404", True), ("closed", "closed", "closed", True),
            ("200", "200", "500", False), ("200", "500", "500", False), ("200", "closed", "closed", False),
            ("TimeoutError", "TimeoutError", "TimeoutError", False), ("-", "-", "-", False),
        ],
    )  # fmt: skip
    def test_an_error_path_holds_when_the_app_answers_as_it_did(
        self, recorded: str, before: str, after: str, held: bool
    ) -> None:
        earlier = Rude(found={}, before=recorded, after=recorded)
        assert Rude(found={}, before=before, after=after).like(earlier) is held

    @pytest.mark.parametrize(
        ("recorded", "came", "held"),
        [
            ("404", "404", True), ("404", "500", False), ("501", "501", True), ("501", "500", False),
            ("closed", "ConnectionResetError", True), ("413", "ConnectionResetError", True), ("closed", "500", True),
        ],
    )  # fmt: skip
    def test_an_error_that_has_become_the_apps_own_breaks_the_error_path(
        self, recorded: str, came: str, held: bool
    ) -> None:
        earlier, later = (Rude(found={"no such page": one}, before="200", after="200") for one in (recorded, came))
        assert later.like(earlier) is held

    def test_an_examination_adds_up(self) -> None:
        fine: dict[str, Any] = {"wrong": [], "unanswered": []}
        events: dict[str, dict[str, Any]] = {
            "ready": {"at": 1.0, **fine}, "before": {"at": 2.0, "verified": 5, **fine}, "warm-up": {"at": 3.0},
            "measure-end": {"at": 4.0}, "after": {"at": 5.0, "verified": 6, **fine},
            "result": {"endpoints": {"a": {"requests": 7, "failures": 0}}, "faults": []},
        }  # fmt: skip
        found = asked(events)
        assert (found.verified, found.requests, found.faults) == (11, 7, ())
        assert found.moments == {"ready": 1.0, "examined": 2.0, "begun": 3.0, "over": 4.0}
        events["result"]["endpoints"]["a"]["failures"] = 2
        assert asked(events).faults == ("under load: 2 of 7 requests failed",)
        events["result"]["endpoints"] = {}
        assert asked(events).faults == ("under load: not one request was answered",)
        del events["result"], events["after"]
        assert asked(events).faults == ("it no longer answered after the load",)
        assert asked({}).faults == ("it no longer answered before its first answer",)


class TestWritten:
    def test_a_proved_profile_comes_with_a_run_profile_that_uses_it(self, tmp_path: Path) -> None:
        folder, profile = RunFolder(tmp_path), run_profiles.load("hardened")
        made = seccomp_rules.profile("x86_64", {"read"}, TEMPLATE)
        found = written(folder, Tight(found=seccomp_profile(), profile=made), profile)
        assert found.run_profile_file is not None
        used = run_profiles.load(str(tmp_path / found.run_profile_file))
        assert used.model_copy(update={"name": "", "title": "", "seccomp": ""}) == profile.model_copy(
            update={"name": "", "title": "", "seccomp": ""}
        )
        assert json.loads(Path(used.seccomp).read_text("utf-8")) == made
        assert any("--run-profile" in line for line in sentences(found, tmp_path))

    def test_one_that_is_not_proved_has_none_and_says_which_proof_broke(self, tmp_path: Path) -> None:
        broken = seccomp_profile(proofs={"starts": "held", "load": "broke"})
        found = written(RunFolder(tmp_path), Tight(found=broken, profile={}), run_profiles.load("hardened"))
        assert found.run_profile_file is None
        assert not found.proved
        assert list(tmp_path.rglob("*.toml")) == []
        said = sentences(found, tmp_path)[-1]
        assert "not proved (load)" in said

    def test_without_a_proof_nothing_is_proved(self) -> None:
        assert not seccomp_profile(proofs={}).proved
        assert not seccomp_profile(proofs={"starts": "held", "load": "not tried"}).proved

    def test_another_image_drops_it_with_its_files(self, tmp_path: Path) -> None:
        folder = RunFolder(tmp_path)
        found = written(folder, Tight(found=seccomp_profile(), profile={}), run_profiles.load("hardened"))
        folder.write_seccomp(found)
        assert folder.seccomps() == (found,)
        assert folder.measured_another(image(found.variant, digest="sha256:" + "2" * 64))
        folder.write_image(image(found.variant, digest="sha256:" + "2" * 64))
        assert folder.seccomps() == ()
        assert [path for path in (tmp_path / "seccomp").rglob("*") if path.is_file()] == []

    @pytest.mark.parametrize("name", run_profiles.names())
    def test_a_run_profile_survives_being_written(self, name: str, tmp_path: Path) -> None:
        profile = run_profiles.load(name)
        (tmp_path / f"{name}.toml").write_text(run_profiles.to_toml(profile), "utf-8")
        assert run_profiles.load(str(tmp_path / f"{name}.toml")) == profile

    def test_a_title_with_quotes_survives_too(self, tmp_path: Path) -> None:
        profile = run_profiles.load("hardened").model_copy(update={"title": 'a "b" \\ ü'})
        (tmp_path / "x.json").write_text("{}", "utf-8")
        text = run_profile_text(seccomp_profile(), profile, "x.json")
        (tmp_path / "mine.toml").write_text(text, "utf-8")
        read = run_profiles.load(str(tmp_path / "mine.toml"))
        assert read.title.startswith('a "b" \\ ü; with')
        assert read.seccomp == str(tmp_path / "x.json")
