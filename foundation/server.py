"""Runs one ASGI application on one or two listeners until SIGTERM, with the peer's certificate visible to it.

uvicorn hides client certificates from the application; `PeerProtocol` puts the peer's URI identity into
`scope["extensions"]["peer"]`. A test fails when uvicorn's protocol class no longer has the hook it leans on.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from foundation.tls import uri_identity


class PeerProtocol(HttpToolsProtocol):
    """httptools protocol that also tells who is at the other end."""

    def on_message_begin(self) -> None:
        """Called by httptools at the start of each request."""
        super().on_message_begin()
        tls = self.transport.get_extra_info("ssl_object")
        identity = uri_identity(tls.getpeercert()) if tls else ""
        self.scope["extensions"] = {**(self.scope.get("extensions") or {}), "peer": {"identity": identity}}


KEEP_ALIVE_SECONDS = 75
"""Longer than the clients of our processes keep an idle connection (5 s, a proxy 60 s): the side that sends must close it first."""


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to `serve`. `place` is a bound socket to listen on instead of host and port."""

    place: socket.socket | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Until `should_exit`."""
        await super().serve([self.place] if self.place is not None else sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `serve` owns the signals."""
        yield


def listener(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    place: socket.socket | None = None,
) -> Listener:
    """A server for `app`; with `tls` the context is used as it is (client certificates included)."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PeerProtocol,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws_max_size=1_000_000,
        ssl_context_factory=(lambda *_: tls) if tls is not None else None,
    )
    made = Listener(config)
    made.place = place
    return made


async def serve(*listeners: Listener, until: asyncio.Event | None = None) -> None:
    """Run all listeners until SIGTERM, SIGINT or `until`; the first that cannot start ends the process with status 1."""
    stop = until or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = [asyncio.create_task(one.serve()) for one in listeners]
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([*running, waiting], return_when=asyncio.FIRST_COMPLETED)
    for one in listeners:
        one.should_exit = True
    await asyncio.gather(*running)
    waiting.cancel()


def run(coroutine: Any) -> None:
    """`asyncio.run` on uvloop."""
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(coroutine)


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()
