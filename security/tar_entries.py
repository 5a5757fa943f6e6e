"""What a tar entry's header says, made safe to be used and shown: path, kind, target of a link."""

from __future__ import annotations

import tarfile

from security.subjects import Kind


def normal_path(name: str) -> str | None:
    """Return an entry's path without leading slash or dots, fit to be printed; None where it leads out of the root."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts else printable("/".join(parts))


def printable(text: str) -> str:
    """Return text with bytes that are not UTF-8, and control characters, written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in decoded)


def target(member: tarfile.TarInfo) -> str:
    """Return where a link points, fit to be printed; a hard link's target as a path."""
    if member.islnk():
        return normal_path(member.linkname) or ""
    return printable(member.linkname) if member.issym() else ""


def kind(member: tarfile.TarInfo) -> Kind:
    """Return what an entry is."""
    if member.isreg():
        return "file"
    if member.isdir():
        return "directory"
    if member.issym():
        return "symlink"
    if member.islnk():
        return "hardlink"
    if member.ischr() or member.isblk():
        return "device"
    return "fifo" if member.isfifo() else "other"
