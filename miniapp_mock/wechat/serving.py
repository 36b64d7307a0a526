"""uvicorn, and the limit on bodies."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 1_000_000


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # ours are set on the loop, so that the exit code is 0


def serve(app: ASGIApp, host: str, port: int, log_level: str = "INFO") -> None:
    """Run until SIGTERM or SIGINT. A port in use: one line on stderr, exit code 1."""
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    bound = _bind(host, port)
    server = _server(app, log_level)
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_run(server, bound))


@contextlib.contextmanager
def in_background(app: ASGIApp, wait_seconds: float = 20) -> Iterator[str]:
    """Serve on a free loopback port from a thread; yields the base address."""
    bound = _bind("127.0.0.1", 0)
    server = _server(app, "WARNING")
    thread = threading.Thread(target=lambda: asyncio.run(_run(server, bound, signals=False)), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + wait_seconds
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError("the mock did not start")
            time.sleep(0.005)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(wait_seconds)


def _server(app: ASGIApp, log_level: str) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level=log_level.lower(),
            access_log=False,
            server_header=False,
            date_header=False,  # the payment interface dates its answers by the mock's clock
            timeout_graceful_shutdown=5,
        )
    )


async def _run(server: _Server, bound: socket.socket, *, signals: bool = True) -> None:
    def stop() -> None:
        server.should_exit = True

    if signals:
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop)
    await server.serve(sockets=[bound])
    bound.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: 40 ms less for every answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        sys.stderr.write(f"cannot listen on {host}:{port}: {problem.strerror}\n")
        raise SystemExit(1) from None
    return bound


class BodyLimit:
    """ASGI middleware: a body over the limit is answered 413 and never reaches the application."""

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limit:
            await _too_large(scope, receive, send)
            return
        messages: list[Message] = []
        size = 0
        while True:  # read before the application does, so that it sees either a whole body or none
            messages.append(message := await receive())
            size += len(message.get("body", b""))
            if size > self._limit:
                await _too_large(scope, receive, send)
                return
            if message["type"] != "http.request" or not message.get("more_body", False):
                break

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse({"code": "TOO_LARGE", "message": "请求内容超过 1 MB"}, status_code=413)
    await answer(scope, receive, send)
