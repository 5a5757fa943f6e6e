"""A private root for apt: the indexes of one Debian release, fetched and verified by the machine's own apt."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from harness.debian_sources import KEYRING, Mirrors
from harness.errors import ToolFailed, UnreadableOutput
from harness.locks import waiting_lock
from harness.process import call

UPDATE_TIMEOUT_S = 300.0
RETRY_AFTER_S = 600.0
DOWNLOAD_TIMEOUT_S = 600.0
APT_HELPER = Path("/usr/lib/apt/apt-helper")
HINT = "The Debian source needs apt: package apt, on Debian or Ubuntu."
QUIET = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
WORD = re.compile(r"[a-z0-9][a-z0-9+.-]*")


@dataclass(frozen=True, kw_only=True)
class IndexFile:
    """One index of binary packages that apt has fetched."""

    path: Path
    suite: str
    address: str
    """Of the archive that it is from; the paths in the index count from there."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file to fetch, with the hash that a signed index gives for it."""

    address: str
    target: Path
    sha256: str


class AptRoot:
    """The indexes of one release and architecture, in a folder of their own.

    Nothing of the machine's own apt is changed; its settings (proxies, timeouts) hold here as well.

    Args:
        folder: where everything is kept.
        codename: the release.
        architecture: Debian's name of it.
        mirrors: the archives.
        expired_ok: take indexes whose validity has run out, as those of a release past its end of life have.

    """

    def __init__(
        self, folder: Path, *, codename: str, architecture: str, mirrors: Mirrors, expired_ok: bool = False
    ) -> None:
        if not WORD.fullmatch(codename) or not WORD.fullmatch(architecture):
            raise UnreadableOutput(f"{codename!r} for {architecture!r} is no release of Debian.")
        self.folder = folder
        self.codename = codename
        self._architecture = architecture
        self._mirrors = mirrors
        self._expired_ok = expired_ok

    @property
    def suites(self) -> tuple[str, str, str]:
        """The main, updates and security suites."""
        # Debian renamed its security suites with Debian 11.
        security = f"{self.codename}/updates" if self.codename in ("buster", "stretch", "jessie") else ""
        return self.codename, f"{self.codename}-updates", security or f"{self.codename}-security"

    def update(self, *, older_than_s: float, say: Callable[[str], None]) -> str | None:
        """Fetch the indexes of all suites, where those here are too old.

        Args:
            older_than_s: age in seconds up to which what is here is good enough.
            say: told in one line what is being fetched.

        Returns:
            What went wrong, where something could not be fetched; None otherwise.

        Raises:
            ToolMissing: this machine has no apt.

        """
        stamp, trouble = self.folder / "updated", self.folder / "problem"
        with waiting_lock(self.folder / "lock"):
            known = self._sources_list.read_text("utf-8") if self._sources_list.exists() else ""
            if known == self._sources():
                if _younger(stamp, older_than_s):
                    return None
                # Images that are scanned one after the other need not all wait for a mirror that does not answer.
                if _younger(trouble, RETRY_AFTER_S):
                    return trouble.read_text("utf-8")
            say(f"Fetching Debian's package lists for {self.codename}")
            self._write()
            problem = self._fetch_lists()
            if problem is None:
                trouble.unlink(missing_ok=True)
                stamp.touch()
            else:
                # What came before is still there, and some of it may be new.
                trouble.write_text(problem, "utf-8")
            return problem

    def _fetch_lists(self) -> str | None:
        argv: list[str | Path] = ["apt-get", "-q", "-c", self._conf, "update"]
        try:
            said = call(argv, timeout_s=UPDATE_TIMEOUT_S, env=QUIET, hint=HINT).stderr
        except ToolFailed as error:
            said = error.message
            if "E: " not in said:
                return without_secrets(said)
        finally:
            (self.folder / "indexes").unlink(missing_ok=True)
        # apt ends with code 0 where a mirror could not be reached, and only warns.
        lines = [line.strip() for line in said.splitlines()]
        failed = [line[3:] for line in lines if line.startswith(("E: ", "W: Failed to fetch"))]
        return without_secrets("; ".join(failed)) if failed else None

    def indexes(self) -> tuple[IndexFile, ...]:
        """Return the indexes that are here.

        Raises:
            SeatrialError: apt is missing, or fails.

        """
        known = self.folder / "indexes"
        text = known.read_text("utf-8") if known.exists() else self._ask_for_indexes()
        found = []
        for line in text.splitlines():
            name, suite, address, kind = [*line.split("\t"), "", "", ""][:4]
            if Path(name).is_file() and kind == "Packages":
                found.append(IndexFile(path=Path(name), suite=suite, address=address))
        return tuple(found)

    def dates(self) -> dict[str, datetime]:
        """Return when each suite was last published, by its signed Release file."""
        found = {}
        for suite in self.suites:
            for path in (self.folder / "lists").glob(f"*_dists_{suite.replace('/', '_')}_*Release"):
                head = path.read_text("utf-8", errors="replace")[:4096]
                if match := re.search(r"^Date: (.+)$", head, re.MULTILINE):
                    with suppress(ValueError):
                        found[suite] = parsedate_to_datetime(match[1].replace("UTC", "+0000")).astimezone(UTC)
        return found

    def download(self, files: Sequence[Download]) -> str | None:
        """Fetch files, each checked against its hash by apt; return what went wrong, where something did.

        A file that could not be fetched, or is not what its hash says, is not there afterwards.

        Raises:
            ToolMissing: this machine has no apt.

        """
        words = [word for one in files for word in (one.address, str(one.target), f"SHA256:{one.sha256}")]
        try:
            call(
                [APT_HELPER, "-q", "-c", self._conf, "download-file", *words],
                timeout_s=DOWNLOAD_TIMEOUT_S,
                env=QUIET,
                hint=HINT,
            )
        except ToolFailed as error:
            return error.message
        return None

    def _ask_for_indexes(self) -> str:
        form = "$(FILENAME)\t$(RELEASE)\t$(REPO_URI)\t$(CREATED_BY)"
        words: list[str | Path] = ["apt-get", "-c", self._conf, "indextargets", "--format", form]
        said = call(words, timeout_s=60, env=QUIET, hint=HINT).stdout
        (self.folder / "indexes").write_text(said, "utf-8")
        return said

    @property
    def _conf(self) -> Path:
        return self.folder / "apt.conf"

    @property
    def _sources_list(self) -> Path:
        return self.folder / "sources.list"

    def _sources(self) -> str:
        found = ""
        for suite in self.suites:
            mirror = self._mirrors.security if suite == self.suites[2] else self._mirrors.main
            found += f"deb [arch={self._architecture} signed-by={KEYRING} target=Packages] {mirror} {suite} main\n"
        return found

    def _write(self) -> None:
        here = self.folder.resolve()
        for name in ("lists/partial", "cache/archives/partial"):
            (here / name).mkdir(parents=True, exist_ok=True)
        (here / "status").touch()
        # An address may hold a password.
        self._sources_list.touch(mode=0o600)
        self._sources_list.write_text(self._sources(), "utf-8")
        settings = {
            "Dir::State": here,
            "Dir::State::Lists": here / "lists",
            "Dir::State::status": here / "status",
            "Dir::Cache": here / "cache",
            # No cache of packages: the indexes are read directly.
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Etc::sourcelist": here / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "APT::Architecture": self._architecture,
            # The folder is the user's own: apt's download user could not enter it.
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::GzipIndexes": "false",
            # apt would wait two minutes for each address that does not answer.
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
        }
        if self._expired_ok:
            settings["Acquire::Check-Valid-Until"] = "false"
        # The machine's own hooks after an update are not for this root.
        text = "#clear APT::Update;\n#clear APT::Architectures;\n"
        text += "".join(f'{name} "{value}";\n' for name, value in settings.items())
        self._conf.write_text(text, "utf-8")


def _younger(path: Path, seconds: float) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime < seconds


def without_secrets(text: str) -> str:
    """Return apt's words in one line, without user names and passwords in addresses."""
    return re.sub(r"//[^/@\s]+@", "//", " ".join(text.split()))
