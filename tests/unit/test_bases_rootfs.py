"""A root file system in memory becomes the same tar whatever order it was put together in, and a right one."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.errors import BuildFailed
from images.bases import pure_wheels
from images.bases.rootfs import Rootfs, clean


def archive(*members: tuple[str, bytes, str]) -> tarfile.TarFile:
    """Return a tar of (name, type, content or link's target)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime, info.uid = kind, 0o4755, 2_000_000_000, 7
            info.uname = "somebody"
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content.encode()))
            else:
                info.linkname = content
                tar.addfile(info)
    out.seek(0)
    return tarfile.open(fileobj=out)


def written(rootfs: Rootfs, path: Path, newest: int | None = None) -> dict[str, tarfile.TarInfo]:
    digest = rootfs.write(path, newest=newest)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    with tarfile.open(path) as tar:
        return {member.name: member for member in tar}


def test_the_same_files_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = Rootfs(), Rootfs()
    one.add_file("b/x", b"1")
    one.add_symlink("a", "b")
    two.add_symlink("a", "b")
    two.add_file("/b/x", b"1")
    assert one.write(tmp_path / "one") == two.write(tmp_path / "two")
    assert one.to_bytes() == (tmp_path / "two").read_bytes()


def test_owners_modes_and_links_are_kept_and_device_files_are_not(tmp_path: Path) -> None:
    rootfs = Rootfs()
    rootfs.add_tar(
        archive(
            ("./usr/bin/su", tarfile.REGTYPE, "su"),
            ("./usr/aaa", tarfile.LNKTYPE, "./usr/bin/su"),
            ("./dev/null", tarfile.CHRTYPE, ""),
            ("./bin", tarfile.SYMTYPE, "usr/bin"),
        )
    )
    found = written(rootfs, tmp_path / "tar", newest=1_000_000_000)
    assert "dev/null" not in found
    su = found["usr/bin/su"]
    assert (su.mode, su.uid, su.uname, su.mtime) == (0o4755, 7, "", 1_000_000_000)
    assert found["bin"].issym()
    assert list(found)[-1] == "usr/aaa", "hard links come last"
    assert rootfs.read("usr/aaa") == b"su"


def test_a_packages_folder_does_not_replace_the_link_to_it() -> None:
    rootfs = Rootfs()
    rootfs.add_symlink("lib", "usr/lib")
    rootfs.add_tar(archive(("./lib", tarfile.DIRTYPE, "")))
    assert rootfs.info("lib").issym()


def test_removing_takes_what_is_below_and_nothing_beside() -> None:
    rootfs = Rootfs()
    for path in ("a/b/c", "a/bc"):
        rootfs.add_file(path, b"")
    rootfs.remove("a/b")
    assert list(rootfs) == ["a", "a/bc"]


@pytest.mark.parametrize("name", ["./a/b", "/a/b", "a/b/", "a/b"])
def test_names_are_kept_in_one_form(name: str) -> None:
    assert clean(name) == "a/b"
    assert clean(".") == clean("./") == clean("/") == ""


def wheel(path: Path, *, pure: bool = True, extra: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("pip/__init__.py", "x = 1\n")
        new.writestr("pip-1.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: {str(pure).lower()}\n")
        new.writestr(
            "pip-1.dist-info/entry_points.txt", "[console_scripts]\npip = pip.main:main\npip3 = pip.main:main\n"
        )
        new.writestr("pip-1.dist-info/RECORD", "stale")
        if extra:
            new.writestr(extra, "")
    return path


def install(rootfs: Rootfs, path: Path) -> None:
    pure_wheels.install(
        rootfs, path, site="usr/lib/py", scripts="usr/bin", python="/usr/bin/python3.13", version="3.13"
    )


def test_a_wheel_is_installed_with_scripts_and_a_true_record(tmp_path: Path) -> None:
    rootfs = Rootfs()
    install(rootfs, wheel(tmp_path / "pip-1-py3-none-any.whl"))
    assert {p for p in rootfs if p.startswith("usr/bin/")} == {"usr/bin/pip", "usr/bin/pip3", "usr/bin/pip3.13"}
    script = rootfs.read("usr/bin/pip").decode()
    assert script.startswith("#!/usr/bin/python3.13\n")
    compile(script, "pip", "exec")
    assert rootfs.info("usr/bin/pip").mode == 0o755
    record = rootfs.read("usr/lib/py/pip-1.dist-info/RECORD").decode().splitlines()
    files = {line.split(",")[0] for line in record}
    assert files == {
        "pip/__init__.py",
        "pip-1.dist-info/WHEEL",
        "pip-1.dist-info/entry_points.txt",
        "pip-1.dist-info/INSTALLER",
        "pip-1.dist-info/RECORD",
        "../../../usr/bin/pip",
        "../../../usr/bin/pip3",
        "../../../usr/bin/pip3.13",
    }
    assert "pip/__init__.py,sha256=nia_NpkRxFwkPGhBR7I_yeHc_PJX0pmhxjIBam_NM_Q,6" in record


@pytest.mark.parametrize(
    ("pure", "extra"), [(False, ""), (True, "../evil.py"), (True, "pip-1.data/scripts/x")], ids=["binary", "up", "data"]
)
def test_a_wheel_that_is_more_than_pure_python_is_refused(tmp_path: Path, pure: bool, extra: str) -> None:
    with pytest.raises(BuildFailed):
        install(Rootfs(), wheel(tmp_path / "pip-1-py3-none-any.whl", pure=pure, extra=extra))
