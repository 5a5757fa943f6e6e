"""Probes without a container: what each says of itself, the script it becomes, and how what it printed is judged."""

from __future__ import annotations

import ast
import builtins
import dis
import errno
import importlib
import json
import os
import struct
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.model import Attempt, Failed, Passed, ProbeResult, Skipped
from security import bounds
from security.attack import app_of, judge, read
from security.inside import kit as kit_module
from security.inside import syscalls
from security.inside.http import Answer, request
from security.inside.kit import CAPABILITIES, MARKER, Kit, errno_name
from security.probe import OLDEST_PYTHON, BrokenProbe, Ceilings, Group, LoadedProbe, discover, script

PROBES = discover()
STOPPED = Attempt(what="try it", result="stopped", errno="EPERM", stopped_by="seccomp profile")
SUCCEEDED = Attempt(what="try it", result="succeeded", evidence="it worked")
NOT_TRIED = Attempt(what="try it", result="not tried", errno="ENOSYS", evidence="the kernel lacks the call")


class Record(Kit):
    """A kit whose record can be read back."""

    def __init__(self, **facts: Any) -> None:
        self.reader, writer = os.pipe()
        super().__init__({"nonce": "n", **facts}, writer)

    def entries(self) -> list[dict[str, Any]]:
        os.close(self._sink)
        with os.fdopen(self.reader) as lines:
            return [json.loads(line) for line in lines]


@pytest.fixture
def record() -> Record:
    return Record()


def printed(*entries: dict[str, Any], ended: str = "", nonce: str = "n") -> str:
    return f"noise\n{MARKER}{nonce}:{json.dumps({'entries': list(entries), 'ended': ended})}\n"


def entry(attempt: Attempt) -> dict[str, Any]:
    return attempt.model_dump()


def result_of(output: str) -> ProbeResult:
    return read(PROBES[0], output, nonce="n", exit_code=0, seconds=0.1)


@pytest.mark.parametrize("loaded", PROBES, ids=lambda loaded: loaded.probe.id)
class TestEachProbe:
    def test_it_becomes_a_script_for_an_old_python(self, loaded: LoadedProbe) -> None:
        tree = ast.parse(script(loaded, {"nonce": "n"}), feature_version=OLDEST_PYTHON)
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & {"security", "harness", "docker", "pydantic"}

    def test_every_name_that_its_script_uses_is_there(self, loaded: LoadedProbe) -> None:
        code = compile(script(loaded, {"nonce": "n"}).rpartition("\nrun(")[0], loaded.probe.id, "exec")
        space: dict[str, Any] = {}
        exec(code, space)  # noqa: S102 - definitions only: the last line, which runs the attack, is cut off
        builtin = set(dir(builtins))
        for function in (value for value in space.values() if isinstance(value, types.FunctionType)):
            for name in global_names(function.__code__):
                assert name in space or name in builtin, f"{function.__name__} uses {name}"

    def test_it_is_bounded_and_says_what_to_do(self, loaded: LoadedProbe) -> None:
        # A slow app is given time; what it may not have is all of it.
        assert 0 < loaded.probe.seconds <= (60 if loaded.probe.group is Group.APP else 20)
        assert loaded.probe.title
        assert loaded.probe.rationale.endswith(".")
        assert loaded.probe.remediation.endswith(".")


def global_names(code: types.CodeType) -> Iterator[str]:
    """Yield the global names that a function, and the functions in it, load."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from global_names(constant)


def test_what_exhausts_something_comes_last() -> None:
    groups = [loaded.probe.group for loaded in PROBES]
    assert groups == sorted(groups)
    assert groups[-1] is Group.RESOURCES


def test_a_module_that_is_no_probe_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "broken_probes"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "nothing.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BrokenProbe, match="nothing"):
        discover(importlib.import_module("broken_probes"))


class TestJudging:
    def test_one_success_fails_however_much_was_stopped(self) -> None:
        assert judge((STOPPED, SUCCEEDED, STOPPED), "") == Failed(evidence=("try it: it worked",))

    def test_a_success_counts_though_the_probe_was_cut_short(self) -> None:
        assert isinstance(judge((SUCCEEDED,), "killed"), Failed)

    def test_a_probe_that_was_cut_short_never_passes(self) -> None:
        outcome = judge((STOPPED,), "took longer than 5 s and was killed")
        assert isinstance(outcome, Skipped)
        assert "took longer" in outcome.reason

    def test_what_could_not_be_tried_is_no_pass(self) -> None:
        assert judge((NOT_TRIED,), "") == Skipped(reason="try it: ENOSYS, the kernel lacks the call")
        assert isinstance(judge((), ""), Skipped)
        assert judge((NOT_TRIED, STOPPED), "") == Passed()


class TestReading:
    def test_a_whole_report(self) -> None:
        output = printed(entry(STOPPED), {"note": "by the way"}, {"progress": ["bytes", 7]}, {"done": True})
        result = result_of(output)
        assert result.outcome == Passed()
        assert result.notes == ("by the way",)
        assert result.counts == {"bytes": 7}
        assert result.stopped_by == ("seccomp profile",)

    @pytest.mark.parametrize(
        "output",
        [
            "",
            "Traceback (most recent call last):\n  SyntaxError\n",
            printed(entry(STOPPED), {"done": True}, nonce="another"),
            f"{MARKER}n:not json",
            f"{MARKER}n:{{}}",
            f"{MARKER}n:[]",
            f'{MARKER}n:{{"entries": [7], "ended": ""}}',
            f'{MARKER}n:{{"entries": [{{"what": "x", "result": "fine"}}], "ended": ""}}',
            f'{MARKER}n:{{"entries": [{{"progress": []}}], "ended": ""}}',
        ],
    )
    def test_anything_else_is_skipped_with_what_was_printed(self, output: str) -> None:
        result = result_of(output)
        assert isinstance(result.outcome, Skipped)
        assert "gave no result (exit code 0)" in result.outcome.reason

    def test_a_report_without_an_end_is_no_pass(self) -> None:
        result = result_of(printed(entry(STOPPED), ended="killed by signal 9"))
        assert isinstance(result.outcome, Skipped)
        assert "signal 9" in result.outcome.reason

    def test_an_attack_that_failed_in_itself_is_no_pass(self) -> None:
        result = result_of(printed(entry(STOPPED), {"crashed": "Traceback\nNameError: x"}, {"done": True}))
        assert isinstance(result.outcome, Skipped)
        assert "NameError: x" in result.outcome.reason


class TestKit:
    @pytest.mark.parametrize(
        ("number", "result"),
        [
            (errno.EROFS, "stopped"),
            (errno.EPERM, "stopped"),
            (errno.EACCES, "stopped"),
            (errno.ENOENT, "not tried"),
            (errno.ENOSYS, "not tried"),
            (errno.EIO, "not tried"),
            (None, "not tried"),
        ],
    )
    def test_only_a_refusal_counts_as_stopped(self, record: Record, number: int | None, result: str) -> None:
        record.refused("open it", number)
        assert [one["result"] for one in record.entries()] == [result]

    def test_an_errno_has_its_name(self) -> None:
        assert [errno_name(number) for number in (1, 0, None, 9999)] == ["EPERM", None, None, "9999"]

    def test_capabilities_stand_at_their_numbers(self, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (CAPABILITIES[0], CAPABILITIES[21], CAPABILITIES[40]) == ("CHOWN", "SYS_ADMIN", "CHECKPOINT_RESTORE")
        monkeypatch.setattr(record, "status", lambda name: "0000000000200000")
        assert record.has("SYS_ADMIN")
        assert not record.has("CHOWN")

    def test_an_unconfined_label_is_none(self, record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for said, label in (("unconfined\n", ""), ("docker-default (enforce)\n", "docker-default (enforce)")):
            (tmp_path / "current").write_text(said)
            real = open
            monkeypatch.setattr(kit_module, "open", lambda path, r=real: r(tmp_path / "current"), raising=False)
            assert record.label() == label


class TestTheMachinesNetwork:
    """Nothing is sent or bound in the machine's own namespace; that it is shared is told by the engine."""

    def attack(self, name: str, **facts: Any) -> list[dict[str, Any]]:
        record = Record(host_network=True, **facts)
        next(loaded for loaded in PROBES if loaded.probe.id == name).attack(record)
        return record.entries()

    def test_sharing_it_is_a_success_without_a_packet(self) -> None:
        entries = self.attack("reach-host-loopback", loopback_port=1, word="w")
        assert [one["result"] for one in entries] == ["succeeded"]

    @pytest.mark.parametrize("name", ["reach-cloud-metadata", "bind-low-port"])
    def test_nothing_else_is_tried_in_it(self, name: str) -> None:
        assert {one["result"] for one in self.attack(name, word="w")} == {"not tried"}


class TestCalls:
    def attempt(self, monkeypatch: pytest.MonkeyPatch, answer: int, *, control: int = 0, **how: Any) -> dict[str, Any]:
        record = Record()
        answers = iter([answer, control])
        monkeypatch.setattr(syscalls, "_result", lambda name, args: next(answers))
        monkeypatch.setattr(syscalls, "kernel_has", lambda name: how.get("there", True))
        monkeypatch.setattr(record, "filtered", lambda: how.get("filtered", True))
        monkeypatch.setattr(record, "has", lambda name: how.get("held", False))
        monkeypatch.setattr(record, "label", lambda: "")
        checked = ((0,), (errno.EINVAL,)) if "control" in how or control else None
        syscalls.attempt_call(record, "call it", "bpf", (), (errno.E2BIG,), "BPF", checked)
        return record.entries()[0]

    def test_success_and_an_errno_past_the_check_are_permission(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.attempt(monkeypatch, 0)["result"] == "succeeded"
        assert self.attempt(monkeypatch, errno.E2BIG)["result"] == "succeeded"

    def test_a_call_that_the_kernel_lacks_is_never_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for answer in (errno.ENOSYS, errno.EPERM):
            one = self.attempt(monkeypatch, answer, there=False)
            assert (one["result"], one["errno"]) == ("not tried", errno_name(answer))
        assert self.attempt(monkeypatch, errno.ENOSYS, there=None, filtered=False)["result"] == "not tried"

    def test_enosys_of_a_filter_is_told_from_the_kernels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "seccomp" in self.attempt(monkeypatch, errno.ENOSYS, there=True)["stopped_by"]
        one = self.attempt(monkeypatch, errno.ENOSYS, there=None)
        assert one["result"] == "not tried"
        assert "cannot be told apart" in one["evidence"]

    def test_a_control_call_tells_who_answered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seccomp = self.attempt(monkeypatch, errno.EPERM, control=errno.EPERM)
        assert seccomp["stopped_by"].startswith("seccomp profile")
        kernel = self.attempt(monkeypatch, errno.EPERM, control=errno.EINVAL)
        assert kernel["stopped_by"] == "CAP_BPF is not held"

    def test_without_one_it_is_not_claimed_to_be_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "cannot be seen" in self.attempt(monkeypatch, errno.EPERM)["stopped_by"]
        assert self.attempt(monkeypatch, errno.EPERM, held=True)["stopped_by"] == "seccomp profile"
        assert self.attempt(monkeypatch, errno.EPERM, filtered=False)["stopped_by"] == "CAP_BPF is not held"

    def test_an_errno_that_tells_nothing_is_no_defence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.attempt(monkeypatch, errno.EFAULT)["result"] == "not tried"

    def test_a_weak_symbol_is_a_call_that_was_left_out(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        table = tmp_path / "kallsyms"
        monkeypatch.setattr(syscalls, "KALLSYMS", str(table))
        assert syscalls.kernel_has("bpf") is None
        table.write_text("0 T __pfx___x64_sys_bpf\n0 T __x64_sys_bpf\n0 W __x64_sys_kexec_load\n0 T __x64_sys_bpfx\n")
        assert syscalls.kernel_has("bpf") is True
        assert syscalls.kernel_has("kexec_load") is False
        assert syscalls.kernel_has("keyctl") is None

    def test_the_tiny_program_is_an_elf_file_with_its_data_behind_the_code(self) -> None:
        made = syscalls.program(165, (b"none\0", b"/\0", 3))
        assert made[:4] == b"\x7fELF"
        entry_point = struct.unpack_from("<Q", made, 24)[0]
        assert made[entry_point - syscalls.BASE :][:10] == b"\x48\xb8" + struct.pack("<Q", 165)
        first = struct.unpack_from("<Q", made, entry_point - syscalls.BASE + 12)[0]
        assert made[first - syscalls.BASE :].startswith(b"none\0/\0")
        assert struct.unpack_from("<QQ", made, 64 + 32) == (len(made), len(made))


class TestAnswers:
    def test_headers_that_come_twice_are_both_kept(self) -> None:
        answer = Answer(b"HTTP/1.1 200 OK\r\nServer: Werkzeug/3\r\nserver: app\r\n\r\nbody", 0.1, True, "")
        assert answer.headers["server"] == "Werkzeug/3, app"
        assert (answer.status, answer.body) == (200, b"body")

    def test_every_answer_over_one_connection_is_seen(self) -> None:
        raw = b"HTTP/1.1 405 X\r\n\r\nxHTTP/1.1 404 X\r\n\r\n"
        assert Answer(raw, 0.1, False, "").statuses() == [405, 404]

    @pytest.mark.parametrize("raw", [b"", b"\0\xff", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"hello 200"])
    def test_what_is_no_http_has_no_status(self, raw: bytes) -> None:
        assert Answer(raw, 0.1, True, "").status == 0

    def test_a_request_with_a_body_has_its_length(self) -> None:
        assert request("POST", "/", body=b"abc").endswith(b"Content-Length: 3\r\n\r\nabc")


class TestBounds:
    INFO = {"MemTotal": 8 << 30}  # noqa: RUF012 - never changed

    def of(self, **host: Any) -> bounds.Bounds:
        return bounds.of({"HostConfig": host}, self.INFO)

    def test_a_declared_limit_is_gone_a_little_beyond(self) -> None:
        found = self.of(PidsLimit=300, Memory=600 << 20, NanoCpus=3e9, Ulimits=[{"Name": "nofile", "Hard": 8192}])
        assert found.ceilings.processes > 300
        assert found.ceilings.memory_bytes > 600 << 20
        assert found.ceilings.descriptors > 8192
        assert found.ceilings.busy_processes == 4
        assert not found.beyond

    def test_without_a_limit_the_harness_has_its_own(self) -> None:
        assert self.of(PidsLimit=None, Memory=0).ceilings == Ceilings()

    def test_a_limit_beyond_what_may_be_used_is_not_tried_and_no_pass(self) -> None:
        found = self.of(
            PidsLimit=100_000, Memory=64 << 30, Ulimits=[{"Name": "nofile", "Hard": 1 << 20}], NanoCpus=64e9
        )
        assert set(found.beyond) == {
            "fork-until-stopped", "allocate-until-stopped", "exhaust-descriptors", "burn-cpu"
        }  # fmt: skip
        assert found.ceilings == Ceilings()

    def test_no_more_than_a_part_of_a_small_machine_is_taken(self) -> None:
        small = bounds.of({"HostConfig": {}}, {"MemTotal": 1 << 30})
        assert small.ceilings.memory_bytes == 256 << 20

    def test_given_ceilings_stand(self) -> None:
        given = Ceilings(processes=5)
        assert bounds.of({"HostConfig": {"PidsLimit": 300}}, self.INFO, given).ceilings == given

    def test_a_quota_is_read_as_cores(self) -> None:
        assert bounds.cpu_limit({"CpuQuota": 50_000, "CpuPeriod": 100_000}) == 0.5
        assert bounds.cpu_limit({"CpuQuota": -1}) is None


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ({"Env": ["PATH=/", "PORT=8000"], "ExposedPorts": {"5000/tcp": {}}}, 8000),
        ({"Env": ["PORT=auto"], "ExposedPorts": {"53/udp": {}, "8080/tcp": {}}}, 8080),
        ({}, 5000),
    ],
)
def test_the_apps_port_is_what_the_image_says(config: dict[str, Any], port: int) -> None:
    assert app_of({"Config": config}).port == port
