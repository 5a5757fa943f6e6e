"""Alpine's package database is read whole, and cut down to what it is then true of."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import pytest

from harness.errors import BuildFailed
from images.bases import alpine
from images.bases.rootfs import Rootfs

# As apk-tools 3.0.8 writes it.
INSTALLED = """\
C:Q1aaa=
P:alpine-baselayout
V:3.7.2-r0
D:alpine-baselayout-data=3.7.2-r0 /bin/sh
F:
F:root
M:0:0:700
F:var
R:run
a:0:0:777
Z:Q17YsfxskJinWuZ3JoRSm9MMYXz1c=
F:var/empty
M:0:0:555

C:Q1bbb=
P:busybox
V:1.37.0-r30
p:cmd:busybox=1.37.0-r30
F:bin
R:busybox
a:0:0:755
Z:Q1AlKRzNY2tL5VHCUulI/O8Gf3f+Y=

C:Q1ccc=
P:busybox-binsh
V:1.37.0-r30
D:busybox=1.37.0-r30
p:/bin/sh cmd:sh=1.37.0-r30
F:bin
R:sh
a:0:0:777
Z:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=

C:Q1ddd=
P:ssl_client
V:1.37.0-r30
i:busybox=1.37.0-r30 libssl3
"""


def test_packages_and_their_files_are_read() -> None:
    found = alpine.parse_installed(INSTALLED)
    assert list(found) == ["alpine-baselayout", "busybox", "busybox-binsh", "ssl_client"]
    files = {file.path: file for file in found["alpine-baselayout"].files}
    assert list(files) == ["", "root", "var", "var/run", "var/empty"]
    assert (files["root"].folder, files["root"].mode, files["root"].owner) == (True, 0o700, (0, 0))
    assert files["var/empty"].mode == 0o555
    run = files["var/run"]
    assert (run.folder, run.mode) == (False, 0o777)
    assert run.sha1 == hashlib.sha1(b"../run", usedforsecurity=False).digest()
    assert (found["busybox"].version, found["busybox"].checksum) == ("1.37.0-r30", "Q1bbb=")


def test_a_database_that_is_none_is_refused() -> None:
    with pytest.raises(BuildFailed, match="without a name"):
        alpine.parse_installed("<html>sorry</html>")


def test_what_another_package_needs_is_not_in_the_world() -> None:
    chosen = list(alpine.parse_installed(INSTALLED).values())
    needed = alpine._needed_by_others(chosen)
    assert {"busybox", "busybox-binsh", "ssl_client"} <= needed
    assert "alpine-baselayout" not in needed


def test_added_users_are_taken_out_of_every_account_file() -> None:
    assert alpine.without_users(b"root:x:0:0:root:/root:/bin/sh\nq:x:1000:1000::/home/q:/bin/sh\n", {"q"}) == (
        b"root:x:0:0:root:/root:/bin/sh\n"
    )
    assert alpine.without_users(b"wheel:x:10:root,q\nq:x:1000:\nkvm:x:34:kvm\n", {"q"}) == (
        b"wheel:x:10:root\nkvm:x:34:kvm\n"
    )


def test_only_the_chosen_packages_scripts_are_kept() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("busybox-1.37.0-r30.Q1bbb=.trigger", "curl-8-r0.Q1eee=.post-install", "busybox-binsh-x"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    chosen = [alpine.parse_installed(INSTALLED)["busybox"]]
    kept = alpine.own_scripts(out.getvalue(), chosen)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(kept))) as tar:
        assert tar.getnames() == ["busybox-1.37.0-r30.Q1bbb=.trigger"]
    assert alpine.own_scripts(out.getvalue(), chosen) == kept


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("bin/python3.13", True),
        ("bin/pip", False),
        ("bin/ttyd", False),
        ("lib/python3.13/json/__init__.py", True),
        ("lib/python3.13/__pycache__/os.cpython-313.pyc", False),
        ("lib/python3.13/test/support.py", False),
        ("lib/python3.13/unittest/mock.py", True),
        ("lib/python3.13/site-packages/zmq/x.py", False),
        ("lib/python3.13/config-3.13-x86_64-linux-musl/libpython3.13.a", False),
        ("lib/python3.13/lib-dynload/_ctypes.cpython-313-x86_64-linux-musl.so", False),
        ("lib/python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-musl.so", True),
        ("include/python3.13/Python.h", True),
    ],
)
def test_of_the_wheels_python_only_what_works_and_belongs_is_taken(path: str, kept: bool) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(f"./{path}")
        info.uid, info.mode = 1000, 0o775
        tar.addfile(info, io.BytesIO())
    rootfs = Rootfs()
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        alpine.add_python(rootfs, tar)
    assert (f"usr/local/{path}" in rootfs) is kept
    if kept:
        info = rootfs.info(f"usr/local/{path}")
        assert (info.uid, info.mode) == (0, 0o755)
