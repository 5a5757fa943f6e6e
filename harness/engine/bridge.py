"""The network bridge of Seatrial's own engine: made and removed through the kernel, without any program.

The requests are those of Linux's netdevice(7) and of include/uapi/linux/sockios.h.
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

ADD_BRIDGE, REMOVE_BRIDGE = 0x89A0, 0x89A1
GET_FLAGS, SET_FLAGS = 0x8913, 0x8914
SET_ADDRESS, SET_NETMASK = 0x8916, 0x891C
UP = 0x1
ROUTES = Path("/proc/net/route")
NAME_LENGTH = 16

POOLS = tuple(ipaddress.IPv4Network(pool) for pool in ("10.213.0.0/16", "172.31.0.0/16", "192.168.0.0/16"))
"""Where to look for a free /24; the first is outside of the pools that an engine takes its networks from."""


def create(name: str, subnet: ipaddress.IPv4Network) -> None:
    """Make a bridge whose own address is the subnet's first host; one that is there already is taken as it is.

    Raises:
        OSError: the kernel has no bridges, or this process may not make one.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        with suppress(FileExistsError):
            fcntl.ioctl(control, ADD_BRIDGE, _name(name))
        fcntl.ioctl(control, SET_ADDRESS, _name(name) + _address(subnet.network_address + 1))
        fcntl.ioctl(control, SET_NETMASK, _name(name) + _address(subnet.netmask))
        _set_up(control, name, up=True)


def remove(name: str) -> None:
    """Take a bridge down and remove it; one that is not there is no error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control, suppress(OSError):
        _set_up(control, name, up=False)
        fcntl.ioctl(control, REMOVE_BRIDGE, _name(name))


def exists(name: str) -> bool:
    """Say whether this machine has a network interface of that name."""
    return name in (interface for _, interface in socket.if_nameindex())


def free_subnet(routes: str | None = None) -> ipaddress.IPv4Network | None:
    """Return a /24 that overlaps no route of this machine (text of /proc/net/route), or None where there is none."""
    taken = list(routed(ROUTES.read_text("ascii") if routes is None else routes))
    for pool in POOLS:
        for subnet in pool.subnets(new_prefix=24):
            if not any(subnet.overlaps(network) for network in taken):
                return subnet
    return None


def routed(routes: str) -> Iterable[ipaddress.IPv4Network]:
    """Read /proc/net/route: the networks that have a route, the default route left out."""
    for line in routes.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8:
            continue
        # The kernel prints the address's bytes as a number of this machine's byte order.
        destination, mask = (struct.pack("=I", int(fields[index], 16)) for index in (1, 7))
        prefix = int.from_bytes(mask, "big").bit_count()
        if prefix:
            yield ipaddress.IPv4Network((destination, prefix), strict=False)


def _name(name: str) -> bytes:
    return name.encode().ljust(NAME_LENGTH, b"\0")


def _address(address: ipaddress.IPv4Address) -> bytes:
    return struct.pack("=HH4s8x", socket.AF_INET, 0, address.packed)


def _set_up(control: socket.socket, name: str, *, up: bool) -> None:
    answer = fcntl.ioctl(control, GET_FLAGS, _name(name) + bytes(16))
    (flags,) = struct.unpack_from("=H", answer, NAME_LENGTH)
    flags = flags | UP if up else flags & ~UP
    fcntl.ioctl(control, SET_FLAGS, _name(name) + struct.pack("=H14x", flags))
