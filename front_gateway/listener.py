"""The port between zones: aiohttp's low-level server with mutual TLS, turned into `Call` and `Answer`.

The caller's identity is the URI SAN of the certificate of this very connection. Connections that send nothing, or
headers drop by drop, are closed after `IDLE_SECONDS`; a body has `BODY_SECONDS`.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from foundation.errors import AppError, Internal, TooLarge
from foundation.logs import log
from foundation.tls import uri_identity
from front_gateway.call import Answer, Call, problem
from front_gateway.refusals import BadTarget

IDLE_SECONDS = 20.0
BODY_SECONDS = 10.0
Serve = Callable[[Call], Awaitable[Answer]]


class _Protocol(RequestHandler):
    """Answers what is no HTTP at all with a problem body like everything else."""

    __slots__ = ("identity",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember who is at the other end."""
        super().connection_made(transport)
        self.identity = uri_identity(transport.get_extra_info("peercert"))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Called by aiohttp for what its parser refuses, and for what went wrong in the handler."""
        refused: AppError = BadTarget("not HTTP/1.1") if status < 500 else Internal()
        log.warning("refused_by_parser" if status < 500 else "unhandled", error=type(exc).__name__)
        response = _response(problem(refused))
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Listener:
    """Serves calls until `close`; `port` is the one that was really taken."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext) -> None:
        self._serve = serve
        self._tls = tls
        self._server: _Server | None = None
        self._socket: asyncio.Server | None = None
        self.port = 0

    async def open(self, host: str, port: int) -> None:
        """Start listening; `OSError` when the port is taken."""
        self._server = _Server(
            self._handle,
            keepalive_timeout=IDLE_SECONDS,
            access_log=None,
            logger=logging.getLogger("front_gateway.listener"),
            lingering_time=2.0,
            auto_decompress=False,
            max_line_size=2_048,
            max_field_size=4_096,
            max_headers=48,
        )
        self._socket = await asyncio.get_running_loop().create_server(
            self._server,
            host,
            port,
            ssl=self._tls,
            backlog=1_024,
            ssl_handshake_timeout=10,
            ssl_shutdown_timeout=2,
        )
        self.port = self._socket.sockets[0].getsockname()[1]

    async def close(self, seconds: float = 5.0) -> None:
        """Take no more, let running calls end within `seconds`."""
        if self._socket is not None and self._server is not None:
            self._socket.close()
            self._server.pre_shutdown()
            await self._server.shutdown(seconds)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        protocol: Any = request.protocol
        peer = request.transport.get_extra_info("peername") if request.transport else None
        call = Call(
            identity=protocol.identity,
            address=str(peer[0]) if peer else "",
            method=request.method,
            target=request.raw_path,
            headers=tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in request.raw_headers
            ),
            read=_reader(request),
        )
        response = _response(await self._serve(call))
        if not request.content.is_eof():  # refused before its body was read
            response.force_close()
        return response


def _reader(request: web.BaseRequest) -> Callable[[int], Awaitable[bytes]]:
    async def read(limit: int) -> bytes:
        parts, size = [], 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while (
                    part := await request.content.readany()
                ):  # iter_chunks never ends on aiohttp's empty body
                    size += len(part)
                    if size > limit:
                        raise TooLarge
                    parts.append(part)
        except (TimeoutError, web.RequestPayloadError):
            raise BadTarget("body did not arrive") from None
        return b"".join(parts)

    return read


def _response(answer: Answer) -> web.Response:
    response = web.Response(body=answer.body, status=answer.status)
    for name, value in answer.headers:
        if name == "content-type":
            response.headers["Content-Type"] = value
        else:
            response.headers.add(name, value)
    response.headers["Server"] = "gateway"
    return response
