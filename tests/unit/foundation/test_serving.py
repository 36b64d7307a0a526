import inspect
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from foundation.clock import Clock
from foundation.server import PeerProtocol
from foundation.settings import Env
from foundation.tls import uri_identity
from foundation.web.health import health_routes

pytestmark = pytest.mark.anyio


class Wire:
    """Takes the place of a transport."""

    def __init__(self, certificate: Any) -> None:
        self.certificate = certificate

    def get_extra_info(self, _: str) -> "Wire | None":
        return self if self.certificate is not None else None

    def getpeercert(self) -> Any:
        return self.certificate


def test_uvicorn_still_has_the_hook_that_tells_who_is_at_the_other_end() -> None:
    """`PeerProtocol` leans on httptools' callback and on `scope` being made in it."""
    assert "self.scope" in inspect.getsource(HttpToolsProtocol.on_message_begin)
    assert "self.transport" in inspect.getsource(HttpToolsProtocol.connection_made)
    assert PeerProtocol.on_message_begin is not HttpToolsProtocol.on_message_begin


@pytest.mark.parametrize(
    ("certificate", "identity"),
    [
        (None, ""),
        ({"subjectAltName": (("DNS", "x"), ("URI", "spiffe://internet-hospital/gateway"))}, "spiffe://internet-hospital/gateway"),
        ({"subjectAltName": (("DNS", "x"),)}, ""),
    ],
)  # fmt: skip
def test_the_peers_identity_reaches_the_application(
    monkeypatch: pytest.MonkeyPatch, certificate: Any, identity: str
) -> None:
    protocol = object.__new__(PeerProtocol)

    def begin(self: Any) -> None:
        self.scope = {"extensions": {"http.response.debug": {}}}

    monkeypatch.setattr(HttpToolsProtocol, "on_message_begin", begin)
    protocol.transport = Wire(certificate)  # type: ignore[assignment]

    protocol.on_message_begin()

    assert protocol.scope["extensions"] == {"http.response.debug": {}, "peer": {"identity": identity}}


def test_only_a_uri_counts_as_an_identity() -> None:
    assert uri_identity({"subject": ((("commonName", "spiffe://x"),),)}) == ""
    assert uri_identity(None) == ""


async def works() -> None:
    """Answers."""


async def is_down() -> None:
    raise ConnectionError


def client(env: Env, clock: Clock | None = None, **checks: Any) -> httpx.AsyncClient:
    app = Starlette(routes=health_routes(checks, clock or Clock(), env))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_ready_names_what_does_not_answer() -> None:
    async with client(Env.DEVELOPMENT, database=works, valkey=is_down) as http:
        ready, alive = await http.get("/readyz"), await http.get("/healthz")

    assert (ready.status_code, ready.json()["failed"]) == (503, ["valkey"])
    assert alive.status_code == 200


async def test_figures_are_shown() -> None:
    async with client(Env.PRODUCTION, database=works) as http:
        assert (await http.get("/readyz")).status_code == 200
        assert "python_info" in (await http.get("/metrics")).text


async def test_the_clock_can_be_moved_in_a_test_alone() -> None:
    clock = Clock()
    before = clock.now()
    async with client(Env.TEST, clock) as http:
        assert (await http.post("/_test/clock", json={"offset_seconds": 3600})).status_code == 200
    assert 3590 < (clock.now() - before).total_seconds() < 3700

    for env in (Env.DEVELOPMENT, Env.PRODUCTION):
        async with client(env, clock) as http:
            assert (await http.post("/_test/clock", json={"offset_seconds": 0})).status_code == 404
