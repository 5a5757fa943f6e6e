"""What the checks read: an image's configuration, its merged files, its Dockerfile; frozen and parsed."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from harness.model import Component, LicencePolicy, Waste

Kind = Literal["file", "directory", "symlink", "hardlink", "device", "fifo", "other"]
MAX_SYMLINKS = 40
"""As many as Linux follows before it answers ELOOP."""
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Healthcheck:
    """An image's HEALTHCHECK; `test` as the configuration holds it: `CMD`, `CMD-SHELL` or `NONE`, then the words."""

    test: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One instruction of the image's history; `diff_id` is None where it made no layer."""

    created_by: str
    diff_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """What an image's configuration says (OCI image specification, `config` and `history`)."""

    user: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    working_dir: str = ""
    history: tuple[HistoryEntry, ...] = ()
    architecture: str = ""
    diff_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a file system. Paths have no leading slash; `layer` counts from 0, the lowest."""

    path: str
    kind: Kind = "file"
    mode: int = 0o644
    """Permission bits with setuid (04000), setgid (02000) and sticky (01000)."""
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    layer: int = 0
    target: str = ""
    """Where a symbolic or hard link points, as written in it."""
    capabilities: bool = False
    """Whether the file carries `security.capability`."""

    @property
    def executable(self) -> bool:
        """Whether it is a regular file that somebody may run."""
        return self.kind in ("file", "hardlink") and bool(self.mode & 0o111)

    @property
    def setuid_or_setgid(self) -> bool:
        """Whether running it changes the user or the group."""
        return self.kind in ("file", "hardlink") and bool(self.mode & (stat.S_ISUID | stat.S_ISGID))


@dataclass(frozen=True, kw_only=True)
class SecretHit:
    """A place that holds something secret; never the value itself."""

    where: str
    kind: str
    layer: int
    deleted: bool = False
    """Gone from the merged file system, and still in the layer that is shipped."""


@dataclass(frozen=True)
class FileSystem:
    """An image's merged file system, with the small contents that checks need, and what the layers hold beside it."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """Path -> content, for the few files that a check reads."""
    oddities: tuple[str, ...] = ()
    """Entries that no honest build makes, such as names that lead out of the root: `layer N: what`."""
    secrets: tuple[SecretHit, ...] = ()
    not_searched: tuple[str, ...] = ()
    """Files too large to be searched for secrets: `PATH in layer N`."""
    wasted: tuple[Waste, ...] = ()
    """The largest first."""
    wasted_bytes: int = 0
    """Of all paths together, whether named in `wasted` or not."""
    least_bytes: int = 0
    """Sum over all paths of the least size that a layer gives the path."""
    discovered_bytes: int = 0
    """Sum over all paths and layers of the path's size."""

    @classmethod
    def of(cls, *entries: Entry, contents: Mapping[str, str] | None = None) -> FileSystem:
        """Make a small file system of entries, and of contents given as text; their entries are made."""
        texts = {path: text.encode() for path, text in (contents or {}).items()}
        made = {path: Entry(path, size_bytes=len(data)) for path, data in texts.items()}
        return cls(entries=made | {entry.path: entry for entry in entries}, contents=texts)

    def __iter__(self) -> Iterator[Entry]:
        """Iterate over the entries in the order of their paths."""
        return iter(self._sorted)

    @cached_property
    def _sorted(self) -> tuple[Entry, ...]:
        return tuple(self.entries[path] for path in sorted(self.entries))

    def resolve(self, path: str) -> Entry | None:
        """Follow symbolic links, as the kernel would with the image's root as its root; None where nothing is there."""
        todo = [part for part in path.split("/") if part not in ("", ".")][::-1]
        at: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                at = at[:-1]
                continue
            entry = self.entries.get("/".join([*at, part]))
            if entry is not None and entry.kind == "symlink":
                links += 1
                if links > MAX_SYMLINKS:
                    return None
                if entry.target.startswith("/"):
                    at = []
                todo += [step for step in entry.target.split("/") if step not in ("", ".")][::-1]
                continue
            if entry is None and todo == []:
                return None
            at.append(part)
        return self.entries.get("/".join(at))

    def text(self, path: str) -> str | None:
        """Return a kept file's content, bad bytes replaced; None where the image has none or it was not kept."""
        entry = self.resolve(path)
        if entry is None:
            return None
        data = self.contents.get(entry.path)
        if data is None and entry.kind == "hardlink":
            data = self.contents.get(entry.target)
        return None if data is None else data.decode("utf-8", errors="replace")

    def program(self, name: str, path: str = DEFAULT_PATH) -> Entry | None:
        """Find a program as `execvp` would: by its path, or by name along `path`."""
        places = [name] if "/" in name else [posixpath.join(folder, name) for folder in path.split(":") if folder]
        for place in places:
            entry = self.resolve(place)
            if entry is not None and entry.executable:
                return entry
        return None


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction of a Dockerfile."""

    name: str
    """In capitals: FROM, RUN, COPY."""
    value: str
    """What follows flags and name, lines joined, comments out."""
    flags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """The exec form's words, where it is in JSON form; else the value split as words."""
    exec_form: bool = False
    heredocs: tuple[str, ...] = ()
    line: int = 1
    stage: int = -1
    """Number of the stage it belongs to; -1 before the first FROM."""

    @property
    def where(self) -> str:
        """The place as evidence names it."""
        return f"Dockerfile:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One build stage: what it is made FROM, with the defaults of global ARGs filled in."""

    number: int
    base: str
    name: str | None
    line: int


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A parsed Dockerfile."""

    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    def named(self, *names: str) -> Iterator[Instruction]:
        """Yield the instructions of these names."""
        return (one for one in self.instructions if one.name in names)

    def outside_bases(self) -> Iterator[Stage]:
        """Yield the stages made from an image, not from another stage and not from nothing."""
        known: set[str] = set()
        for stage in self.stages:
            if stage.base.lower() not in known and stage.base != "scratch":
                yield stage
            if stage.name:
                known.add(stage.name.lower())
            known.add(str(stage.number))


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image as a whole: configuration, merged files, and the Dockerfile it was built from."""

    config: ImageConfig = field(default_factory=ImageConfig)
    files: FileSystem = field(default_factory=FileSystem)
    dockerfile: Dockerfile = field(default_factory=lambda: Dockerfile(instructions=(), stages=()))
    base_from_registry: bool = False
    """Whether the final stage's base was pulled, and not made from packages."""
    base_digest: str = ""
    content_trust: bool = False
    """Whether DOCKER_CONTENT_TRUST was on where the scan ran."""
    components: tuple[Component, ...] | None = None
    """What is inside; None where nothing could list it."""
    licences: LicencePolicy = field(default_factory=LicencePolicy)
    allowed_bases: tuple[str, ...] = ()
    """Patterns of the base images that the settings allow; none: all are."""
