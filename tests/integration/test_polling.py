"""Who looks for answers: closed users on cores that are not the target's, over real connections."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import gevent
import pytest

from harness.paths import ROOT
from loadtests.inside.patient import Fresh
from loadtests.inside.polling import LONGEST_S, Polling

WAIT_S = 2.0
OTHER = "100000"
SHARE = """
import sys
from loadtests.inside.share import Share
from loadtests.inside.orders import Orders
share = Share(Orders(model=sys.argv[1], rate=1.0, target_cpus=sys.argv[2]))
print(share.polling is not None)
if share.polling is not None:
    share.begin()
    share.polling.spent += 5.0
    share.end()
    print(share.summary()["cpu_seconds"] < -4.0)
"""


@pytest.mark.parametrize("polling", [None, Polling()], ids=["woken", "looking"])
def test_an_answer_comes_and_one_that_does_not_is_given_up(polling: Polling | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = Fresh(WAIT_S, polling).take()
        asked.connect(server.getsockname())
        other, _ = server.accept()
        with other:
            gevent.spawn_later(WAIT_S / 20, other.sendall, b"answer")
            assert asked.recv(100) == b"answer"
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                asked.recv(100)
            assert time.monotonic() - began >= 0.9 * WAIT_S
            assert polling is None or polling.spent >= LONGEST_S
        asked.close()


@pytest.mark.parametrize(
    ("model", "target", "printed"),
    [
        pytest.param("closed", OTHER, ["True", "True"], id="closed"),
        pytest.param("open", OTHER, ["False"], id="open"),
        pytest.param("closed", "0-999", ["False"], id="on the target's core"),
    ],
)
def test_closed_users_of_other_cores_look_and_it_is_none_of_their_work(
    model: str, target: str, printed: list[str]
) -> None:
    # In a process of its own: Locust replaces parts of the standard library.
    made = subprocess.run(
        [sys.executable, "-c", SHARE, model, target], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert made.stdout.split() == printed
