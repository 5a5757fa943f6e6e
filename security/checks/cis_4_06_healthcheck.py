"""Images must say how to tell that they are healthy, by a command that the image can run."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity
from security.check import Check
from security.subjects import DEFAULT_PATH, BuiltImage, Entry, FileSystem, Healthcheck, ImageConfig

_PYTHON = FileSystem.of(
    Entry("usr/bin/python3", "symlink", target="python3.13"), Entry("usr/bin/python3.13", mode=0o755)
)
_SHELL = FileSystem.of(Entry("bin/sh", mode=0o755))


def _image(*test: str, files: FileSystem) -> BuiltImage:
    return BuiltImage(config=ImageConfig(healthcheck=Healthcheck(test=test)), files=files)


CHECK = Check(
    id="CIS-4.6",
    title="No HEALTHCHECK that works",
    severity=Severity.LOW,
    rationale="Without one, a process that hangs counts as running; with one that cannot run, all count as unhealthy.",
    remediation='Add HEALTHCHECK CMD ["python3", "healthcheck.py"] in exec form; it needs no shell and no curl.',
    good=[
        _image("CMD", "python3", "-c", "pass", files=_PYTHON),
        _image("CMD", "/usr/bin/python3.13", files=_PYTHON),
        _image("CMD-SHELL", "exit 0", files=_SHELL),
    ],
    bad=[
        BuiltImage(),
        _image("NONE", files=_PYTHON),
        _image(files=_PYTHON),
        _image("CMD", files=_PYTHON),
        _image("CMD", "curl", "-f", "http://localhost", files=_PYTHON),
        _image("CMD-SHELL", "python3 -c pass", files=_PYTHON),
    ],
)


def test(image: BuiltImage) -> Outcome:
    """Fail where there is none, where it is NONE, and where its program or its shell is not in the image."""
    health = image.config.healthcheck
    form, *words = health.test if health is not None and health.test else ("NONE",)
    if form == "NONE" or not words:
        return Failed(evidence=("image configuration: no HEALTHCHECK",))
    program = "/bin/sh" if form == "CMD-SHELL" else words[0]
    if image.files.program(program, image.config.env.get("PATH", DEFAULT_PATH)) is None:
        return Failed(evidence=(f"HEALTHCHECK: it needs {program}, which the image does not have",))
    return Passed()
