"""Child processes: forks of `standalone.forkserver`, or interpreters of their own where forking is not wanted (FORK=0)."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from standalone.failure import StartFailed

ROOT = Path(__file__).resolve().parent.parent
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "SSL_CERT_FILE",
    "PYTHONDEVMODE",
    "PYTHONWARNINGS",
)
"""The only variables of the caller that a child sees."""


class Child(Protocol):
    """One running process."""

    pid: int

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""

    async def wait(self) -> int:
        """Its exit status, negative for the signal that ended it. May be called by several."""


class Children(Protocol):
    """Where processes come from."""

    async def spawn(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> Child:
        """Run `python -m module arguments` with exactly this environment, output appended to `log`."""

    async def close(self) -> None:
        """Ends whatever still runs."""


def inherited() -> dict[str, str]:
    """The base of every child's environment."""
    base = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return base | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}


class _Fork:
    def __init__(self, owner: "Forks", number: int) -> None:
        loop = asyncio.get_running_loop()
        self.pid = 0
        self.started: asyncio.Future[None] = loop.create_future()
        self.status: asyncio.Future[int] = loop.create_future()
        self._owner = owner
        self._number = number

    def signal(self, number: signal.Signals) -> None:
        if not self.status.done():
            self._owner.say({"signal": self._number, "number": int(number)})

    async def wait(self) -> int:
        return await asyncio.shield(self.status)


class Forks:
    """Client of the fork server. The server begins to import as soon as this is made, which needs no event loop."""

    def __init__(self) -> None:
        self._forks: dict[int, _Fork] = {}
        self._count = 0
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "standalone.forkserver", str(theirs.fileno())],
                env=inherited(), cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._open: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def spawn(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> Child:
        """As `Children.spawn`."""
        if self._open is None:
            self._open = asyncio.create_task(self._connect())
        await asyncio.shield(self._open)
        self._count += 1
        fork = self._forks[self._count] = _Fork(self, self._count)
        self.say(
            {
                "start": self._count, "module": module, "arguments": list(arguments), "log": str(log),
                "environment": dict(environment), "folder": str(ROOT),
            }
        )  # fmt: skip
        await fork.started
        return fork

    def say(self, message: dict[str, Any]) -> None:
        """Send one order."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def close(self) -> None:
        """The server ends its forks when the socket closes."""
        if self._writer is None:
            self._ours.close()
        else:
            self._writer.close()
        try:
            await asyncio.to_thread(self._server.wait, 40)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        if self._reading is not None:
            await self._reading

    async def _connect(self) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._ours, limit=1 << 20)
        if not await reader.readline():
            raise StartFailed(f"the fork server ended with status {self._server.wait()}")
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            async for line in reader:
                message = json.loads(line)
                if "started" in message:
                    fork = self._forks[message["started"]]
                    fork.pid = message["pid"]
                    fork.started.set_result(None)
                else:
                    self._forks.pop(message["ended"]).status.set_result(message["status"])
        for fork in self._forks.values():  # nobody will say any more how they ended
            if not fork.started.done():
                fork.started.set_exception(StartFailed("the fork server is gone"))
            fork.status.set_result(-signal.SIGKILL)


class _Interpreter:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait(self) -> int:
        return await self._process.wait()


class Interpreters:
    """An interpreter each, as in production: slower to start, and nothing shared."""

    def __init__(self) -> None:
        self._running: list[_Interpreter] = []

    async def spawn(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> Child:
        """As `Children.spawn`."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *arguments, env=dict(environment), cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        child = _Interpreter(process)
        self._running.append(child)
        return child

    async def close(self) -> None:
        """Kills what still runs; `System` has asked politely before."""
        for child in self._running:
            child.signal(signal.SIGKILL)
        for child in self._running:
            await child.wait()
