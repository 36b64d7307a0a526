"""`python -m tests.unit.foundation.a_prefork PORT COUNT [fail | restless]`: says its pid to whoever connects."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial

from foundation.prefork import LIVED, prefork


def say(places: Sequence[socket.socket], *, fails: bool) -> None:
    """Answer for ever; SIGTERM ends it."""
    if fails:
        raise RuntimeError("this one cannot start")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    (place,) = places
    place.listen()
    while True:
        connection, _ = place.accept()
        with connection:
            connection.sendall(f"{os.getpid()}".encode())


if __name__ == "__main__":
    port, count, *more = sys.argv[1:]
    lived = 0.0 if "restless" in more else LIVED
    raise SystemExit(prefork("127.0.0.1", [int(port)], int(count), partial(say, fails="fail" in more), lived))
