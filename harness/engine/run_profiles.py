"""Run profiles: from a TOML file to the options that the SDK's `containers.create` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docker.types import Ulimit as DockerUlimit

from harness import toml_files
from harness.errors import UsageError
from harness.model import RunProfile, Ulimit

FOLDER = Path(__file__).resolve().parent.parent / "run_profiles"

ROOT_USERS = ("", "0", "root")

OWN = RunProfile(
    name="own",
    title="How Seatrial starts its own containers: read-only, no capabilities",
    read_only=True,
    tmpfs={"/tmp": "rw,size=64m"},  # noqa: S108 - a path inside a container
    cap_drop=("ALL",),
    no_new_privileges=True,
    pids_limit=512,
    memory_bytes=2 << 30,
    ulimits=(Ulimit(name="nofile", soft=8192, hard=8192),),
)


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the run profiles that there are."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str, folder: Path = FOLDER) -> RunProfile:
    """Read a run profile by name, or by the path of a TOML file, whose seccomp profile may lie beside it.

    Raises:
        UsageError: there is no such profile, or it, or the seccomp profile that it names, cannot be used.

    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    missing = f"There are: {', '.join(names(folder))}."
    found = toml_files.read(path, RunProfile, "run profile", given={"name": path.stem}, missing=missing)
    if uses_seccomp(found):
        beside = path.parent / found.seccomp
        if path.parent != folder and beside.is_file():
            found = found.model_copy(update={"seccomp": str(beside.resolve())})
        _seccomp_profile(found.seccomp)
    return found


def to_toml(profile: RunProfile) -> str:
    """Return a run profile as the text of the TOML file that gives it; its name is the file's."""
    said = profile.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
    tables = {key: value for key, value in said.items() if isinstance(value, dict)}
    lines = [f"{key} = {_toml(value)}" for key, value in said.items() if key not in tables]
    for key, table in tables.items():
        lines += ["", f"[{key}]", *(f"{_toml(name)} = {_toml(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
        case list():
            return "[" + ", ".join(_toml(one) for one in value) + "]"
        case _:
            # TOML writes booleans, numbers and strings as JSON does.
            return json.dumps(value, ensure_ascii=False)


def without_quota(profile: RunProfile) -> RunProfile:
    """Return a run profile with its CPU limit taken off, and named so; one without a limit is left as it is."""
    if profile.cpus is None:
        return profile
    title = f"{profile.title}; the limit of {profile.cpus:g} CPUs taken off"
    return profile.model_copy(update={"cpus": None, "name": f"{profile.name}-without-quota", "title": title})


def user_for(profile: RunProfile | None, image_user: str) -> str | None:
    """Return the user that a container is to run as in place of its image's own; None where the image's stays.

    Args:
        profile: None stands for `OWN`.
        image_user: the image's `Config.User`: `USER`, `USER:GROUP`, or empty, which is root.

    """
    how = profile or OWN
    if how.user is None and image_user.partition(":")[0] in ROOT_USERS:
        return how.user_if_root
    return how.user


def host_options(
    profile: RunProfile | None, network: str = "none", *, image_user: str = "", seccomp_by_path: bool = False
) -> dict[str, Any]:
    """Return the keyword arguments of `containers.create` for a run profile; network and health check apart.

    Args:
        profile: None stands for `OWN`.
        network: the network that the container is to be on, which decides what settings it may have.
        image_user: the image's own user.
        seccomp_by_path: Docker's API takes a seccomp profile's JSON, Podman's the path of a file on its machine.

    Raises:
        UsageError: the seccomp profile cannot be read.

    """
    how = profile or OWN
    options: dict[str, Any] = {
        "read_only": how.read_only,
        "tmpfs": dict(how.tmpfs),
        "cap_drop": list(how.cap_drop),
        "cap_add": list(how.cap_add),
        "security_opt": _security_options(how, seccomp_by_path),
        "pids_limit": how.pids_limit,
        "ulimits": [DockerUlimit(name=u.name, soft=u.soft, hard=u.hard) for u in how.ulimits],
        "restart_policy": _restart_policy(how.restart),
        "sysctls": _sysctls(how, network),
    }
    user = user_for(how, image_user)
    if user is not None:
        options["user"] = user
    if how.memory_bytes is not None:
        # Swap is part of the limit, so that memory that runs out is seen as such.
        options |= {"mem_limit": how.memory_bytes, "memswap_limit": how.memory_bytes}
    if how.cpus is not None:
        options["nano_cpus"] = round(how.cpus * 1e9)
    if how.publish:
        options["ports"] = dict(how.publish)
    return {key: value for key, value in options.items() if value not in (None, [], {})}


def uses_seccomp(profile: RunProfile | None) -> bool:
    """Whether a run profile names a seccomp profile of its own."""
    return (profile or OWN).seccomp not in ("default", "unconfined")


def seccomp_text(profile: RunProfile | None) -> str | None:
    """Return the JSON of the seccomp profile that a run profile names; None where it names none of its own.

    Raises:
        UsageError: it cannot be read.

    """
    return _seccomp_profile((profile or OWN).seccomp)[1] if uses_seccomp(profile) else None


def _security_options(how: RunProfile, seccomp_by_path: bool) -> list[str]:
    options = ["no-new-privileges:true"] if how.no_new_privileges else []
    if uses_seccomp(how):
        path, text = _seccomp_profile(how.seccomp)
        options.append(f"seccomp={path if seccomp_by_path else text}")
    elif how.seccomp == "unconfined":
        options.append("seccomp=unconfined")
    return options


def _seccomp_profile(name: str) -> tuple[Path, str]:
    """Find and read a seccomp profile: a file beside the run profiles, or any other path."""
    beside = FOLDER / name
    path = beside if beside.is_file() else Path(name).resolve()
    try:
        return path, json.dumps(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise UsageError(f"The seccomp profile {name} cannot be used: {error}") from error


def _sysctls(how: RunProfile, network: str) -> dict[str, str]:
    joins = network == "host" or network.startswith("container:")
    return {name: value for name, value in how.sysctls.items() if not (joins and name.startswith("net."))}


def _restart_policy(restart: str) -> dict[str, Any] | None:
    if restart == "no":
        return None
    name, _, count = restart.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count or 0)}
