"""The generator's image: Locust and the journeys on a base image, made once for all that goes into it."""

from __future__ import annotations

import ast
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.engine import labels
from harness.engine.builder import Builder, BuildRequest
from harness.engine.client import Engine
from harness.engine.images import remove_superseded
from harness.errors import BuildFailed, UsageError
from harness.model import BaseImage, Say
from harness.paths import ROOT

FOLDER = ROOT / "loadtests"
INSIDE = FOLDER / "inside"
LOCK = INSIDE / "requirements.txt"
DOCKERFILE = INSIDE / "Dockerfile"
CONTRACT = FOLDER / "contract.py"
CONTRACT_NAMES = frozenset({"READY", "JOURNEYS", "case", "examination"})
BAKED = ("__init__.py", "arrivals.py", "cases.py", "cores.py", "locustfile.py")
"""Files of this folder that run in the generator, beside `inside/` and the contract."""
REPOSITORY = "seatrial/generator"
KEPT_IMAGES = 2
"""Clones at two commits share the engine, and so does an app with a contract of its own."""


Wheels = Callable[[Path], Path]
"""Takes a lock, gives the folder of its verified wheels for the base's Python."""


def ensure_image(
    engine: Engine,
    *,
    base: BaseImage,
    wheels: Wheels,
    builder: Builder,
    log: Path,
    say: Say,
    contract: Path = CONTRACT,
) -> str:
    """Return the reference of the generator's image; it is built where the engine has none of the same inputs.

    Args:
        engine: where it is needed.
        base: a glibc base with Python 3.13 and pip.
        wheels: gives the wheels of the generator's lock.
        builder: builds on that engine.
        log: where the build's output goes.
        say: told when a build begins.
        contract: the module of the app under test's contract, baked into the image.

    Raises:
        UsageError: the contract cannot be read, or lacks one of its names.
        BuildFailed: the image cannot be built.

    """
    check_contract(contract)
    digest = _inputs(base, contract)
    reference = f"{REPOSITORY}:{digest[:16]}"
    found = engine.image(reference)
    if found is not None and (found["Config"].get("Labels") or {}).get(labels.INPUTS) == digest:
        return reference
    say("Building the load generator's image")
    with tempfile.TemporaryDirectory(prefix="seatrial-generator-") as temporary:
        context = Path(temporary)
        _stage(context, wheels(LOCK), contract)
        builder.build(
            BuildRequest(
                context=context,
                dockerfile=context / "Dockerfile",
                tag=reference,
                log=log,
                build_args={"BASE": base.reference},
                labels={labels.ROLE: str(labels.Role.GENERATOR), labels.INPUTS: digest},
            )
        )
    if engine.image(reference) is None:
        raise BuildFailed(f"The build of {reference} ended well, but the engine does not have it.")
    remove_superseded(engine, labels.Role.GENERATOR, REPOSITORY, current=digest, kept=KEPT_IMAGES)
    return reference


def _sources(contract: Path) -> Iterable[tuple[str, Path]]:
    """Yield (path in the image's context, file) of all code that is baked in, in a fixed order."""
    for name in BAKED:
        yield f"loadtests/{name}", FOLDER / name
    yield "loadtests/contract.py", contract
    for path in sorted(INSIDE.glob("*.py")):
        yield f"loadtests/inside/{path.name}", path
    yield "requirements.txt", LOCK
    yield "Dockerfile", DOCKERFILE


def _inputs(base: BaseImage, contract: Path) -> str:
    digest = hashlib.sha256(base.digest.encode())
    for name, path in _sources(contract):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _stage(context: Path, wheels: Path, contract: Path) -> None:
    for name, path in _sources(contract):
        target = context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copytree(wheels, context / "wheels", ignore=lambda _, names: [n for n in names if not n.endswith(".whl")])


def check_contract(contract: Path) -> None:
    """Refuse what is no contract, before anything is built.

    Raises:
        UsageError: it cannot be read, is not Python, or lacks one of its names.

    """
    hint = "It needs READY, JOURNEYS, case() and examination(), as loadtests/contract.py has them."
    try:
        text = contract.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The contract {contract} cannot be read: {error}", hint) from error
    try:
        tree = ast.parse(text, str(contract))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"The contract {contract} is not Python: {error}", hint) from error
    # Only read, not run: it is the user's code, and its place is in the generator's container.
    missing = sorted(CONTRACT_NAMES - {name for statement in tree.body for name in _defined(statement)})
    if missing:
        raise UsageError(f"The contract {contract} has no {', '.join(missing)}.", hint)


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.ImportFrom(names=names):
            yield from (one.asname or one.name for one in names)
