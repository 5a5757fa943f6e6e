"""Only what carries Seatrial's labels, and whose run is dead, is removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from click.testing import CliRunner

from harness.engine import daemon, labels, things
from harness.engine.things import Kind, Thing
from harness.locks import run_lock
from seatrial.clean import chosen, command
from seatrial.terminal import Terminal

ALIVE, DEAD, FOREIGN = "20260101-000000-0001", "20260101-000000-0002", "20260101-000000-0003"


def thing(run_id: str | None, name: str = "seatrial-x") -> Thing:
    return Thing(kind=Kind.CONTAINER, id=name, name=name, run_id=run_id, role="target", variant=None)


def labelled(run_id: str, role: labels.Role) -> dict[str, str]:
    return labels.of(run_id, role)


class FakeApi:
    """An engine's answers, as Docker 20.10 gives them; it filters by label itself."""

    def containers(self, all: bool, filters: dict[str, str]) -> list[dict[str, Any]]:
        assert all
        assert filters == {"label": labels.RUN}
        return [
            {"Id": "1", "Names": ["/seatrial-a"], "State": "running", "Labels": labelled(DEAD, labels.Role.TARGET)},
            # A user's own container, from an image of ours whose labels it took on.
            {"Id": "2", "Names": ["/happy_curie"], "State": "running", "Labels": labelled(DEAD, labels.Role.VARIANT)},
            {"Id": "3", "Names": None, "State": "dead", "Labels": labelled(DEAD, labels.Role.PAUSE)},
        ]

    def volumes(self, filters: dict[str, str]) -> dict[str, Any]:
        return {"Volumes": None}

    def networks(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        return [{"Id": "n", "Name": "seatrial-n", "Labels": labelled(ALIVE, labels.Role.TARGET)}]


def test_a_users_own_container_of_our_image_is_not_ours() -> None:
    client = cast(docker.DockerClient, SimpleNamespace(api=FakeApi()))
    assert [(each.kind, each.id) for each in things.of_runs(client)] == [
        (Kind.CONTAINER, "1"),
        (Kind.CONTAINER, "3"),
        (Kind.NETWORK, "n"),
    ]


def test_only_dead_runs_things_go_unless_all_are_asked_for() -> None:
    with pytest.raises(ZeroDivisionError), run_lock(DEAD):
        raise ZeroDivisionError
    found = [thing(ALIVE), thing(DEAD), thing(FOREIGN), thing(None), thing("../../x")]
    with run_lock(ALIVE):
        assert chosen(found, everything=False) == [thing(DEAD)]
        assert chosen(found, everything=True) == found


@pytest.mark.parametrize(
    ("own", "words", "emptied"),
    [(True, ["--cache"], 1), (False, ["--cache"], 0), (True, [], 0), (True, ["--cache", "--dry-run"], 0)],
    ids=["own engine", "somebody's engine", "not asked for", "dry run"],
)
def test_a_build_cache_is_only_emptied_in_our_own_engine(
    monkeypatch: pytest.MonkeyPatch, own: bool, words: list[str], emptied: int
) -> None:
    prunings: list[bool] = []

    class Api(FakeApi):
        def prune_builds(self, all: bool) -> dict[str, int]:
            prunings.append(all)
            return {"SpaceReclaimed": 42_000_000}

        def containers(self, all: bool, filters: dict[str, str]) -> list[dict[str, Any]]:
            return []

        def networks(self, filters: dict[str, str]) -> list[dict[str, Any]]:
            return []

    host = daemon.status().host if own else "unix:///var/run/docker.sock"

    @contextmanager
    def connected(**_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(client=SimpleNamespace(api=Api()), host=host)

    monkeypatch.setattr("seatrial.clean.connected", connected)
    done = CliRunner().invoke(command, words, obj=Terminal())
    assert done.exit_code == 0, done.output
    assert len(prunings) == emptied
