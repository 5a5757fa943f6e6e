"""Which image a Dockerfile's base becomes: the public one from its registry, or the like of it made from packages."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from harness.engine import registry
from harness.engine.client import Engine, EngineRefused
from harness.errors import BuildFailed, UsageError
from harness.model import BaseImage, BaseSource, Say
from images.bases import made, overlay
from images.bases.recipes import BaseRecipe, catalogue, recipe_of

Mode = Literal["auto", "registry", "packages"]
REGISTRY_PATIENCE_S = 4.0
AT_ONCE = 2


@dataclass
class Heard:
    """What one use of the command has heard of registries, so that none is asked twice: the harness has a base too."""

    hosts: dict[str, str] = field(default_factory=dict)
    """Host -> why it is silent; empty where it answered."""
    bases: dict[tuple[str, Mode], BaseImage] = field(default_factory=dict)
    """Public image and mode -> the base that was found for it."""


def resolve(
    public: str,
    engine: Engine,
    *,
    mode: Mode = "auto",
    say: Say,
    refresh: bool = False,
    heard: Heard | None = None,
) -> BaseImage:
    """Return the base for one public image: see `resolve_all`."""
    return resolve_all([public], engine, mode=mode, say=say, refresh=refresh, heard=heard)[public]


def resolve_all(
    publics: Sequence[str],
    engine: Engine,
    *,
    mode: Mode = "auto",
    say: Say,
    refresh: bool = False,
    recipes: Mapping[str, BaseRecipe] | None = None,
    heard: Heard | None = None,
) -> dict[str, BaseImage]:
    """Return the base for each public image that Dockerfiles name, two at a time.

    Args:
        publics: references of public images.
        engine: where the bases will be.
        mode: `registry` pulls all; `packages` makes all; `auto` pulls, and makes what cannot be pulled.
        say: told in a line what takes time.
        refresh: make anew what the cache has.
        recipes: public image -> how its like is made; `images/bases.toml` where none are given.
        heard: what was heard before, and what is heard now; nothing is asked for again that is in it.

    Raises:
        BuildFailed: a base can be had in none of the ways that the mode allows.

    """
    known = catalogue() if recipes is None else recipes
    cancel = threading.Event()
    heard = Heard() if heard is None else heard
    wanted = [public for public in dict.fromkeys(publics) if refresh or (public, mode) not in heard.bases]
    silent = _silent_hosts(wanted, engine, say, heard.hosts) if mode == "auto" else {}

    def one(public: str) -> BaseImage:
        recipe, host = recipe_of(public, known), registry.parse(public).host
        why = silent.get(host, "")
        if mode != "packages":
            pulled, why = _pulled(public, recipe, engine, silence=why, mode=mode, say=say)
            if pulled is not None:
                return pulled
        if recipe is None:
            raise BuildFailed(
                f"The base image {public} cannot be pulled, and images/bases.toml does not say how to make its like."
                + (f"\n{host}: {why}" if why else ""),
                f"Use one of: {', '.join(known)}; or a machine that reaches the image's registry.",
            )
        base = made.make_or_reuse(recipe, engine, say=say, refresh=refresh, cancel=cancel)
        return base.model_copy(update={"public": public})

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bases") as pool:
        try:
            heard.bases |= {(public, mode): base for public, base in zip(wanted, pool.map(one, wanted), strict=True)}
            return {public: heard.bases[public, mode] for public in publics}
        except BaseException:
            # Neither Ctrl-C nor another base's failure reaches the programs that the threads wait for.
            cancel.set()
            pool.shutdown(cancel_futures=True)
            raise


def as_named(public: str, engine: Engine, *, say: Say) -> BaseImage:
    """Return a base that a Dockerfile names outright: the engine's own image of that name, else the pulled one.

    That is what `docker build` does, and nothing else can be put in its place.

    Raises:
        UsageError: the engine has no such image, and it cannot be pulled.

    """
    found = engine.image(public)
    if found is None:
        answer = registry.ask(engine, public, timeout_s=REGISTRY_PATIENCE_S)
        try:
            # Podman cannot ask beforehand, so it finds out by pulling.
            if not answer.answered and not engine.is_podman:
                raise EngineRefused(f"No answer from {registry.parse(public).host}: {answer.reason}")
            say(f"Pulling {public}")
            registry.pull(engine, public)
        except EngineRefused as error:
            raise UsageError(
                f"A Dockerfile names the base {public} outright, the engine has no such image, "
                f"and it cannot be pulled.\n{error.message}",
                f"Write `ARG BASE={public}` before the first FROM and `FROM ${{BASE}}`: "
                "then another image can be put in its place.",
            ) from error
        found = engine.image(public) or {}
    digest = registry.repository_digest(engine, public)
    return BaseImage(
        name=public,
        public=public,
        reference=public,
        digest=digest or str(found["Id"]),
        source=BaseSource.REGISTRY if digest else BaseSource.ENGINE,
    )


def _silent_hosts(publics: Sequence[str], engine: Engine, say: Say, heard: dict[str, str]) -> dict[str, str]:
    """Ask each registry that was not heard yet once: without internet access, every image would wait.

    Return host -> why it is silent.

    One that says that it does not have the image, or refuses it, is not silent: it may have the others.
    """
    firsts: dict[str, str] = {}
    for public in publics:
        firsts.setdefault(registry.parse(public).host, public)
    known = {host: heard[host] for host in firsts if heard.get(host)}
    firsts = {host: public for host, public in firsts.items() if host not in heard}
    if not firsts:
        return known
    with ThreadPoolExecutor(len(firsts), thread_name_prefix="registries") as pool:
        answers = pool.map(lambda public: registry.ask(engine, public, timeout_s=REGISTRY_PATIENCE_S), firsts.values())
        silent = {host: answer.reason for host, answer in zip(firsts, answers, strict=True) if not answer.answered}
    heard |= {host: silent.get(host, "") for host in firsts}
    if len(silent) == len(firsts):
        say("No registry answers: bases are made from packages")
    else:
        for host, reason in silent.items():
            say(f"{host} does not answer ({reason}): its bases are made from packages")
    return known | silent


def _pulled(
    public: str, recipe: BaseRecipe | None, engine: Engine, *, silence: str, mode: Mode, say: Say
) -> tuple[BaseImage | None, str]:
    """Return the public image, pulled now or at some time before; else None, and why the like of it has to be made."""
    why = silence
    try:
        if silence:
            digest = registry.repository_digest(engine, public)
        else:
            say(f"Pulling {public}")
            digest = registry.pull(engine, public)
    except EngineRefused as error:
        why, digest = error.message, registry.repository_digest(engine, public)
        if digest is None and mode == "registry":
            raise BuildFailed(
                f"The base image {public} cannot be pulled.\n{error.message}",
                "`--bases packages` makes the like of it from packages.",
            ) from error
        then = "using the one pulled before" if digest else "making the like of it" if recipe else "giving up"
        say(f"{public} cannot be pulled ({why}): {then}")
    if digest is None:
        return None, why
    base = BaseImage(
        name=recipe.name if recipe else public,
        public=public,
        reference=public,
        digest=digest,
        source=BaseSource.REGISTRY,
    )
    if recipe and recipe.registry_wheelhouse:
        base = overlay.with_wheelhouse(base, recipe, engine, say=say)
    return base, why
