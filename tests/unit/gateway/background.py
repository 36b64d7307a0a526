"""A gateway and the two systems behind it in one background loop, all on real sockets; callers speak TLS to it."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop
from aiohttp import web

from foundation.clock import Clock
from foundation.tls import server_context
from front_gateway.audit_file import AuditFile
from front_gateway.breaker import Breaker
from front_gateway.dialects.fhir.dialect import FhirDialect
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.door import Door
from front_gateway.inward import Inward
from front_gateway.keeping.route import Keeping
from front_gateway.limits import Waits
from front_gateway.listener import Listener
from front_gateway.outward import Outward
from front_gateway.policy.reading import Policy
from front_gateway.refusals import Target
from front_gateway.speaking import Speaker
from front_gateway.supervising import Supervising
from front_gateway.upstream import Upstream
from standalone.certificates import Certificates

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """One request as it reached the other side."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Responder = Callable[[Seen], Awaitable[web.Response] | web.Response]


@dataclass
class OtherSide:
    """A system behind the gateway: answers what a test says, and remembers what it was asked."""

    seen: list[Seen] = field(default_factory=list)
    answers: dict[str, Responder] = field(default_factory=dict)
    """By "METHOD /path" without query; "*" for everything else."""
    peers: list[int] = field(default_factory=list)
    """Serial number of the caller's certificate, call by call, where there was one."""

    def on(self, call: str, body: Any, status: int = 200, **headers: str) -> None:
        """Answer `call` with JSON."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("content-type", "application/fhir+json")
        self.answers[call] = lambda _: web.Response(body=raw, status=status, content_type=kind, headers=named)

    def asked(self, method: str, path: str) -> list[Seen]:
        """Requests with this method and path, whatever their query."""
        return [one for one in self.seen if one.method == method and one.target.split("?")[0] == path]

    async def handle(self, request: web.BaseRequest) -> web.Response:
        seen = Seen(
            request.method,
            request.raw_path,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        self.seen.append(seen)
        peer = request.transport.get_extra_info("peercert") if request.transport else None
        if peer:
            self.peers.append(int(peer["serialNumber"], 16))
        path = seen.target.split("?")[0]
        responder = self.answers.get(f"{seen.method} {path}") or self.answers.get("*")
        if responder is None:
            return web.Response(status=404, body=b'{"resourceType":"OperationOutcome","issue":[]}')
        answer = responder(seen)
        return await answer if isinstance(answer, Awaitable) else answer


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()  # as in the process
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def close(self) -> None:
        """Stop and join."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@dataclass
class Running:
    """A gateway at `port`, and what it wrote down."""

    port: int
    hospital: OtherSide
    city: OtherSide
    audit_folder: Path
    door: Door
    breaker: Breaker
    backend: OtherSide
    listener: Listener
    loop: Loop

    def audit(self) -> list[dict[str, Any]]:
        """The audit's lines about calls, oldest first."""
        lines = [
            msgspec.json.decode(line)
            for file in sorted(self.audit_folder.glob("*.jsonl"))
            for line in file.read_bytes().splitlines()
        ]
        return [line for line in lines if line["kind"] == "call"]


@contextlib.contextmanager
def gateway(
    policy: Policy,
    certificates: Certificates,
    folder: Path,
    *,
    his_base: str = "/fhir",
    clock: Clock | None = None,
    speaks: Speaker | None = None,
    waits: Waits | None = None,
    keeping: Keeping | None = None,
) -> Iterator[Running]:
    """Everything up, and down again."""
    loop, hospital, city, backend = Loop(), OtherSide(), OtherSide(), OtherSide()
    audit = AuditFile(folder, "test", clock or Clock())
    breaker = Breaker(threshold=3, open_seconds=30)
    stack = contextlib.AsyncExitStack()

    async def start() -> tuple[Listener, Door]:
        ports = [await serve(stack, one) for one in (hospital, city, backend)]
        his = Upstream(Target.HIS, f"http://127.0.0.1:{ports[0]}{his_base}", None, breaker=breaker)
        platform = Upstream(Target.CITY, f"http://127.0.0.1:{ports[1]}", None)
        await stack.enter_async_context(his)
        await stack.enter_async_context(platform)
        api = await stack.enter_async_context(Upstream(Target.BACKEND, f"http://127.0.0.1:{ports[2]}", None))
        inward = Inward(speaks(his, Clock()) if speaks else FhirDialect(his, Systems(), Clock()))
        door = Door(policy, inward, Outward(platform), audit, Supervising(api), clock, keeping)
        listener = Listener(door.serve, gateway_tls(certificates), waits)
        await listener.open("127.0.0.1", 0)
        stack.push_async_callback(listener.close, 1)
        return listener, door

    listener, door = loop.run(start())
    try:
        yield Running(listener.port, hospital, city, folder, door, breaker, backend, listener, loop)
    finally:
        loop.run(stack.aclose())
        audit.close()
        loop.close()


def gateway_tls(certificates: Certificates) -> ssl.SSLContext:
    pair = certificates.hospital["gateway-a"]
    return server_context(pair.certificate, pair.key, certificates.hospital.root)


async def serve(stack: contextlib.AsyncExitStack, side: OtherSide, tls: ssl.SSLContext | None = None) -> int:
    """Listen for `side`; the port."""
    server = web.Server(side.handle, access_log=None)
    socket = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)

    async def close() -> None:
        socket.close()
        await server.shutdown(1)

    stack.push_async_callback(close)
    port: int = socket.sockets[0].getsockname()[1]
    return port
