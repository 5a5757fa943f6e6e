"""Builds must install only what they can verify: by hash, or by a signature."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.dockerfile import parse
from security.shell import Command, commands, program
from security.subjects import BuiltImage, FileSystem, ImageConfig, Instruction

UNSAFE = {
    "apt-get": ("--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"),
    "apt": ("--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"),
    "apk": ("--allow-untrusted",),
    "dnf": ("--nogpgcheck",),
    "yum": ("--nogpgcheck",),
    "curl": ("-k", "--insecure"),
    "wget": ("--no-check-certificate",),
}
_PIPED = re.compile(r"\b(?:curl|wget)\b[^|;&\n]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/\S*/)?(?:ba|da|a|z)?sh\b")
_TRUSTED = re.compile(r"(?im)^\s*deb(?:-src)?\s+\[[^\]]*\btrusted=yes\b|^\s*trusted:\s*yes\b")
_TRUSTED_HOST = re.compile(r"(?im)^\s*trusted-host\s*=\s*\S|^\s*(?:extra-)?index-url\s*=\s*http:")
_PIP = re.compile(r"pip[\d.]*$")


def _run(text: str, **files: str) -> BuiltImage:
    contents = {path.replace("__", "/") + ".txt": body for path, body in files.items()}
    config = ImageConfig(working_dir="/app")
    return BuiltImage(dockerfile=parse(f"FROM x\n{text}"), config=config, files=FileSystem.of(contents=contents))


CHECK = Check(
    id="CIS-4.11",
    title="Packages installed without verification",
    severity=Severity.MEDIUM,
    rationale="Without hashes or signatures the build takes whatever the index, the mirror or the network gives out.",
    remediation="pip install --require-hashes -r requirements.txt; signed repositories only; never curl | sh.",
    good=[
        _run("RUN pip install --require-hashes -r requirements.txt"),
        _run('RUN ["python3", "-m", "pip", "install", "--require-hashes", "-r", "r.txt"]'),
        _run("RUN pip install -r requirements.txt", app__requirements="flask==3.1.3 --hash=sha256:ab\n"),
        _run("RUN apt-get update && apt-get install -y curl && curl -fsSLo x https://example.org/x"),
        _run("RUN uv sync --frozen"),
        _run("RUN pip list && pip check"),
        BuiltImage(
            files=FileSystem.of(contents={"etc/apt/sources.list": "deb [signed-by=/k] http://mirror/debian x main\n"})
        ),
    ],
    bad=[
        _run("RUN pip install flask"),
        _run("RUN pip3 --no-cache-dir install -r requirements.txt"),
        _run("RUN pip install -r requirements.txt", app__requirements="flask\n"),
        _run("RUN python3 -m pip install ."),
        _run("RUN uv pip install flask"),
        _run("RUN apt-get install --allow-unauthenticated x"),
        _run("RUN apk add --allow-untrusted x.apk"),
        _run("RUN curl -sSL https://example.org/install | sh"),
        _run("RUN wget --no-check-certificate https://example.org/x"),
        BuiltImage(
            files=FileSystem.of(contents={"etc/apt/sources.list": "deb [trusted=yes] http://mirror/debian x main\n"})
        ),
        BuiltImage(files=FileSystem.of(contents={"etc/apt/sources.list.d/a.sources": "Types: deb\nTrusted: yes\n"})),
        BuiltImage(files=FileSystem.of(contents={"etc/pip.conf": "[global]\ntrusted-host = mirror\n"})),
    ],
)


def test(image: BuiltImage) -> Outcome:
    """Fail for each such command of the Dockerfile, and for package sources in the image that are trusted unsigned."""
    found = [f"{run.where}: {what}" for run in image.dockerfile.named("RUN") for what in _commands(run, image)]
    for path in sorted(image.files.contents):
        text = image.files.text(path) or ""
        if path.startswith("etc/apt/") and _TRUSTED.search(text):
            found.append(f"/{path}: a source is trusted without a signature")
        if path.endswith("pip.conf") and _TRUSTED_HOST.search(text):
            found.append(f"/{path}: an index is trusted without a certificate")
    return failed_or_passed(found)


def _commands(run: Instruction, image: BuiltImage) -> Iterator[str]:
    if _PIPED.search(run.value) or any(_PIPED.search(body) for body in run.heredocs):
        yield "a download goes straight into a shell"
    for one in commands(run):
        options = set(one) & set(UNSAFE.get(program(one), ()))
        if options:
            yield f"{program(one)} {' '.join(sorted(options))}"
        arguments = _pip_install(one)
        if arguments is not None and not _hashed(arguments, image):
            yield f"{' '.join(one)[:80]}: no hashes"


def _pip_install(one: Command) -> Command | None:
    """Return what follows `install`; None where the command is no `pip install`."""
    name, rest = program(one), one[1:]
    if name == "uv" and rest[:1] == ("pip",):
        rest = rest[1:]
    elif name.startswith("python") and "-m" in rest and _PIP.fullmatch("".join(rest[rest.index("-m") + 1 :][:1])):
        rest = rest[rest.index("-m") + 2 :]
    elif not _PIP.fullmatch(name):
        return None
    return rest[rest.index("install") + 1 :] if "install" in rest else None


def _hashed(arguments: Command, image: BuiltImage) -> bool:
    """Tell whether pip verifies hashes: when told to, and when the requirements carry them."""
    if "--require-hashes" in arguments or image.config.env.get("PIP_REQUIRE_HASHES", "0") not in ("0", "false", ""):
        return True
    named = [arguments[n + 1] for n, word in enumerate(arguments[:-1]) if word in ("-r", "--requirement")]
    texts = [image.files.text(posixpath.join(image.config.working_dir or "/", name)) or "" for name in named]
    return bool(texts) and all("--hash=" in text for text in texts)
