"""The FHIR server: routes, headers, faults."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.his import capability, query, schedules, transactions
from simulators.his.hospital import Hospital
from simulators.his.outcomes import FHIR_JSON, Issue, Json, Refusal, answer, outcome, refuse, too_large
from simulators.his.pages import OFFSET, TOKEN
from simulators.his.parameters import PARAMETERS
from simulators.his.search import search
from simulators.his.store import Stored
from simulators.his.wrong_patient import somebody_elses, somebody_elses_resource
from simulators.server import BodyLimit

Handler = Callable[[Request], Awaitable[Response]]
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def create_app(hospital: Hospital, base_url: str = "") -> BodyLimit:
    """`hospital` opens its store when the application starts."""
    handlers = _Handlers(hospital, base_url)
    guard = handlers.guarded

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hospital.opened():
            yield

    routes = [
        Route("/metadata", guard(handlers.metadata)),
        Route("/", guard(handlers.bundle, write=True), methods=["POST"]),
        Route("/{kind}/_search", guard(handlers.search_form), methods=["POST"]),
        Route("/{kind}", guard(handlers.search)),
        Route("/{kind}", guard(handlers.create, write=True), methods=["POST"]),
        Route("/{kind}/{id}", guard(handlers.read)),
        Route("/{kind}/{id}", guard(handlers.update, write=True), methods=["PUT"]),
        Route("/{kind}/{id}/_history/{version}", guard(handlers.read_version)),
    ]
    app = Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _http, Exception: _fault}
    )
    return BodyLimit(app, answer=too_large)


async def _http(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    code = {404: "not-found", 405: "not-supported"}.get(problem.status_code, "processing")
    return answer(problem.status_code, [Issue(code, problem.detail)], dict(problem.headers or {}))


async def _fault(_: Request, __: Exception) -> Response:
    return answer(500, [Issue("exception", "an error inside the hospital's system")])


class _Handlers:
    def __init__(self, hospital: Hospital, base_url: str) -> None:
        self._hospital = hospital
        self._base_url = base_url

    def guarded(self, handler: Handler, *, write: bool = False) -> Handler:
        """Faults first, then the request; every Refusal becomes its OperationOutcome."""
        faults = self._hospital.faults

        async def guarded(request: Request) -> Response:
            await faults.delay()
            try:
                if faults.on("down") or not self._hospital.ready:
                    raise refuse(503, "transient", "系统暂时不可用")
                if write and (reason := faults.text("refuse_writes")):
                    raise refuse(422, "business-rule", reason)
                if faults.on("garbage"):
                    return Response(b"<html>\xff 502", 200, media_type=FHIR_JSON)
                reply = await handler(request)
                if write and faults.on("lose_write_answers"):
                    raise refuse(503, "transient", "系统暂时不可用")
            except Refusal as problem:
                return answer(problem.status, problem.issues)
            except RecursionError:
                return answer(400, [Issue("structure", "the body is nested too deeply")])
            return reply

        return guarded

    # reading

    async def metadata(self, request: Request) -> Response:
        return _reply(capability.statement(self._base(request), self._hospital.store.fact("made_on")))

    async def search(self, request: Request) -> Response:
        return self._search(request, request.url.query)

    async def search_form(self, request: Request) -> Response:
        try:
            form = (await request.body()).decode()
        except UnicodeDecodeError:
            raise refuse(400, "value", "the form is not UTF-8") from None
        return self._search(request, "&".join(filter(None, (request.url.query, form))))

    def _search(self, request: Request, text: str) -> Response:
        kind = _kind(request)
        pairs = query.pairs_of(text)
        base, now = self._base(request), self._hospital.clock.timestamp()
        given = dict(pairs)
        if TOKEN in given:
            return _reply(self._hospital.pages.later(kind, given[TOKEN], given.get(OFFSET, "0"), base, now))
        if kind in {"Schedule", "Slot"}:
            schedules.ensure(self._hospital.store, self._hospital.clock)
        wanted = query.read(kind, pairs, strict=_prefers(request, "handling") == "strict")
        rows = search(self._hospital.store, wanted)
        if self._hospital.faults.on("wrong_patient"):
            rows = somebody_elses(self._hospital.store, wanted, rows)
        return _reply(self._hospital.pages.first(wanted, rows, base, now))

    async def read(self, request: Request) -> Response:
        kind, name = _kind(request), request.path_params["id"]
        stored = self._hospital.store.get(kind, name)
        if stored is not None and self._hospital.faults.on("wrong_patient"):
            stored = somebody_elses_resource(self._hospital.store, kind, stored)
        if stored is None:
            raise refuse(404, "not-found", f"{kind}/{name} is not known")
        return _stored(200, stored)

    async def read_version(self, request: Request) -> Response:
        kind, name, version = _kind(request), request.path_params["id"], request.path_params["version"]
        number = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
        body = self._hospital.store.get_version(kind, name, number)
        if body is None:
            raise refuse(404, "not-found", f"{kind}/{name} has no version {version}")
        return Response(body, headers={"etag": f'W/"{number}"'}, media_type=FHIR_JSON)

    # writing

    async def create(self, request: Request) -> Response:
        kind = _kind(request)
        conditions = request.headers.get("if-none-exist", "")
        written = self._hospital.writer.create(kind, await _body(request), conditions)
        return self._written(request, written.status, kind, written.id, written.stored)

    async def update(self, request: Request) -> Response:
        kind, name = _kind(request), request.path_params["id"]
        written = self._hospital.writer.update(
            kind, name, await _body(request), request.headers.get("if-match", "")
        )
        return self._written(request, 200, kind, name, written.stored)

    async def bundle(self, request: Request) -> Response:
        hospital = self._hospital
        return _reply(
            transactions.process(hospital.store, hospital.writer, await _body(request), self._base(request))
        )

    def _written(self, request: Request, status: int, kind: str, id: str, stored: Stored) -> Response:
        location = f"{self._base(request)}/{kind}/{id}/_history/{stored.version}"
        preferred = _prefers(request, "return")
        if preferred == "minimal":
            reply = Response(status_code=status, headers={"etag": f'W/"{stored.version}"'})
        elif preferred == "OperationOutcome":
            done = Issue("informational", f"{kind}/{id} is stored", severity="information")
            reply = _reply(outcome([done]), status)
        else:
            reply = _stored(status, stored)
        reply.headers["location"] = location
        return reply

    def _base(self, request: Request) -> str:
        return self._base_url or str(request.base_url).rstrip("/")


def _kind(request: Request) -> str:
    kind: str = request.path_params["kind"]
    if kind not in PARAMETERS:
        raise refuse(404, "not-supported", f"resource type {kind!r} is not known here")
    return kind


async def _body(request: Request) -> Json:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in {"application/fhir+json", "application/json"}:
        raise refuse(415, "not-supported", "the body must be application/fhir+json")
    try:
        body: Any = _decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise refuse(400, "structure", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise refuse(400, "structure", "the body is no resource")
    return body


def _prefers(request: Request, name: str) -> str:
    """`handling` or `return` of the Prefer headers (RFC 7240)."""
    for line in request.headers.getlist("prefer"):
        for part in line.replace(";", ",").split(","):
            key, _, value = part.strip().partition("=")
            if key.lower() == name:
                return value.strip('" ')
    return ""


def _reply(content: Json, status: int = 200) -> Response:
    return Response(_encode(content), status, media_type=FHIR_JSON)


def _stored(status: int, stored: Stored) -> Response:
    return Response(stored.body, status, {"etag": f'W/"{stored.version}"'}, FHIR_JSON)
