"""The SOAP endpoint: HTTP, faults of the wire, and the names this installation uses."""

import contextlib
from collections.abc import AsyncIterator, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.his_soap.hospital import Hospital, Lost, malformed
from simulators.his_soap.messages import (
    NAMESPACE,
    Malformed,
    answer_bytes,
    fault_bytes,
    rename,
    request_in,
    wsdl,
)
from simulators.server import BodyLimit

PATH = "/services/InternetHospital"
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMBS = {
    "laughs": f'<!DOCTYPE r [<!ENTITY l0 "lol">{_LAUGHS}]><r>&l9;</r>',
    "external": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
    "deep": "<r>" * 50_000 + "</r>" * 50_000,
}


def create_app(hospital: Hospital, names: Mapping[str, str]) -> BodyLimit:
    """`hospital` opens its store when the application starts."""
    back = {theirs: ours for ours, theirs in names.items()}

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hospital.opened():
            yield

    async def exchange(request: Request) -> Response:
        await hospital.faults.delay()
        if (trouble := _trouble(hospital)) is not None:
            return trouble
        if request.headers.get("soapaction", "").strip('"') != f"{NAMESPACE}/Exchange":
            return _xml(fault_bytes("SOAPAction 不正确", client=True), "utf-8", 500)
        try:
            root = rename(request_in(await request.body(), request.headers.get("content-type", "")), back)
            answer = hospital.answer(root)
        except Malformed as problem:
            answer = malformed(str(problem))
        except Lost:
            return _down()
        charset = hospital.faults.text("charset") or "utf-8"
        return _xml(answer_bytes(rename(answer, names), charset, cdata=hospital.faults.on("cdata")), charset)

    async def describe(request: Request) -> Response:
        if hospital.faults.on("down") or not hospital.ready:
            return _down()
        return _xml(wsdl(str(request.url.replace(query=""))), "utf-8")

    routes = [Route(PATH, exchange, methods=["POST"]), Route(PATH, describe)]
    return BodyLimit(Starlette(routes=routes, lifespan=lifespan))


def _trouble(hospital: Hospital) -> Response | None:
    """What a fault of the wire answers, whatever is asked."""
    faults = hospital.faults
    if faults.on("down") or not hospital.ready:
        return _down()
    if faults.on("garbage"):
        return Response(b"<html>\xff 502", 200, media_type="text/xml")
    if said := faults.text("fault"):
        return _xml(fault_bytes(said), "utf-8", 500)
    if bomb := faults.text("bomb"):
        return _xml(BOMBS[bomb].encode(), "utf-8")
    return None


def _down() -> Response:
    return Response("系统暂时不可用", 503)


def _xml(body: bytes, charset: str, status: int = 200) -> Response:
    return Response(body, status, {"content-type": f"text/xml; charset={charset}"})
