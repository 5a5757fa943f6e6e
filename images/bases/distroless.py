"""The distroless base: Debian packages laid over one another without running anything, by the public image's own rules.

No shell, no package manager. Each package's control file is kept as `/var/lib/dpkg/status.d/PACKAGE`, which is where
scanners look for a distroless image's packages. Needs no root.
"""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Sequence
from pathlib import Path

from debian.arfile import ArError
from debian.debfile import DebError, DebFile

from harness.errors import BuildFailed, ToolFailed
from harness.process import call
from images.bases.apt_sources import temporary_folder
from images.bases.recipes import BaseRecipe
from images.bases.rootfs import Rootfs

PACKAGES = ("debian-archive-keyring",)
"""What this machine needs to make such a base."""
APT_TIMEOUT_S = 300.0
CERTIFICATES = "ca-certificates"
"""Its certificates are taken as one bundle; the package itself is not in the public image either."""
NONROOT = 65532
STATUS = "var/lib/dpkg/status.d"
ACCOUNTS = """root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
"""
GROUP = "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n"
NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\n"
OS_RELEASE = """PRETTY_NAME="Distroless (a stand-in made from Debian packages)"
NAME="Debian GNU/Linux"
ID="debian"
VERSION_ID="13"
VERSION="Debian GNU/Linux 13 (trixie)"
"""
LIBRARY_FOLDERS = ("usr/lib", "usr/lib64", "lib", "lib64", "etc/ld.so.conf")


def make(recipe: BaseRecipe, *, sources: Sequence[str], cancel: threading.Event | None = None) -> Rootfs:
    """Return the root file system of the distroless base.

    Args:
        recipe: the base, its packages complete: nothing is added for dependencies.
        sources: lines of sources.list for its suites.
        cancel: once set, apt is stopped.

    Raises:
        BuildFailed: a package cannot be had or read.

    """
    rootfs = Rootfs()
    with temporary_folder(recipe.name) as folder:
        debs = download([*recipe.packages, CERTIFICATES], sources=sources, folder=Path(folder), cancel=cancel)
        certificates = debs.pop(CERTIFICATES)
        for name in recipe.packages:
            add_package(rootfs, name, debs[name])
        rootfs.add_file("etc/ssl/certs/ca-certificates.crt", bundle(certificates), mode=0o555)
        add_users(rootfs)
        rootfs.add_file("usr/lib/os-release", OS_RELEASE.encode())
        rootfs.add_file("etc/nsswitch.conf", NSSWITCH.encode())
        for name in ("python", "python3"):
            rootfs.add_symlink(f"usr/bin/{name}", f"/usr/bin/python{recipe.python}")
        rootfs.add_file("etc/ld.so.cache", loader_cache(rootfs, Path(folder) / "root"))
    return rootfs


def download(
    packages: Sequence[str], *, sources: Sequence[str], folder: Path, cancel: threading.Event | None = None
) -> dict[str, Path]:
    """Download packages, and nothing for their dependencies, with a package list of their own: name -> file.

    apt checks the list's signature and each file's hash. This machine's own package lists are not touched.

    Raises:
        BuildFailed: apt failed, or a package is missing.

    """
    for each in ("lists/partial", "archives/partial", "debs", "parts"):
        (folder / each).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text("".join(f"{line}\n" for line in sources), "utf-8")
    options = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "parts",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Acquire::Languages": "none",
        "APT::Update::Post-Invoke": "",
        "APT::Update::Error-Mode": "any",
    }
    command = ["apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    try:
        for words in (["update"], ["download", *packages]):
            argv = [*command, *words]
            call(argv, timeout_s=APT_TIMEOUT_S, env={"LC_ALL": "C.UTF-8"}, cwd=folder / "debs", cancel=cancel)
    except ToolFailed as error:
        raise BuildFailed(
            f"Packages for a base cannot be downloaded.\n{error.message}",
            "Does this machine's Debian mirror have the suites, and its debian-archive-keyring the keys?",
        ) from error
    found = {path.name.partition("_")[0]: path for path in (folder / "debs").glob("*.deb")}
    if missing := [name for name in packages if name not in found]:
        raise BuildFailed(f"apt did not download {', '.join(missing)}.")
    return found


def add_package(rootfs: Rootfs, name: str, deb: Path) -> None:
    """Lay a package's files over what is there, and keep its control file and checksums as distroless does.

    Raises:
        BuildFailed: the file is no Debian package, or is packed in a way that cannot be read here.

    """
    try:
        with deb.open("rb") as stream:
            package = DebFile(fileobj=stream)
            rootfs.add_tar(package.data.tgz())
            rootfs.add_file(f"{STATUS}/{name}", _bytes(package.control.get_content("control")))
            if package.control.has_file("md5sums"):
                rootfs.add_file(f"{STATUS}/{name}.md5sums", _bytes(package.control.get_content("md5sums")))
    except (ArError, DebError, OSError, tarfile.TarError) as error:
        raise BuildFailed(f"The package {deb.name} cannot be read: {error}") from error


def bundle(deb: Path) -> bytes:
    """Return all certificates of the ca-certificates package as one file.

    Raises:
        BuildFailed: the package cannot be read.

    """
    files = Rootfs()
    add_package(files, CERTIFICATES, deb)
    return b"".join(
        files.read(path).rstrip(b"\n") + b"\n"
        for path in files
        if path.startswith("usr/share/ca-certificates/") and path.endswith(".crt")
    )


def add_users(rootfs: Rootfs) -> None:
    """Give it the users, groups and homes of the public image, and a /tmp."""
    rootfs.add_file("etc/passwd", ACCOUNTS.encode())
    rootfs.add_file("etc/group", GROUP.encode())
    rootfs.add_dir("root", mode=0o700)
    rootfs.add_dir("home")
    rootfs.add_dir("home/nonroot", mode=0o700, owner=(NONROOT, NONROOT))
    rootfs.add_dir("tmp", mode=0o1777)


def loader_cache(rootfs: Rootfs, folder: Path) -> bytes:
    """Return the ld.so.cache of a root file system, made outside of it by its own (statically linked) ldconfig.

    Raises:
        BuildFailed: its ldconfig does not run here.

    """
    for path in rootfs:
        info = rootfs.info(path)
        to = folder / path
        if not path.startswith(LIBRARY_FOLDERS) or info.isdir():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        if info.issym():
            to.symlink_to(info.linkname)
        elif ".so" in to.name or path.startswith("etc/"):
            to.write_bytes(rootfs.read(path))
    ldconfig = folder.with_name("ldconfig")
    ldconfig.write_bytes(rootfs.read("usr/sbin/ldconfig"))
    ldconfig.chmod(0o755)
    try:
        call([ldconfig, "-r", str(folder), "-X", "-f", "/etc/ld.so.conf", "-C", "/etc/ld.so.cache"], timeout_s=60)
        return (folder / "etc/ld.so.cache").read_bytes()
    except (ToolFailed, OSError) as error:
        raise BuildFailed(f"The distroless base's loader cache could not be made: {error}") from error


def _bytes(content: str | bytes | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""
