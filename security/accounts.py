"""An image's account files, and who an image's USER is by them."""

from __future__ import annotations

from dataclasses import dataclass

from security.subjects import FileSystem

PASSWD, SHADOW, GROUP = "etc/passwd", "etc/shadow", "etc/group"


@dataclass(frozen=True, kw_only=True)
class Account:
    """One line of passwd, shadow or group (passwd(5), shadow(5), group(5))."""

    name: str
    password: str
    number: int | None
    """uid or gid; None in shadow and where it is no number."""


def accounts(files: FileSystem, path: str) -> tuple[Account, ...]:
    """Return the lines of an account file; empty where the image has none. Lines that are none are left out."""
    found = []
    for line in (files.text(path) or "").splitlines():
        fields = line.split(":")
        if len(fields) >= 3 and fields[0] and not line.startswith("#"):
            number = _number(fields[2]) if path != SHADOW else None
            found.append(Account(name=fields[0], password=fields[1], number=number))
    return tuple(found)


def uid_of(user: str, files: FileSystem) -> int | None:
    """Return the uid that an image's USER runs as: a name by /etc/passwd, else a number; none given is root.

    None where the name is unknown, so that no container starts. As runc does, a name that looks like a number is
    looked up as a name first.
    """
    name = user.partition(":")[0].strip()
    if not name:
        return 0
    for account in accounts(files, PASSWD):
        if account.name == name:
            return account.number
    if name == "root" and files.resolve(PASSWD) is None:
        return 0
    return _number(name)


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
