"""`python -m standalone.forkserver FD`: imports what all processes need once, then forks each of them.

Thirteen interpreters that each import the same libraries cost seconds of start-up and hundreds of megabytes; forks of
one share both (docs/decisions/0010-fork-server.md). A fork runs `python -m <module>` as if it had been started by itself:
own environment, own session, own log file. Only libraries and `foundation` are imported here, never a process's own
code: two processes may not see each other's tables, metrics or settings.

Speaks lines of JSON over a socket pair. In: `{"start": id, "module", "arguments", "environment", "folder", "log"}`,
`{"signal": id, "number"}`. Out: `{"ready": true}`, `{"started": id, "pid"}`, `{"ended": id, "status"}`.
When the socket closes, whoever asked is gone: the forks are asked to end, and then made to.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
from typing import Any

PRELOADED = (
    "asyncio", "uvloop", "httptools", "uvicorn", "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto", "starlette.applications", "starlette.routing",
    "starlette.websockets", "starlette.middleware", "starlette.staticfiles",
    "sqlalchemy", "sqlalchemy.orm", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql.asyncpg", "asyncpg",
    "aiohttp", "httpx", "arq", "redis.asyncio", "jinja2", "msgspec", "structlog", "prometheus_client",
    "cryptography.x509", "cryptography.hazmat.primitives.ciphers.aead", "argon2", "pyotp", "sqlite3", "multipart",
    "foundation.db.base", "foundation.db.unit_of_work", "foundation.server", "foundation.web.endpoint",
)  # fmt: skip
PATIENCE_SECONDS = 15.0


class Server:
    """Forks and their ends; one thread, no event loop, so that a fork inherits nothing that runs."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._buffer = b""
        self._children: dict[int, int] = {}
        self._ids: dict[int, int] = {}
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    def serve(self) -> dict[str, Any] | None:
        """Returns in the parent with None once the other side is gone, and in each fork with its job."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._say(ready=True)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                self._reap()
                if self._control not in ready:
                    continue
                data = self._control.recv(1 << 20)
                if not data:
                    self._end_all()
                    return None
                job = self._obey(data)
                if job is not None:
                    selector.close()
                    return job

    def _obey(self, data: bytes) -> dict[str, Any] | None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "start" in order:
                pid = os.fork()
                if pid == 0:
                    return dict(order)
                self._children[pid] = order["start"]
                self._ids[order["start"]] = pid
                self._say(started=order["start"], pid=pid)
            elif order["signal"] in self._ids:
                os.kill(self._ids[order["signal"]], order["number"])
        return None

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                child = self._children.pop(pid)
                del self._ids[child]
                self._say(ended=child, status=os.waitstatus_to_exitcode(status))

    def _say(self, **message: object) -> None:
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _end_all(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in list(self._children):
                os.kill(pid, number)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while self._children and time.monotonic() < deadline:
                time.sleep(0.02)
                self._reap()

    def forget(self) -> None:
        """In a fork: close what belongs to the parent."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._control, self._woken, self._waker):
            end.close()


def become(job: dict[str, Any]) -> None:
    """Turn this fork into the process that `job` describes, short of running its module."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(job["environment"])
    time.tzset()
    os.chdir(job["folder"])
    with open(job["log"], "ab", buffering=0) as log, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - descriptors
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = [job["module"], *job["arguments"]]


def main() -> None:
    """Preload, serve, and in a fork run the module."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(socket.socket(fileno=int(sys.argv[1])))
    for name in PRELOADED:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    job = server.serve()
    if job is None:
        return
    server.forget()
    become(job)
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
