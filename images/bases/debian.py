"""Debian bases by mmdebstrap: a minimal system with Python, as the public slim images are, and pip beside it."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Sequence
from pathlib import Path

from harness.errors import BuildFailed, ToolFailed
from harness.process import call
from images.bases import pure_wheels
from images.bases.apt_sources import temporary_folder, without_password
from images.bases.recipes import BaseRecipe
from images.bases.rootfs import Rootfs
from images.wheels import Wheelhouse

PACKAGES = ("mmdebstrap", "debian-archive-keyring")
"""What this machine needs to make such a base."""
PACKAGES_WITHOUT_ROOT = (*PACKAGES, "uidmap")
"""What it needs where this user is not root: mmdebstrap then works in a user namespace."""
MAKE_TIMEOUT_S = 900.0
WHEELHOUSE = "opt/wheelhouse"
PIP_CONF = f"[global]\nno-index = true\nfind-links = /{WHEELHOUSE}\n"
DPKG_EXCLUDES = (
    # The public slim images leave these out too, and keep the copyright files.
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/groff/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/linda/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
    # The public images' Python may be installed into with pip.
    "path-exclude=/usr/lib/python3*/EXTERNALLY-MANAGED",
)
LEFT_OUT = (
    # This machine's own, or different with every making.
    "etc/hostname",
    "etc/resolv.conf",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "var/cache/ldconfig/aux-cache",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat-old",
    "var/lib/apt/extended_states.tmp",
    "var/lib/dpkg/status-old",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/statoverride-old",
)


def make(
    recipe: BaseRecipe,
    *,
    sources: Sequence[str],
    settings: Sequence[str],
    tools: Wheelhouse | None,
    wheelhouse: Wheelhouse | None,
    cancel: threading.Event | None = None,
) -> Rootfs:
    """Return the root file system of a Debian base.

    Args:
        recipe: the base.
        sources: lines of sources.list for its suites.
        settings: apt options that reaching the mirrors needs on this machine.
        tools: pure wheels that are installed beside the packages.
        wheelhouse: wheels that lie in the image for an offline `pip install`.
        cancel: once set, mmdebstrap is stopped.

    Raises:
        BuildFailed: mmdebstrap failed.

    """
    rootfs = Rootfs()
    with temporary_folder(recipe.name) as folder:
        archive = Path(folder) / "rootfs.tar"
        _mmdebstrap(recipe, sources, settings, archive, cancel)
        with tarfile.open(archive) as tar:
            rootfs.add_tar(tar, keep=_kept)
    _settle(rootfs, sources)
    _like_the_public_python(rootfs, recipe, tools)
    if wheelhouse is not None:
        add_wheelhouse(rootfs, wheelhouse)
    return rootfs


def add_wheelhouse(rootfs: Rootfs, wheelhouse: Wheelhouse) -> None:
    """Lay wheels into an image, and a pip.conf by which pip takes them and asks no index."""
    for path in wheelhouse.files:
        rootfs.add_file(f"{WHEELHOUSE}/{path.name}", path.read_bytes())
    rootfs.add_file("etc/pip.conf", PIP_CONF.encode())


def wheelhouse_bytes(wheelhouse: Wheelhouse) -> int:
    """Return how many bytes `add_wheelhouse` lays into an image."""
    return wheelhouse.size_bytes + len(PIP_CONF)


def _mmdebstrap(
    recipe: BaseRecipe,
    sources: Sequence[str],
    settings: Sequence[str],
    archive: Path,
    cancel: threading.Event | None,
) -> None:
    sources_list = archive.with_name("sources.list")
    sources_list.write_text("".join(f"{line}\n" for line in sources), "utf-8")
    options = ["--variant=minbase", f"--include={','.join(recipe.packages)}"]
    options += [word for each in settings for word in ("--aptopt", each)]
    options += [word for each in (*DPKG_EXCLUDES, "force-unsafe-io") for word in ("--dpkgopt", each)]
    try:
        call(
            ["mmdebstrap", *options, recipe.suites[0], archive, sources_list],
            timeout_s=MAKE_TIMEOUT_S,
            # Its own folder goes where this one goes, so that a killed one leaves nothing.
            env={
                "SOURCE_DATE_EPOCH": str(newest(recipe) or 0),
                "LC_ALL": "C.UTF-8",
                "TMPDIR": str(archive.parent),
            },
            cancel=cancel,
        )
    except ToolFailed as error:
        raise BuildFailed(
            f"The base {recipe.name} could not be made by mmdebstrap.\n{error.message}",
            f"Does this machine's Debian mirror have {recipe.suites[0]}, and its debian-archive-keyring the keys? "
            "Without root, mmdebstrap needs `uidmap` and user namespaces. `--bases registry` needs none of it.",
        ) from error


def newest(recipe: BaseRecipe) -> int | None:
    """Return the recipe's newest time stamp, in seconds since 1970."""
    return int(recipe.epoch.timestamp()) if recipe.epoch else None


def _kept(path: str) -> bool:
    if path.startswith(("dev/", "proc/", "sys/", "tmp/", "var/lib/apt/lists/", "var/cache/apt/", "var/log/apt/")):
        return False
    # The public images carry no bytecode of the standard library either.
    return path not in LEFT_OUT and "/__pycache__" not in path and not path.endswith(".pyc")


def _settle(rootfs: Rootfs, sources: Sequence[str]) -> None:
    """Write what depends on this machine anew."""
    for log in [path for path in rootfs if path.startswith("var/log/") and rootfs.info(path).isreg()]:
        info = rootfs.info(log)
        rootfs.add_file(log, b"", mode=info.mode, owner=(info.uid, info.gid))
    rootfs.add_file("etc/apt/sources.list", "".join(f"{without_password(line)}\n" for line in sources).encode())
    rootfs.add_file("etc/dpkg/dpkg.cfg.d/slim", "".join(f"{line}\n" for line in DPKG_EXCLUDES).encode())
    for folder in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        rootfs.add_dir(folder)
    if "etc/machine-id" in rootfs:
        rootfs.add_file("etc/machine-id", b"")


def _like_the_public_python(rootfs: Rootfs, recipe: BaseRecipe, tools: Wheelhouse | None) -> None:
    """Give the names that the public image has in /usr/local/bin, and its pip."""
    for name in ("python", "python3", f"python{recipe.python}"):
        rootfs.add_symlink(f"usr/local/bin/{name}", f"/usr/bin/python{recipe.python}")
    site = f"usr/local/lib/python{recipe.python}/dist-packages"
    for wheel in tools.files if tools else ():
        python = f"/usr/local/bin/python{recipe.python}"
        pure_wheels.install(rootfs, wheel, site=site, scripts="usr/local/bin", python=python, version=recipe.python)
