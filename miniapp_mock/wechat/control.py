"""Health and the switches of a tester. ENV is never production here; clock and memory move under ENV=test only."""

import math
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniapp_mock.wechat.faults import BadField
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.open import tokens
from miniapp_mock.wechat.pay import notifications

TEN_YEARS = 10 * 366 * 86_400


def routes(env: str) -> list[Route]:
    routes = [
        Route("/healthz", _health),
        Route("/readyz", _ready),
        Route("/_test/faults", _faults, methods=["GET", "PUT"]),
        Route("/_test/keys", _keys),
        Route("/_test/notifications", _notifications),
        Route("/_test/notifications/{id}/again", _again, methods=["POST"]),
    ]
    if env == "test":
        routes.append(Route("/_test/clock", _clock, methods=["POST"]))
        routes.append(Route("/_test/forget", _forget, methods=["POST"]))
    return routes


def set_faults(mock: Mock, values: dict[str, Any]) -> None:
    """Exactly these. Raises BadField. `revoke_token` acts once, at this moment."""
    before = mock.faults.as_dict()
    mock.faults.replace(values)
    kind = mock.faults.text("merchant_kind") or mock.settings.merchant_kind
    if not mock.keys.can_be(kind):
        mock.faults.replace(before)
        raise BadField("merchant_kind", "the settings give no keys for such a merchant")
    mock.keys.kind = kind
    if mock.faults.on("revoke_token"):
        tokens.revoke_all(mock)
    mock.bell.set()


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises BadField."""
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise BadField("", "the body is not a JSON object") from None


async def bad_field(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, BadField)
    body = {"code": "BAD_REQUEST", "field": problem.field, "message": problem.message}
    return JSONResponse({name: part for name, part in body.items() if part}, status_code=400)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(_: Request) -> Response:
    return JSONResponse({"ready": True, "missing": []})


async def _faults(request: Request) -> Response:
    mock = mock_of(request)
    if request.method == "PUT":
        set_faults(mock, await read_object(request))
    return JSONResponse(mock.faults.as_dict())


async def _clock(request: Request) -> Response:
    mock = mock_of(request)
    offset = (await read_object(request)).get("offset_seconds")
    if isinstance(offset, bool) or not isinstance(offset, int | float):
        raise BadField("offset_seconds", "expected a number")
    if not math.isfinite(offset) or abs(offset) > TEN_YEARS:
        raise BadField("offset_seconds", "out of range")
    mock.clock.offset_seconds = offset
    mock.bell.set()
    return JSONResponse({"now": mock.clock.local().isoformat()})


async def _forget(request: Request) -> Response:
    """Nothing ever happened: no orders, messages, consents, faults, and the machine's clock."""
    mock = mock_of(request)
    mock.store.forget()
    set_faults(mock, {})
    mock.clock.offset_seconds = 0
    return Response(status_code=204)


async def _keys(request: Request) -> Response:
    """Public keys by serial, so that a tester can hand the new one to the merchant."""
    keys = mock_of(request).keys
    return JSONResponse(
        {
            "current": {key.serial: key.public_pem for key in keys.current()},
            "successors": {key.serial: key.public_pem for key in keys.successors()},
        }
    )


async def _notifications(request: Request) -> Response:
    return JSONResponse({"notifications": notifications.described(mock_of(request))})


async def _again(request: Request) -> Response:
    if not notifications.send_again(mock_of(request), request.path_params["id"]):
        raise HTTPException(404)
    return Response(status_code=204)
