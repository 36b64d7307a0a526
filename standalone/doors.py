"""`make run TLS=1`: https for a phone on the same network, in front of the processes a browser speaks to.

Cameras, `__Host-` cookies and service workers want https everywhere but on 127.0.0.1. Each door ends TLS and passes the bytes on to
the process behind it, WebSockets included; it reads nothing of them. The processes keep to loopback. One more door, without TLS,
gives out the root certificate that the phone has to trust; a hospital's own host name and certificate take the place of all this.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from foundation.tls import web_context
from standalone.failure import StartFailed
from standalone.installation import Installation
from standalone.processes import BY_NAME, DOORS, ROOT_DOOR

CHUNK = 1 << 16
CERTIFICATE = "application/x-x509-ca-cert"


def own_address() -> str:
    """This machine's address on its network; loopback when it has none. Nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


class Doors:
    """All of them, for one installation."""

    def __init__(self, installation: Installation) -> None:
        assert installation.host
        self._installation = installation
        self._bind = _bind_to(installation.host)
        self._servers: list[asyncio.Server] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """`StartFailed` names the port that somebody has."""
        web = self._installation.certificates.web
        context = web_context(web.certificate, web.key)
        base = self._installation.port_base
        try:
            for name, offset in DOORS.items():
                behind = urlsplit(BY_NAME[name].url(base)).port
                assert behind is not None
                await self._open(base + offset, _Passage(behind, self._passing), context)
            await self._open(base + ROOT_DOOR, _Root(self._installation.certificates.hospital.root), None)
        except OSError as problem:
            await self.close()
            raise StartFailed(f"TLS=1 cannot listen: {problem.strerror or problem}") from None

    async def _open(self, port: int, serve: "Callable[..., object]", context: ssl.SSLContext | None) -> None:
        self._servers.append(await asyncio.start_server(serve, self._bind, port, ssl=context))  # type: ignore[arg-type]

    async def close(self) -> None:
        """Nobody comes in any more, and who is in is let go."""
        for server in self._servers:
            server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        self._servers.clear()


class _Passage:
    """One door: whatever comes is passed on both ways until either side is through."""

    def __init__(self, behind: int, passing: set[asyncio.Task[None]]) -> None:
        self._behind, self._passing = behind, passing

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)
        with contextlib.closing(writer), contextlib.suppress(OSError):
            inner, out = await asyncio.open_connection("127.0.0.1", self._behind)
            with contextlib.closing(out):
                ways = [asyncio.create_task(_pass(reader, out)), asyncio.create_task(_pass(inner, writer))]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()


class _Root:
    """Answers any request with the root certificate, as a phone installs one."""

    def __init__(self, root: Path) -> None:
        self._body = root.read_bytes()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(10):
                await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 200 OK\r\ncontent-type: {CERTIFICATE}\r\ncontent-length: {len(self._body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode() + self._body)
            await writer.drain()


def _bind_to(host: str) -> str:
    """A name stands for any of this machine's addresses; an address for itself."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - asked for by TLS_HOST
