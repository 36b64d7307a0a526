"""Answers of api.weixin.qq.com: always HTTP 200, `errcode` says what is wrong, `errmsg` ends with a rid."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from miniapp_mock.wechat.mock import Mock, mock_of

MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40048: "invalid url domain",
    40066: "invalid url",
    40097: "invalid args",
    40125: "invalid appsecret",
    40163: "code been used",
    40165: "invalid weapp pagepath",
    40212: "invalid query",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    47003: "argument invalid!",
    85401: "invalid expire_time or expire_interval",
}


class OpenError(Exception):
    """`errcode`, with words of its own after the standard ones."""

    def __init__(self, errcode: int, more: str = "") -> None:
        self.errcode = errcode
        self.errmsg = f"{MESSAGES[errcode]}{' ' if more else ''}{more}"
        super().__init__(self.errmsg)


Call = Callable[[Mock, Request, bytes], dict[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(call: Call, *, method: str | None) -> Endpoint:
    """`call(mock, request, body)` answers or raises OpenError; a wrong method is an errcode as well."""

    async def run(request: Request) -> Response:
        mock = mock_of(request)
        body = await request.body()
        try:
            if mock.faults.strikes("busy"):
                raise OpenError(-1)
            if method not in {None, request.method}:
                raise OpenError(43002 if method == "POST" else 43001)
            answer = call(mock, request, body)
        except OpenError as refusal:
            rid = "-".join(secrets.token_hex(4) for _ in range(3))
            return JSONResponse({"errcode": refusal.errcode, "errmsg": f"{refusal.errmsg} rid: {rid}"})
        return JSONResponse(answer)

    return run


def unknown(_mock: Mock, _request: Request, _body: bytes) -> dict[str, Any]:
    raise OpenError(40066)


T = TypeVar("T")


def read_json(body: bytes, kind: type[T]) -> T:
    """The body as `kind`. WeChat names no field for a body of the wrong shape; we add one."""
    if not body:
        raise OpenError(44002)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as problem:
        raise OpenError(47001, str(problem)) from None
    except (msgspec.DecodeError, RecursionError):
        raise OpenError(47001) from None
