"""No two accounts may share a number."""

from __future__ import annotations

from collections import defaultdict

from harness.model import Outcome, Severity
from security.accounts import GROUP, PASSWD, accounts
from security.check import Check, failed_or_passed
from security.subjects import FileSystem

CHECK = Check(
    id="DKL-LI-0002",
    title="Accounts that share a uid or gid",
    severity=Severity.LOW,
    rationale="Two names with one number own each other's files; a second uid 0 is a hidden root.",
    remediation="Give each account a number of its own, or remove the accounts that nothing uses.",
    good=[
        FileSystem.of(contents={"etc/passwd": "a:x:0:0:::\nb:x:1:0:::\n", "etc/group": "a:x:0:\nb:x:1:\n"}),
        FileSystem.of(),
    ],
    bad=[
        FileSystem.of(contents={"etc/passwd": "root:x:0:0:::\ntoor:x:0:0:::\n"}),
        FileSystem.of(contents={"etc/group": "a:x:5:\nb:x:5:\n"}),
    ],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each uid in /etc/passwd and each gid in /etc/group that has several names."""
    found = []
    for path, word in ((PASSWD, "uid"), (GROUP, "gid")):
        names: dict[int, set[str]] = defaultdict(set)
        for account in accounts(files, path):
            if account.number is not None:
                names[account.number].add(account.name)
        found += [
            f"/{path}: {word} {number} is {', '.join(sorted(who))}" for number, who in names.items() if len(who) > 1
        ]
    return failed_or_passed(found)
