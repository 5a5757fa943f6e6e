"""Images must not run as root, whatever way root is written."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity, Skipped
from security.accounts import uid_of
from security.check import Check
from security.subjects import BuiltImage, FileSystem, ImageConfig

_ACCOUNTS = FileSystem.of(
    contents={"etc/passwd": "root:x:0:0::/:/bin/sh\nadmin:x:0:0::/:/bin/sh\napp:x:10001:10001::/:/sbin/nologin\n"}
)


def _image(user: str) -> BuiltImage:
    return BuiltImage(config=ImageConfig(user=user), files=_ACCOUNTS)


CHECK = Check(
    id="CIS-4.1",
    title="Runs as root",
    severity=Severity.HIGH,
    rationale="A process that is root inside the container is root on the host once it gets out, and owns every file.",
    remediation="End the Dockerfile with a numeric USER that is not 0, such as USER 10001:10001.",
    good=[
        _image("10001"),
        _image("10001:0"),
        _image("app"),
        _image("app:app"),
        BuiltImage(config=ImageConfig(user="65532")),
    ],
    bad=[
        *(_image(user) for user in ("", "0", "0:0", "00", "root", "root:root", "admin", ":10001", "0:10001")),
        BuiltImage(config=ImageConfig(user="root")),
    ],
    unclear=[_image("nobody-knows-me")],
)


def test(image: BuiltImage) -> Outcome:
    """Fail where USER is uid 0 in any form, by the image's own /etc/passwd too."""
    user = image.config.user
    uid = uid_of(user, image.files)
    if uid is None:
        return Skipped(reason=f"USER {user!r} is not in the image's /etc/passwd, so no container of it starts")
    if uid != 0:
        return Passed()
    return Failed(
        evidence=(f"image configuration: USER {user!r} is uid 0" if user else "image configuration: no USER, so uid 0",)
    )
