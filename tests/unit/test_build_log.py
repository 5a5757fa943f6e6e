"""A step whose result a builder had already is seen in what it says."""

from __future__ import annotations

from harness.engine.build_log import steps_not_done

BUILDKIT = """\
#4 [build 1/7] FROM docker.io/seatrial-base/slim:c41f1801d638
#4 sha256:ecccb36a90b1ad1a16f4273c51a4f54f5b0498366ae92460e9e961b7be96fdca
#4 CACHED

#2 [internal] load .dockerignore
#2 CACHED

#9 [build 5/7] RUN ["python3", "-m", "pip", "install"]
#9 sha256:2cb3efce53ef45790a4122171af9153efe9b0fb81cc7b8b999c4a3423f6b9a8b
#9 0.8 #7 CACHED is what a program prints
#9 DONE 1.9s

#5 [build 2/7] WORKDIR /opt/app
#5 CACHED

#6 [linux/amd64 build 4/7] COPY wheels/ /wheels/
#6 CACHED

#14 [stage-1 5/5] RUN ["python3", "-c", "import app.wsgi"]
#14 CACHED
"""
CLASSIC = """\
Step 1/3 : FROM seatrial-base/alpine:0123456789ab
 ---> e0947bdd165f
Step 2/3 : COPY app/ app/
 ---> Using cache
 ---> 746d6e2ef996
Step 3/3 : USER 1:1
 ---> Running in 4404e9addae2
"""


def test_buildkits_cached_steps_are_named_but_those_that_are_no_work() -> None:
    assert steps_not_done(BUILDKIT.splitlines()) == [
        "[linux/amd64 build 4/7] COPY wheels/ /wheels/",
        '[stage-1 5/5] RUN ["python3", "-c", "import app.wsgi"]',
    ]


def test_the_classic_builders_cached_steps_are_named() -> None:
    assert steps_not_done(CLASSIC.splitlines()) == ["COPY app/ app/"]


def test_a_build_that_did_all_of_it_has_none() -> None:
    done = [line for line in (BUILDKIT + CLASSIC).splitlines() if "CACHED" not in line and "Using cache" not in line]
    assert steps_not_done(done) == []
