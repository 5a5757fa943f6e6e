"""What is inside two sides: packages, vulnerabilities, files, settings and layers that are not the same; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from packageurl import PackageURL

from harness import figures
from harness.listings import ListedFile
from harness.model import (
    Component,
    FileChange,
    Image,
    Layer,
    LayerChange,
    PackageChange,
    SettingChange,
    Vulnerability,
    VulnerabilityChange,
)

VersionOrder = Callable[[Component, Component], int | None]
"""Below 0 where the first's version is the older one, above where it is the newer; None where nobody can tell."""

Key = tuple[str, str]
"""A package's type and name."""


def packages(
    before: Iterable[Component], after: Iterable[Component], order: VersionOrder | None = None
) -> tuple[PackageChange, ...]:
    """Return the packages that are not in the same versions on both sides, by type and name."""
    then, now = _by_name(before), _by_name(after)
    return tuple(
        _package(key, then.get(key, {}), now.get(key, {}), order)
        for key in sorted(then.keys() | now.keys())
        if then.get(key, {}).keys() != now.get(key, {}).keys()
    )


def key_of(component: Component) -> Key:
    """Return the type and name by which a package is known on either side, whatever its version."""
    if not component.purl:
        return component.type, component.name
    purl = PackageURL.from_string(component.purl)
    # The namespace of a distribution's package is that distribution, and the same package in each of them.
    whole = (
        component.name if purl.type in ("deb", "apk", "rpm") else "/".join(filter(None, (purl.namespace, purl.name)))
    )
    return purl.type, whole


def vulnerabilities(
    before: Sequence[Vulnerability],
    after: Sequence[Vulnerability],
    then: Iterable[Component],
    now: Iterable[Component],
) -> tuple[VulnerabilityChange, ...]:
    """Return the vulnerabilities that only one side has, the gravest first; what a decision suppresses does not count.

    Args:
        before: the first side's.
        after: the second side's.
        then: the first side's packages: where the very version is on the other side too, what is known of it changed.
        now: the second side's packages.

    """
    old, new = _by_id(before), _by_id(after)
    had, has = {(one.name, one.version) for one in then}, {(one.name, one.version) for one in now}
    gone = (_vulnerability(one, "no longer reported" if _same(one, has) else "fixed") for one in _only(old, new))
    come = (_vulnerability(one, "newly reported" if _same(one, had) else "introduced") for one in _only(new, old))
    found = (*come, *gone)
    return tuple(sorted(found, key=lambda one: (one.change, -one.severity.rank, one.component, one.id)))


def files(before: Mapping[str, ListedFile], after: Mapping[str, ListedFile]) -> tuple[FileChange, ...]:
    """Return the paths that are not the same by kind, mode, owner, size or target; a folder's own size is none."""
    return tuple(
        _file(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )


def setuid(before: Mapping[str, ListedFile], after: Mapping[str, ListedFile]) -> tuple[FileChange, ...]:
    """Return the programs that changed in whether they have setuid or setgid: new, removed, or with another mode."""
    then = {path: one for path, one in before.items() if one.setuid_or_setgid}
    now = {path: one for path, one in after.items() if one.setuid_or_setgid}
    return tuple(
        _file(path, then.get(path), now.get(path))
        for path in sorted(then.keys() | now.keys())
        if _bits(then.get(path)) != _bits(now.get(path))
    )


def settings(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[SettingChange, ...]:
    """Return the settings that are not the same, by name."""
    return tuple(
        SettingChange(name=name, before=before.get(name), after=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def layers(before: Image, after: Image) -> tuple[LayerChange, ...]:
    """Return all layers from the lowest up, those of one instruction side by side; what only one has stands alone.

    Layers are laid side by side where they are the same, or were made by the same instruction, in order: the longest
    such row of both (longest common subsequence).
    """
    then, now = before.layers, after.layers
    lengths = [[0] * (len(now) + 1) for _ in range(len(then) + 1)]
    for i in reversed(range(len(then))):
        for j in reversed(range(len(now))):
            alike = _alike(then[i], now[j])
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if alike else max(lengths[i + 1][j], lengths[i][j + 1])
    rows, i, j = [], 0, 0
    while i < len(then) or j < len(now):
        if i < len(then) and j < len(now) and _alike(then[i], now[j]):
            rows.append(_layer(then[i], now[j]))
            i, j = i + 1, j + 1
        elif j == len(now) or (i < len(then) and lengths[i + 1][j] >= lengths[i][j + 1]):
            rows.append(_layer(then[i], None))
            i += 1
        else:
            rows.append(_layer(None, now[j]))
            j += 1
    return tuple(rows)


def _by_name(components: Iterable[Component]) -> dict[Key, dict[str, Component]]:
    found: dict[Key, dict[str, Component]] = defaultdict(dict)
    for one in components:
        found[key_of(one)][one.version] = one
    return found


def _package(
    key: Key, then: Mapping[str, Component], now: Mapping[str, Component], order: VersionOrder | None
) -> PackageChange:
    kind, name = key
    before, after = ", ".join(sorted(then)) or None, ", ".join(sorted(now)) or None
    if before is None or after is None:
        return PackageChange(
            name=name, type=kind, change="added" if before is None else "removed", before=before, after=after
        )
    way = None
    if order is not None and len(then) == len(now) == 1:
        way = order(next(iter(then.values())), next(iter(now.values())))
    word = "upgraded" if way is not None and way < 0 else "downgraded" if way is not None and way > 0 else "changed"
    return PackageChange.model_validate({"name": name, "type": kind, "change": word, "before": before, "after": after})


def _by_id(found: Iterable[Vulnerability]) -> dict[tuple[str, str], Vulnerability]:
    return {(one.id, one.component): one for one in found if one.suppressed is None}


def _only(
    one: Mapping[tuple[str, str], Vulnerability], other: Mapping[tuple[str, str], Vulnerability]
) -> list[Vulnerability]:
    return [one[key] for key in one.keys() - other.keys()]


def _same(one: Vulnerability, versions: set[tuple[str, str]]) -> bool:
    return (one.component, one.installed_version) in versions


def _vulnerability(one: Vulnerability, change: str) -> VulnerabilityChange:
    return VulnerabilityChange.model_validate(
        {
            "id": one.id,
            "component": one.component,
            "severity": one.severity,
            "fixed_version": one.fixed_version,
            "change": change,
            "version": one.installed_version,
        }
    )


def _file(path: str, then: ListedFile | None, now: ListedFile | None) -> FileChange:
    word = "added" if then is None else "removed" if now is None else "changed"
    return FileChange.model_validate({"path": path, "change": word, "before": _in_words(then), "after": _in_words(now)})


def _in_words(one: ListedFile | None) -> str | None:
    if one is None:
        return None
    size = f" {figures.figure(one.size_bytes, 'bytes')}" if one.kind == "file" else ""
    target = f" -> {one.target}" if one.target else ""
    return f"{one.kind} {one.mode:04o} {one.uid}:{one.gid}{size}{target}"


def _bits(one: ListedFile | None) -> tuple[int, int, int] | None:
    return None if one is None else (one.mode, one.uid, one.gid)


def _alike(then: Layer, now: Layer) -> bool:
    return then.diff_id == now.diff_id or (bool(then.created_by) and then.created_by == now.created_by)


def _layer(then: Layer | None, now: Layer | None) -> LayerChange:
    either = now or then
    return LayerChange(
        created_by=either.created_by if either else "",
        before_bytes=then.size_bytes if then else None,
        after_bytes=now.size_bytes if now else None,
        before_compressed_bytes=then.compressed_bytes if then else None,
        after_compressed_bytes=now.compressed_bytes if now else None,
        same=then is not None and now is not None and then.diff_id == now.diff_id,
    )
