"""One server as several processes on the same ports: as many as there are cores, each dead one replaced.

The parent makes a listening place for each child (`SO_REUSEPORT`: the kernel shares connections out) and keeps it, so that
who connects while a child is being replaced waits instead of being refused. It runs no loop and no thread of its own: every
fork begins as clean as the first. When the parent is gone, however it went, its children end.
"""

import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence

from foundation.logs import log

ENDS = {signal.SIGTERM, signal.SIGINT}
LIVED = 5.0
"""Seconds: who dies younger than this cannot start, and the whole server ends instead of trying for ever."""
PATIENCE = 15.0
"""Seconds that children have to end when asked."""


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def places(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets on one port, not yet listening; exits with one line when somebody else is there."""
    try:
        if port:
            with socket.socket(_family(host)) as probe:  # who shares ports too would not be noticed otherwise
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        made = []
        for _ in range(count):
            place = socket.socket(_family(host))
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            place.bind((host, port))
            made.append(place)
    except OSError as error:
        why = "somebody else listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise SystemExit(f"cannot listen on {host}:{port}: {why}") from None
    return made


Run = Callable[[Sequence[socket.socket]], None]
"""What a process does with its places, one for each port."""


def prefork(host: str, ports: Sequence[int], count: int, run: Run, lived: float = LIVED) -> int:
    """Run `run` in `count` processes, in this one when it is one; the exit status. SIGTERM and SIGINT end them all."""
    made = list(zip(*(places(host, port, count) for port in ports), strict=True))
    if count == 1:
        run(made[0])
        return 0
    return _Crew(made, run, lived).serve()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class _Crew:
    """The children by pid: which places each serves and since when."""

    def __init__(self, places: Sequence[Sequence[socket.socket]], run: Run, lived: float) -> None:
        self._places, self._run, self._lived = places, run, lived
        self._children: dict[int, tuple[int, float]] = {}
        self._lifeline, self._end = os.pipe()

    def serve(self) -> int:
        """Until it is told to end, or a child cannot even start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDS, signal.SIGCHLD})
        for number in range(len(self._places)):
            self._fork(number)
        while signal.sigwait({*ENDS, signal.SIGCHLD}) == signal.SIGCHLD:
            for number, age in self._buried():
                if age < self._lived:
                    log.error("process_cannot_start", number=number)
                    self._finish()
                    return 1
                log.error("process_replaced", number=number, after_seconds=round(age))
                self._fork(number)
        self._finish()
        return 0

    def _fork(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._children[pid] = number, time.monotonic()
            return
        status = 1
        try:  # nothing of the parent may run in the child, whatever happens
            os.close(self._end)
            threading.Thread(target=self._end_with_the_parent, daemon=True).start()
            for place in (one for other, own in enumerate(self._places) if other != number for one in own):
                place.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {*ENDS, signal.SIGCHLD})
            self._run(self._places[number])
            status = 0
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else int(left.code is not None)
            if isinstance(left.code, str):
                log.error("process_failed", number=number, why=left.code)
        except BaseException:
            log.exception("process_failed", number=number)
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _end_with_the_parent(self) -> None:
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _buried(self) -> list[tuple[int, float]]:
        """Places of the children that ended since, and how long each had lived."""
        found = []
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                number, born = self._children.pop(pid)
                found.append((number, time.monotonic() - born))
        return found

    def _finish(self) -> None:
        deadline = time.monotonic() + PATIENCE
        self._tell(signal.SIGTERM)
        while self._children:
            left = deadline - time.monotonic()
            if left <= 0:
                self._tell(signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, max(left, 1.0))
            self._buried()

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._children:
            os.kill(pid, number)
