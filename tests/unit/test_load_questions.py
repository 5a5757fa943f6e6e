"""Which ways an experiment sets against each other: one thing changed at a time."""

from __future__ import annotations

import pytest

from harness.engine import run_profiles
from harness.errors import UsageError
from harness.model import RunProfile
from loadtests import questions
from loadtests.load_profile import LoadProfile
from loadtests.setting import Cores, Setting
from tests.made_records import image

HARDENED = run_profiles.load("hardened")
ARTICLE = run_profiles.load("article")
SETTING = Setting(
    run_profile=HARDENED,
    load_profile=LoadProfile(name="t", title="t", users=4, repeats=2),
    generator_image="generator",
    cores=Cores(target="0", generator="1"),
)


def test_each_flag_is_one_change_and_all_together_are_the_hardened_profile() -> None:
    found = questions.flags(ARTICLE, HARDENED)
    every: RunProfile = ARTICLE
    for name, profile, what in found:
        fields = next(fields for known, fields, _ in questions.FLAGS if known == name)
        changed = {key for key, value in profile if value != getattr(ARTICLE, key)}
        assert changed - {"name"} <= set(fields)
        assert changed - {"name"}
        assert "{" not in what
        every = every.model_copy(update={key: getattr(profile, key) for key in fields})
    apart = {"name", "title", "cpus", "restart", "network", "publish", "healthcheck"}
    assert every.model_dump(exclude=apart) == HARDENED.model_dump(exclude=apart)
    assert questions.flags(HARDENED, HARDENED) == []


def test_worker_classes_are_set_against_each_other_on_each_endpoint() -> None:
    arms = questions.classes(SETTING, ("io", "cpu"))
    assert [(arm.name, arm.endpoint, arm.baseline) for arm in arms[:3]] == [
        ("io, sync", "io", None),
        ("io, sync x3", "io", "io, sync"),
        ("io, gthread", "io", "io, sync"),
    ]
    assert arms[0].setting.load_profile.journeys == {"io": 1}
    assert arms[3].setting.load_profile.journeys == {"cpu": 1}
    assert "--worker-class gthread" in arms[2].setting.env["GUNICORN_CMD_ARGS"]
    (mixed, *_) = questions.classes(SETTING, ())
    assert mixed.endpoint == ""
    assert mixed.setting.load_profile == SETTING.load_profile


def test_the_ways_to_a_target() -> None:
    namespace, host, published = questions.path(SETTING, 4001, 4002)
    assert [arm.setting.path for arm in (namespace, host, published)] == ["namespace", "host", "published"]
    assert (host.setting.port, published.setting.port, namespace.setting.port) == (4001, 4002, 5000)
    assert {host.baseline, published.baseline} == {"namespace"}


def test_limits_of_half_a_core_one_and_all() -> None:
    one, half, every = questions.cpus(SETTING, [0, 1, 2])
    assert (one.setting.run_profile.cpus, half.setting.run_profile.cpus) == (1.0, 0.5)
    assert every.setting.run_profile.cpus is None
    assert every.setting.cores == Cores(target="0,1,2", generator="1")
    assert len(questions.cpus(SETTING, [0])) == 2


def test_workers_and_threads_are_given_in_a_way_that_any_gunicorn_takes() -> None:
    built, *others = questions.workers(SETTING)
    assert built.setting.env == {}
    found = {arm.name: arm.setting.env["GUNICORN_CMD_ARGS"] for arm in others}
    assert len(found) == 9
    assert found["2x8"] == "--workers 2 --threads 8 --worker-class gthread"
    assert found["1x1"] == "--workers 1 --threads 1 --worker-class sync"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("python3 -m app", "not started by gunicorn"),
        ("gunicorn --workers 3 app:app", "sets --workers"),
        ("python3 -m gunicorn --threads=2 -k gevent app:app", "sets --threads=2, -k"),
    ],
)
def test_what_cannot_be_varied_is_refused(argv: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        questions.refuse_no_gunicorn(image("a1", entrypoint=tuple(argv.split())))


def test_a_gunicorn_that_leaves_its_workers_open_is_taken() -> None:
    questions.refuse_no_gunicorn(image("a1", entrypoint=("python3", "-m", "gunicorn", "-c", "c.py", "app:app")))
