"""Blocks of ports for whole systems that run side by side, below those that the kernel hands out."""

import itertools
import socket

from standalone.processes import ports

FIRST, LAST, STEP = 12_000, 32_000, 500
_turn = itertools.count()


def free_port_base(worker: int) -> int:
    """The next base of this worker's share with every port free."""
    share = range(FIRST + worker % 8 * STEP, LAST, 8 * STEP)
    for _ in share:
        base = share[next(_turn) % len(share)]
        if all(_is_free(port) for port in ports(base)):
            return base
    raise RuntimeError("no block of ports is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
