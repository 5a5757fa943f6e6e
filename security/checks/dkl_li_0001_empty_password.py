"""No account may have an empty password."""

from __future__ import annotations

from harness.model import Outcome, Severity, Skipped
from security.accounts import PASSWD, SHADOW, accounts
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

CHECK = Check(
    id="DKL-LI-0001",
    title="Account with an empty password",
    severity=Severity.HIGH,
    rationale="Anyone inside becomes that user by su or login, root included (CVE-2019-5021).",
    remediation="Lock the account: passwd -l NAME, or `!` or `*` as its password in /etc/shadow.",
    good=[
        FileSystem.of(
            contents={
                "etc/passwd": "root:x:0:0:::\n",
                "etc/shadow": "root:*:1::::::\napp:!:1::::::\nb:$6$x$y:1::::::\n",
            }
        ),
        FileSystem.of(),
        FileSystem.of(contents={"etc/passwd": "root:x:0:0:::\n"}),
    ],
    bad=[
        FileSystem.of(contents={"etc/shadow": "root::1::::::\n"}),
        FileSystem.of(contents={"etc/passwd": "root::0:0:::\n"}),
    ],
    unclear=[FileSystem.of(Entry("etc/shadow", size_bytes=1 << 30))],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each line of /etc/passwd or /etc/shadow whose second field is empty."""
    for path in (PASSWD, SHADOW):
        if files.resolve(path) is not None and files.text(path) is None:
            return Skipped(reason=f"/{path} is there, but is too large or of the wrong kind to be read")
    return failed_or_passed(
        [f"/{path}: {one.name}" for path in (PASSWD, SHADOW) for one in accounts(files, path) if not one.password]
    )
