"""The own engine's bridge takes a subnet that nothing on this machine uses."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from harness.engine import bridge

# /proc/net/route of Linux 6: default, 192.0.2.0/24, 172.17.0.0/16
ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
"""
HEADER = ROUTES.splitlines()[0]


def test_the_kernels_table_is_read_without_the_default_route() -> None:
    assert [str(network) for network in bridge.routed(ROUTES)] == ["192.0.2.0/24", "172.17.0.0/16"]


def test_the_first_free_subnet_is_outside_of_the_engines_own_pools() -> None:
    assert str(bridge.free_subnet(ROUTES)) == "10.213.0.0/24"


def test_none_is_free_where_everything_is_routed() -> None:
    halves = ["tun0\t00000000\t0\t1\t0\t0\t0\t00000080\t0\t0\t0", "tun0\t00000080\t0\t1\t0\t0\t0\t00000080\t0\t0\t0"]
    everything = "\n".join([HEADER, *halves])
    assert bridge.free_subnet(everything) is None


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(8, 32)), max_size=8))
def test_a_free_subnet_overlaps_no_route(taken: list[tuple[int, int]]) -> None:
    networks = [ipaddress.IPv4Network((f"10.213.{third}.0", prefix), strict=False) for third, prefix in taken]
    lines = [
        "\t".join(["eth0", _hex(n.network_address), "0", "1", "0", "0", "0", _hex(n.netmask), "0", "0", "0"])
        for n in networks
    ]
    free = bridge.free_subnet("\n".join([HEADER, *lines]))
    assert free is not None
    assert not any(free.overlaps(network) for network in networks)


def _hex(address: ipaddress.IPv4Address) -> str:
    return address.packed[::-1].hex().upper()
