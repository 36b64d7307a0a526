"""uvicorn: any number of listeners in one event loop, with or without mutual TLS."""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from simulators.server.known_clients import protocol_for
from simulators.server.settings import TlsFiles


@dataclass(frozen=True)
class Listener:
    """Port 0 takes a free port."""

    app: ASGIApp
    host: str
    port: int
    tls: TlsFiles | None = None


class _Server(uvicorn.Server):
    """Signals belong to `serve`, which has several of these to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    listeners: Sequence[Listener], log_level: str = "INFO", on_stop: Callable[[], None] | None = None
) -> None:
    """Run until SIGTERM or SIGINT. A port in use: one line on stderr, exit code 1.

    `on_stop` is called at the signal: an application that is still starting up can give up.
    """
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    pairs = _bind_all(listeners)
    servers = [_server(one, log_level) for one, _ in pairs]
    with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
        runner.run(_run(servers, [bound for _, bound in pairs], on_stop=on_stop))


@contextlib.contextmanager
def in_background(listeners: Sequence[Listener], wait_seconds: float = 20) -> Iterator[list[str]]:
    """Serve from a thread; yields each listener's base address (`http://127.0.0.1:41234`)."""
    pairs = _bind_all(listeners)
    servers = [_server(one, "WARNING") for one, _ in pairs]
    sockets = [bound for _, bound in pairs]
    thread = threading.Thread(target=lambda: asyncio.run(_run(servers, sockets, signals=False)), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + wait_seconds
        while not all(server.started for server in servers):
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        yield [
            f"{'https' if one.tls else 'http'}://{bound.getsockname()[0]}:{bound.getsockname()[1]}"
            for one, bound in pairs
        ]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(wait_seconds)


def _server(listener: Listener, log_level: str) -> _Server:
    config = uvicorn.Config(
        listener.app,
        log_config=None,
        log_level=log_level.lower(),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=listener.tls.certificate if listener.tls else None,
        ssl_keyfile=listener.tls.key if listener.tls else None,
        ssl_ca_certs=str(listener.tls.authority) if listener.tls else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if listener.tls else ssl.CERT_NONE,
        http=protocol_for(listener.tls.clients) if listener.tls and listener.tls.clients else "auto",
    )
    return _Server(config)


def _bind_all(listeners: Sequence[Listener]) -> list[tuple[Listener, socket.socket]]:
    return [(listener, _bind(listener.host, listener.port)) for listener in listeners]


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, every answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        sys.stderr.write(f"cannot listen on {host}:{port}: {problem.strerror}\n")
        raise SystemExit(1) from None
    return bound


async def _run(
    servers: list[_Server],
    sockets: list[socket.socket],
    *,
    signals: bool = True,
    on_stop: Callable[[], None] | None = None,
) -> None:
    def stop() -> None:
        if on_stop is not None:
            on_stop()
        for server in servers:
            server.should_exit = True

    if signals:
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop)
    tasks = [
        asyncio.create_task(server.serve(sockets=[bound]))
        for server, bound in zip(servers, sockets, strict=True)
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop()  # one listener alone is no service
    await asyncio.gather(*tasks)
    for bound in sockets:
        bound.close()
