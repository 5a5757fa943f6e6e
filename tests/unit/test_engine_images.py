"""Which names of an image are Seatrial's own, though what is built from it has its labels too; and which may go."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest

from harness.engine import labels, things
from harness.engine.client import Engine
from harness.engine.images import own_names, remove_superseded
from harness.engine.labels import Role
from harness.locks import run_lock

HASH = "0123456789abcdef" * 4
OURS = "seatrial/slim-gunicorn"


def image(*names: str, role: Role | str = Role.VARIANT, inputs: str = HASH, created: float = 1) -> dict[str, Any]:
    return {
        "Id": f"sha256:{inputs}",
        "RepoTags": list(names) or None,
        "Labels": {labels.ROLE: str(role), labels.INPUTS: inputs},
        "Created": int(created),
        "Size": 1,
        "made": datetime.fromtimestamp(created, UTC).isoformat(),
    }


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (f"{OURS}:{HASH[:12]}", True),
        (f"{OURS}:latest", True),
        (f"seatrial-base/slim:{HASH[:12]}", True),
        (f"seatrial/generator:{HASH[:16]}", True),
        (f"localhost/{OURS}:{HASH[:12]}", True),
        (f"docker.io/{OURS}:latest", True),
        ("shop/web:1", False),
        ("shop/web:latest", False),
        (f"registry.example/{OURS}:{HASH[:12]}", False),
        (f"{OURS}:mine", False),
        (f"{OURS}:0", False),
        (f"{OURS}:ffffffffffff", False),
        ("<none>:<none>", False),
    ],
)
def test_only_names_that_we_gave_are_ours(name: str, ours: bool) -> None:
    assert list(own_names(image(name))) == ([name] if ours else [])


@pytest.mark.parametrize(
    "labelled",
    [{}, {labels.ROLE: "variant"}, {labels.INPUTS: HASH}, {labels.ROLE: "target", labels.INPUTS: HASH}, None],
)
def test_an_image_without_our_labels_is_not_ours(labelled: dict[str, str] | None) -> None:
    assert own_names({"RepoTags": [f"{OURS}:{HASH[:12]}"], "Labels": labelled}) == {}


class FakeApi:
    """The engine's images; removing notes the name."""

    def __init__(self, *found: dict[str, Any], in_use: tuple[str, ...] = (), exact: bool = True) -> None:
        self.found = found
        self.in_use = in_use
        self.exact = exact
        self.removed: list[str] = []

    def images(self, filters: dict[str, Any]) -> list[dict[str, Any]]:
        assert all(str(word).startswith(labels.PREFIX) for word in filters["label"])
        return list(self.found)

    def inspect_image(self, image_id: str) -> dict[str, Any]:
        """Return when it got its name; an engine that does not say so leaves the list's second."""
        made = next(one["made"] for one in self.found if one["Id"] == image_id)
        return {"Metadata": {"LastTagTime": made}} if self.exact else {}

    def remove_image(self, name: str) -> None:
        if name in self.in_use:
            raise docker.errors.APIError("conflict: container 1 is using its referenced image")
        self.removed.append(name)


def engine(api: FakeApi) -> Engine:
    client = cast(docker.DockerClient, SimpleNamespace(api=api))
    return Engine(client, run_id="20260101-000000-0001", source="a test", host="unix:///x")


def test_cleaning_lists_no_image_of_a_user_and_takes_no_name_that_a_user_gave() -> None:
    derived, ours = image("shop/web:1"), image("shop/slim:2026", f"{OURS}:{HASH[:12]}", f"{OURS}:latest")
    api = FakeApi(derived, ours)
    found = things.images(engine(api).client)
    assert [(thing.name, thing.names) for thing in found] == [
        (f"{OURS}:{HASH[:12]}", (f"{OURS}:{HASH[:12]}", f"{OURS}:latest"))
    ]
    assert things.remove(engine(api).client, found) == []
    assert api.removed == [f"{OURS}:{HASH[:12]}", f"{OURS}:latest"]


def clones(in_use: tuple[str, ...] = (), apart_s: float = 0.1, exact: bool = True) -> FakeApi:
    """Five images of one variant, the newest first; one of another; one that a user built from the oldest."""
    times = (9.9 - n * apart_s for n in range(5))
    five = [image(f"{OURS}:{one * 12}", inputs=one * 64, created=at) for one, at in zip("abcde", times, strict=True)]
    other = image("seatrial/slim-dev:" + "f" * 12, inputs="f" * 64, created=0)
    derived = image("shop/web:1", inputs="e" * 64, created=0)
    return FakeApi(*five, other, derived, in_use=in_use, exact=exact)


def superseded(api: FakeApi, current: str) -> list[str]:
    return remove_superseded(engine(api), Role.VARIANT, OURS, current=current * 64, kept=3)


def test_the_last_few_stay_with_the_one_in_use_now() -> None:
    assert superseded(clones(), "a") == [f"{OURS}:{'d' * 12}", f"{OURS}:{'e' * 12}"]
    assert superseded(clones(), "e") == [f"{OURS}:{'c' * 12}", f"{OURS}:{'d' * 12}"], "built long ago, used now"


def test_an_engine_that_tells_no_moment_is_taken_by_its_lists_second() -> None:
    assert superseded(clones(apart_s=1.0, exact=False), "a") == [f"{OURS}:{'d' * 12}", f"{OURS}:{'e' * 12}"]


def test_what_a_container_uses_stays() -> None:
    assert superseded(clones(in_use=(f"{OURS}:{'d' * 12}",)), "a") == [f"{OURS}:{'e' * 12}"]


def test_nothing_goes_while_another_run_is_alive() -> None:
    with run_lock("20260101-000000-0002"):
        assert superseded(clones(), "a") == []
