"""The merged file system of an image: whiteouts, links, contents, waste; and archives that no honest engine writes."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from harness.errors import UnreadableOutput
from security import archive, file_system, secrets
from security.file_system import read_file_system
from security.subjects import Entry, FileSystem
from tests.image_archives import file, folder, layer, save, special


def read(path: Path) -> FileSystem:
    with archive.opened(path) as opened:
        return read_file_system(opened, inspect=secrets.kinds_in)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., FileSystem]:
    return lambda *layers: read(save(tmp_path / "image.tar", layers))


# --- what an honest image says ---


def test_a_later_layer_replaces_a_file(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("a", b"one", mode=0o4755)), layer(file("a", b"three", mode=0o755)))
    assert files.entries["a"] == Entry("a", mode=0o755, size_bytes=5, layer=1)


def test_a_whiteout_takes_a_file_away(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("d/a"), file("d/ab")), layer(file("d/.wh.a")))
    assert set(files.entries) == {"d/ab"}


def test_a_whiteout_takes_a_folder_and_all_in_it_away(made: Callable[..., FileSystem]) -> None:
    files = made(layer(folder("d"), file("d/a"), file("d/e/b"), file("dd")), layer(file(".wh.d")))
    assert set(files.entries) == {"dd"}


def test_an_opaque_folder_hides_what_is_below_and_keeps_its_own(made: Callable[..., FileSystem]) -> None:
    files = made(layer(folder("d"), file("d/old")), layer(folder("d"), file("d/new"), file("d/.wh..wh..opq")))
    assert set(files.entries) == {"d", "d/new"}


def test_a_whiteout_does_not_touch_its_own_layer(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("a", b"old")), layer(file("a", b"newer"), file(".wh.a")))
    assert files.entries["a"].size_bytes == 5


def test_a_file_in_place_of_a_folder_removes_what_was_in_it(made: Callable[..., FileSystem]) -> None:
    files = made(layer(folder("d"), file("d/a")), layer(special("d", tarfile.SYMTYPE, target="/e")))
    assert set(files.entries) == {"d"}


def test_modes_owners_kinds_and_capabilities_are_read(made: Callable[..., FileSystem]) -> None:
    files = made(
        layer(
            file("./usr/bin/su", b"x", mode=0o4755, uid=7),
            file("/usr/bin/ping", b"x", pax={"SCHILY.xattr.security.capability": "\1"}),
            special("dev/sda", tarfile.BLKTYPE),
            special("hard", tarfile.LNKTYPE, target="usr/bin/su", mode=0o4755),
        )
    )
    assert files.entries["usr/bin/su"].setuid_or_setgid
    assert files.entries["usr/bin/su"].uid == 7
    assert files.entries["usr/bin/ping"].capabilities
    assert files.entries["dev/sda"].kind == "device"
    assert files.entries["hard"].setuid_or_setgid


def test_account_files_are_kept_and_follow_links(made: Callable[..., FileSystem]) -> None:
    files = made(
        layer(
            special("etc", tarfile.SYMTYPE, target="usr/etc"),
            file("etc/passwd", b"no"),
            file("usr/etc/passwd", b"lost"),
        ),
        layer(file("etc/shadow", b"root::1::::::\n")),
        layer(special("etc/group", tarfile.LNKTYPE, target="etc/shadow")),
    )
    assert files.contents["etc/shadow"] == b"root::1::::::\n"


def test_a_removed_account_file_leaves_no_content(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("etc/passwd", b"root:x:0:0\n")), layer(file("etc/.wh.passwd")))
    assert files.text("/etc/passwd") is None


def test_what_layers_waste_is_counted_by_path(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("a", b"x" * 100), file("b", b"x" * 10)), layer(file("a", b"x" * 60)), layer(file(".wh.b")))
    assert (files.least_bytes, files.discovered_bytes) == (60, 170)
    assert [(one.path, one.bytes) for one in files.wasted] == [("a", 100), ("b", 10)]


def test_a_secret_in_a_deleted_file_is_found_without_its_value(made: Callable[..., FileSystem]) -> None:
    token = b"ghp_" + b"a1B2c3D4e5F6" * 3
    files = made(layer(file("root/.config", b"token = " + token + b"\n")), layer(file("root/.wh..config")))
    (hit,) = files.secrets
    assert (hit.where, hit.kind, hit.layer, hit.deleted) == ("root/.config", "GitHub token", 0, True)
    assert token.decode() not in repr(files)


TOKEN = b"ghp_" + b"a1B2c3D4e5F6" * 3


@pytest.mark.parametrize("at", [0, file_system.PIECE_BYTES - 20, 2_500_000], ids=["begin", "between pieces", "end"])
def test_a_secret_in_a_large_file_is_found(made: Callable[..., FileSystem], at: int) -> None:
    text = b"a line of a log\n" * 160_000
    files = made(layer(file("app/log", text[:at] + b"\ntoken = " + TOKEN + b"\n" + text[at:])))
    assert [(hit.where, hit.kind) for hit in files.secrets] == [("app/log", "GitHub token")]
    assert files.not_searched == ()


def test_what_is_too_large_to_be_searched_is_named(
    made: Callable[..., FileSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_system, "MAX_LARGE_BYTES", 3_000_000)
    text = b"a line of a log\n" * 125_000
    files = made(layer(file("lib", b"\x7fELF" + text)), layer(file("a", text)), layer(file("b", text), file("c")))
    assert files.not_searched == ("/b in layer 2",)
    assert "c" in files.entries, "the reader goes on behind it"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_compressed_layer_is_read_as_what_it_holds(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    plain = layer(file("a", b"hello"), file("b"))
    assert set(read(save(tmp_path / "i.tar", [plain], stored=[pack(plain)])).entries) == {"a", "b"}


def test_a_layer_that_is_a_link_to_an_equal_one_is_read(tmp_path: Path) -> None:
    one = layer(file("a"))
    path = save(tmp_path / "i.tar", [one, one], links={"1/layer.tar": "../0/layer.tar"})
    assert set(read(path).entries) == {"a"}


def test_an_empty_layer_is_no_error(made: Callable[..., FileSystem]) -> None:
    assert made(layer(), b"", layer(file("a"))).entries.keys() == {"a"}


# --- links, resolved inside the image ---


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/bin/sh", "usr/bin/dash"),
        ("bin/../bin/sh", "usr/bin/dash"),
        ("/../../bin/sh", "usr/bin/dash"),
        ("/loop", None),
        ("/self/x", None),
        ("/out", "etc"),
        ("/nowhere", None),
    ],
)
def test_links_are_followed_within_the_root(path: str, found: str | None) -> None:
    files = FileSystem.of(
        Entry("bin", "symlink", target="usr/bin"),
        Entry("usr/bin", "directory"),
        Entry("usr/bin/sh", "symlink", target="dash"),
        Entry("usr/bin/dash", mode=0o755),
        Entry("loop", "symlink", target="loop2"),
        Entry("loop2", "symlink", target="/loop"),
        Entry("self", "symlink", target="self/self"),
        Entry("etc", "directory"),
        Entry("out", "symlink", target="../../../etc"),
    )
    entry = files.resolve(path)
    assert (entry.path if entry else None) == found


# --- archives that lie ---


def test_names_that_lead_out_of_the_root_are_told_and_left_out(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("../../etc/passwd", b"x"), file("a/../../b"), file("ok")))
    assert set(files.entries) == {"ok"}
    assert len(files.oddities) == 2
    assert "layer 0" in files.oddities[0]


def test_names_that_are_no_text_become_printable(made: Callable[..., FileSystem]) -> None:
    files = made(layer(file("bad\udcff\x1b[31m\n\u202ename")))
    (name,) = files.entries
    assert name.isprintable()
    name.encode()


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    made_in = tmp_path / "in"
    made_in.mkdir()
    evil = layer(
        file("../escaped", b"x"),
        special("link", tarfile.SYMTYPE, target="/etc"),
        file("link/escaped", b"x"),
        special("dev/null", tarfile.CHRTYPE),
    )
    read(save(made_in / "i.tar", [evil]))
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "i.tar"]


def test_too_many_entries_are_refused(made: Callable[..., FileSystem], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("security.file_system.MAX_ENTRIES", 10)
    with pytest.raises(UnreadableOutput, match="more than 10"):
        made(layer(*(file(f"{number}") for number in range(6))), layer(*(file(f"{number}") for number in range(6))))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_decompression_bomb_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("security.layer_stream.FREE_EXPANSION_BYTES", 1 << 20)
    plain = layer(file("zeros", b"\0" * (64 << 20)))
    with pytest.raises(UnreadableOutput, match="bomb"):
        read(save(tmp_path / "i.tar", [plain], stored=[pack(plain)]))


def _pax(record: bytes) -> bytes:
    """A pax header block whose record is taken as it is, then a file."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    padding = b"\0" * (-len(record) % 512)
    return info.tobuf(tarfile.USTAR_FORMAT) + record + padding + layer(file("a", b"x"))


def _with_size(field: bytes) -> bytes:
    raw = bytearray(layer(file("a", b"x"), file("b", b"y")))
    raw[124:136] = field
    raw[148:156] = b"        "
    raw[148:156] = f"{sum(raw[:512]):06o}\0 ".encode()
    return bytes(raw)


GOOD = layer(file("a", b"x" * 2000), file("b", b"y"))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(GOOD[:600], id="cut short in a file"),
        pytest.param(GOOD[:1300], id="cut short before a header"),
        pytest.param(GOOD[:2560] + b"\xff" * 512 + GOOD[3072:], id="a broken header in the middle"),
        pytest.param(b"\xff" * 1024, id="no tar at all"),
        pytest.param(_with_size(b"77777777777\0"), id="a size beyond the end"),
        pytest.param(_with_size(b"\xff" * 12), id="a negative size"),
        pytest.param(_with_size(b"\x80" + b"\x7f" * 11), id="an enormous size"),
        pytest.param(_pax(b"28 size=9999999999999999999\n"), id="an enormous size in a pax header"),
        pytest.param(_pax(b"12 size=-99\n"), id="a negative size in a pax header"),
        pytest.param(b"".join([_pax(b"")[:512]] * 3000), id="headers of headers without end"),
        pytest.param(gzip.compress(GOOD)[:-20], id="a compressed stream cut short"),
        pytest.param(b"\x1f\x8b" + b"\0" * 600, id="a compressed stream that is none"),
    ],
)
def test_a_damaged_layer_is_a_clear_error(tmp_path: Path, raw: bytes) -> None:
    path = save(tmp_path / "i.tar", [raw])
    with pytest.raises(UnreadableOutput, match="archive cannot be read"):
        read(path)


def test_a_layer_with_another_content_than_promised_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "i.tar", [layer(file("a"))], stored=[layer(file("b"))])
    with pytest.raises(UnreadableOutput, match="digest promises"):
        read(path)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        pytest.param([], "one image", id="no image"),
        pytest.param([{}, {}], "one image", id="two images"),
        pytest.param({"Config": "a"}, "one image", id="no list"),
        pytest.param([{"Config": 3, "Layers": []}], "no configuration", id="a number for a name"),
        pytest.param([{"Config": "gone.json", "Layers": []}], "is not in it", id="a configuration that is not there"),
        pytest.param(
            [{"Config": "manifest.json", "Layers": ["0/layer.tar"]}], "lists no layers", id="another document"
        ),
        pytest.param(
            [{"Config": "0/layer.tar", "Layers": ["0/layer.tar"]}], "not JSON", id="a layer for the configuration"
        ),
    ],
)
def test_a_lying_manifest_is_a_clear_error(tmp_path: Path, manifest: object, said: str) -> None:
    with pytest.raises(UnreadableOutput, match=said):
        read(save(tmp_path / "i.tar", [layer(file("a"))], manifest=manifest))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param({"rootfs": {"diff_ids": []}}, "counts 0", id="fewer layers than there are"),
        pytest.param({"rootfs": {"diff_ids": [3]}}, "lists no layers", id="digests that are none"),
        pytest.param({"rootfs": None}, "lists no layers", id="no layers"),
    ],
)
def test_a_lying_configuration_is_a_clear_error(tmp_path: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(UnreadableOutput, match=said):
        read(save(tmp_path / "i.tar", [layer(file("a"))], config=config))


def test_a_configuration_under_another_name_than_its_digest_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "i.tar", [layer(file("a"))])
    path.write_bytes(path.read_bytes().replace(b"amd64", b"arm64"))
    with pytest.raises(UnreadableOutput, match="its name promises"):
        read(path)


def test_links_in_the_archive_that_go_round_are_an_error(tmp_path: Path) -> None:
    path = save(
        tmp_path / "i.tar", [layer(file("a"))], links={"0/layer.tar": "../1/layer.tar", "1/layer.tar": "../0/layer.tar"}
    )
    with pytest.raises(UnreadableOutput, match="is not in it"):
        read(path)


@pytest.mark.parametrize("keep", [0, 100, 700, 3000, -2000])
def test_an_archive_cut_short_is_a_clear_error(tmp_path: Path, keep: int) -> None:
    path = save(tmp_path / "i.tar", [layer(file("a", b"x" * 4000))])
    path.write_bytes(path.read_bytes()[:keep] if keep >= 0 else path.read_bytes()[: len(path.read_bytes()) // 2])
    with pytest.raises(UnreadableOutput):
        read(path)


def test_an_account_file_too_large_to_be_true_is_an_error(
    made: Callable[..., FileSystem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("security.file_system.MAX_KEPT_BYTES", 1000)
    with pytest.raises(UnreadableOutput, match="too large"):
        made(layer(file("etc/passwd", b"x" * 2000)))


def test_a_sparse_file_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    data = b"1\n0\n5\n".ljust(512, b"\0") + b"hello"
    info, _ = file("etc/passwd", data)
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "etc/passwd",
        "GNU.sparse.realsize": str(1 << 50),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(data))
    files = read(save(tmp_path / "i.tar", [buffer.getvalue()]))
    assert "etc/passwd" not in files.contents
    assert files.not_searched == ("/etc/passwd in layer 0",)
