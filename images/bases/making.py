"""A made base's root file system as a tar in the cache, under the hash of all that its making is told."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness import debian as packages
from harness.errors import Interrupted, SeatrialError
from harness.model import Model, Say
from harness.paths import cache_dir
from harness.process import call
from images import wheels
from images.bases import alpine, apt_sources, debian, distroless
from images.bases.recipes import FOLDER, BaseRecipe
from images.bases.rootfs import Rootfs

DAY_S = 86_400
KEPT_TARS = 2
"""How many tars of a base are kept: recipes change, and two clones may be at two of them."""
DEFAULT_SOURCES = ("mmdebstrap's own",)
"""Stands for the mirrors of a machine whose apt has none: asked for only when a base is really made."""


NOT_IN_THE_TAR = ("public", "differs", "config", "max_age_days", "registry_wheelhouse")
"""What a recipe says that changes nothing in the files."""


class MadeRecord(Model):
    """What is known of a made base's tar, beside it in the cache."""

    tar_sha256: str
    size_bytes: int
    wheelhouse_bytes: int
    made_at: float
    """Seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Making:
    """One base on one kind of machine: its tar, found in the cache or made.

    Args:
        recipe: how it is made.
        machine: as `uname -m` says.
        say: told in a line what takes time.
        cancel: once set, the programs that make it are stopped.

    """

    recipe: BaseRecipe
    machine: str
    say: Say
    cancel: threading.Event | None = None

    @property
    def tar(self) -> Path:
        """Where the tar lies, once it is made."""
        stem = f"{self.recipe.name}-{recipe_hash(self.recipe, self.machine)[:16]}"
        return cache_dir() / "bases" / f"{stem}.tar"

    def record(self) -> MadeRecord | None:
        """Return what is known of the tar, or None where it was never made here."""
        with suppress(OSError, UnicodeDecodeError, ValidationError):
            return MadeRecord.model_validate_json(self.tar.with_suffix(".json").read_text("utf-8"))
        return None

    def fresh_record(self, *, refresh: bool) -> MadeRecord:
        """Return the record of a tar that is no older than the recipe allows; it is made where there is none.

        Where a newer one cannot be made, the older one is used, and said to be.

        Raises:
            BuildFailed: it cannot be made, and there is no older one or `refresh` was asked for.
            ToolMissing: a program that makes it is missing and may not be installed.

        """
        old = self.record()
        limit = self.recipe.max_age_days
        age_days = (time.time() - old.made_at) / DAY_S if old else 0.0
        if old and not refresh and (limit is None or age_days <= limit):
            return old
        try:
            return self.make()
        except Interrupted:
            raise
        except SeatrialError as error:
            if old is None or refresh:
                raise
            self.say(f"The base {self.recipe.name} is {age_days:.0f} days old and cannot be made anew: {error.message}")
            return old

    def make(self) -> MadeRecord:
        """Make the tar and its record, and put them in place at once, for runs that go on beside this one.

        Raises:
            BuildFailed: it cannot be made.
            ToolMissing: a program that makes it is missing and may not be installed.

        """
        started = time.monotonic()
        self.say(f"Making the base {self.recipe.name}, the like of {self.recipe.public}, from packages")
        rootfs, wheelhouse_bytes = self._rootfs()
        tar = self.tar
        handle, name = tempfile.mkstemp(prefix=f".{tar.stem}-", dir=tar.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            digest = rootfs.write(temporary, newest=debian.newest(self.recipe))
            record = MadeRecord(
                tar_sha256=digest,
                size_bytes=temporary.stat().st_size,
                wheelhouse_bytes=wheelhouse_bytes,
                made_at=time.time(),
            )
            temporary.replace(tar)
        finally:
            temporary.unlink(missing_ok=True)
        note = tar.with_suffix(".json.new")
        note.write_text(record.model_dump_json(), "utf-8")
        note.replace(tar.with_suffix(".json"))
        _forget_old(tar.parent, self.recipe.name)
        self.say(f"Made the base {self.recipe.name} in {time.monotonic() - started:.0f} s")
        return record

    def _rootfs(self) -> tuple[Rootfs, int]:
        recipe = self.recipe
        tools, wheelhouse = self._wheels(recipe.tools), self._wheels(recipe.wheelhouse)
        if recipe.maker == "alpine":
            carriers = self._wheels(recipe.wheels, carriers=True)
            return alpine.make(recipe, carriers=carriers, tools=tools), 0
        sources = self.sources()
        if recipe.maker == "distroless":
            return distroless.make(recipe, sources=sources, cancel=self.cancel), 0
        settings = apt_sources.machine_settings(call(["apt-config", "dump"], timeout_s=30).stdout)
        rootfs = debian.make(
            recipe, sources=sources, settings=settings, tools=tools, wheelhouse=wheelhouse, cancel=self.cancel
        )
        return rootfs, debian.wheelhouse_bytes(wheelhouse) if wheelhouse else 0

    def _wheels(self, lock: str | None, *, carriers: bool = False) -> wheels.Wheelhouse | None:
        """Return the wheels of a lock beside the recipes, for the made base's Python; None where there is no lock.

        Wheels that only carry files say that they are for any Linux with glibc, whatever is inside.
        """
        if lock is None:
            return None
        recipe = self.recipe
        target = wheels.Target(
            python=recipe.python,
            libc="glibc" if carriers else recipe.libc,
            libc_minor=17 if carriers else recipe.libc_minor,
            machine=self.machine,
        )
        return wheels.fetch(FOLDER / lock, target, say=self.say, cancel=self.cancel)

    def sources(self) -> list[str]:
        """Return signed lines of sources.list, with all programs installed that are needed to use them.

        Raises:
            ToolMissing: one is missing and may not be installed.
            BuildFailed: no Debian mirror is known.

        """
        recipe = self.recipe
        for_mmdebstrap = debian.PACKAGES if os.geteuid() == 0 else debian.PACKAGES_WITHOUT_ROOT
        packages.ensure(for_mmdebstrap if recipe.maker == "debian" else distroless.PACKAGES, say=self.say)
        lines = machine_sources(recipe)
        if lines == DEFAULT_SOURCES:
            packages.ensure(for_mmdebstrap, say=self.say)
            lines = apt_sources.default_lines(recipe.suites)
        return [apt_sources.signed(line) for line in lines]


def recipe_hash(recipe: BaseRecipe, machine: str) -> str:
    """Return the hash of all that a making is told: recipe, locks, the code that makes it, mirrors, machine."""
    digest = hashlib.sha256(recipe.model_dump_json(exclude=set(NOT_IN_THE_TAR)).encode())
    makers = [FOLDER / f"{recipe.maker}.py", FOLDER / "rootfs.py", FOLDER / "pure_wheels.py"]
    for path in (*makers, *recipe.locks):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for line in (machine, *machine_sources(recipe)):
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def machine_sources(recipe: BaseRecipe) -> Sequence[str]:
    """Return the sources.list lines for a recipe's suites on this machine, or what stands for mmdebstrap's own."""
    if not recipe.suites:
        return ()
    mirrors = apt_sources.find_mirrors(apt_sources.read_machine())
    return apt_sources.lines_for(recipe.suites, mirrors) if mirrors else DEFAULT_SOURCES


def _forget_old(folder: Path, name: str) -> None:
    """Remove all but the newest tars of a base, and what interrupted makings of it left."""
    own = re.compile(rf"\.?{re.escape(name)}-[0-9a-f]{{16}}(?P<rest>.*)")
    tars = []
    for path in folder.iterdir():
        match = own.fullmatch(path.name)
        with suppress(OSError):
            if match and match["rest"] == ".tar":
                tars.append((path.stat().st_mtime, path))
            elif match and match["rest"].startswith("-") and time.time() - path.stat().st_mtime > DAY_S:
                path.unlink()
    for _, path in sorted(tars, reverse=True)[KEPT_TARS:]:
        with suppress(OSError):
            path.unlink()
            path.with_suffix(".json").unlink()
