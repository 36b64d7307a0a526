"""HTTP around the CA: docs/counterparts.md."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import signed
from simulators.ca import authorities, sm2
from simulators.ca.guard import guard
from simulators.ca.holders import Holder
from simulators.ca.public_routes import public_routes
from simulators.ca.service import Ca, Refused
from simulators.ca.settings import Settings
from simulators.ca.store import Store
from simulators.server import SHANGHAI, BodyLimit, Clock, Faults, control_routes, exception_handlers

LONGEST_SESSION = 43_200


class OpenSession(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    holder: Annotated[str, Meta(min_length=1, max_length=64)]
    pin: Annotated[str, Meta(min_length=1, max_length=32)]
    seconds: Annotated[int, Meta(ge=1, le=LONGEST_SESSION)]


class Sign(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    request_id: Annotated[str, Meta(min_length=1, max_length=64)]
    session: Annotated[str, Meta(min_length=1, max_length=128)]
    digest_algorithm: Literal["SHA-256", "SM3"]
    digest: Annotated[str, Meta(pattern=r"\A[0-9a-fA-F]{64}\Z")]


def declared_faults() -> Faults:
    return Faults(down=bool, slow_seconds=float, garbage=bool, tsa_down=bool, wrong_signature=bool)


def create_app(settings: Settings, holders: dict[str, Holder], clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    ours = authorities.open_or_make(settings.data, clock.now())
    sm2_ours = sm2.open_or_make(settings.data, clock.now())
    ca = Ca(holders, ours, sm2_ours, store, clock, settings.public_url)
    customer = signed.AppKey(settings.app_key, settings.secret, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    return Starlette(
        routes=[
            *_customer_routes(ca, customer, faults),
            *public_routes(ca, clock, faults),
            *control_routes(settings.common.env, clock, faults, extra=_test_routes(ca)),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers={
            **exception_handlers(),
            signed.Unsigned: signed.unsigned_handler,
            Refused: _refused,
        },
        lifespan=lifespan,
    )


def _customer_routes(ca: Ca, customer: signed.AppKey, faults: Faults) -> list[Route]:
    async def show_holder(request: Request) -> Response:
        holder, issued, status = ca.holder(request.path_params["holder"])
        certificate = authorities.load_certificate(issued.certificate_pem.encode())
        end = certificate.not_valid_after_utc.astimezone(SHANGHAI)
        return JSONResponse(
            {
                "holder": holder.holder,
                "name": holder.name,
                "certificate_pem": issued.certificate_pem,
                "serial": issued.serial,
                "not_after": end.isoformat(timespec="seconds"),
                "status": status,
            }
        )

    async def open_session(request: Request) -> Response:
        wanted = await signed.read(request, OpenSession)
        token, expires_at = ca.open_session(wanted.holder, wanted.pin, wanted.seconds)
        end = expires_at.astimezone(SHANGHAI).isoformat(timespec="seconds")
        return JSONResponse({"session": token, "holder": wanted.holder, "expires_at": end}, status_code=201)

    async def show_session(request: Request) -> Response:
        return JSONResponse(_session_of(ca, request.path_params["session"]))

    async def end_session(request: Request) -> Response:
        ca.end_session(request.path_params["session"])
        return Response(status_code=204)

    async def sign(request: Request) -> Response:
        wanted = await signed.read(request, Sign)
        over_sm2 = wanted.digest_algorithm == "SM3"
        made = ca.sign(
            wanted.request_id, wanted.session, wanted.digest.lower(), over_sm2=over_sm2,
            wrongly=faults.on("wrong_signature"),
        )  # fmt: skip
        return JSONResponse(
            {
                "request_id": made.request_id,
                "signature": made.signature,
                "algorithm": "sm2-sm3" if over_sm2 else "ecdsa-p256-sha256",
                "certificate_pem": made.certificate_pem,
                "signed_at": made.signed_at,
            }
        )

    def route(path: str, endpoint: signed.Endpoint, method: str) -> Route:
        return Route(path, guard(customer.protect(endpoint), faults), methods=[method])

    return [
        route("/v1/holders/{holder}", show_holder, "GET"),
        route("/v1/sessions", open_session, "POST"),
        route("/v1/sessions/{session}", show_session, "GET"),
        route("/v1/sessions/{session}", end_session, "DELETE"),
        route("/v1/signatures", sign, "POST"),
    ]


def _session_of(ca: Ca, session: str) -> dict[str, str]:
    issued, end = ca.in_session(session)
    return {
        "holder": issued.holder,
        "certificate_pem": issued.certificate_pem,
        "sm2_certificate_pem": sm2.pem(ca.sm2_of(issued)[1]),
        "expires_at": end.astimezone(SHANGHAI).isoformat(timespec="seconds"),
    }


def _test_routes(ca: Ca) -> list[Route]:
    verbs = {"revoke": ca.revoke, "expire": ca.expire, "renew": ca.renew, "unlock": ca.unlock}

    async def change(request: Request) -> Response:
        holder, verb = request.path_params["holder"], verbs.get(request.path_params["verb"])
        if verb is None:
            raise Refused("NOT_FOUND", 404)
        verb(holder)
        return JSONResponse({"holder": holder, "status": ca.holder(holder)[2]})

    return [Route("/_test/holders/{holder}/{verb}", change, methods=["POST"])]


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    left = {} if problem.left is None else {"left": problem.left}
    return JSONResponse({"code": problem.code, **left}, status_code=problem.status)
