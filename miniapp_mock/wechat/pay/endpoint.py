"""One call of Pay v3: who asks, what with, the answer signed by the key that the merchant named."""

import email.utils
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.pay import signatures
from miniapp_mock.wechat.pay.errors import EXTRA_FIELD, PayError, wrong_field
from miniapp_mock.wechat.pay.keys import PUBLIC_KEY_PREFIX, SigningKey

T = TypeVar("T")
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Call:
    """`base` is the address by which the merchant reached us; `key` is the one of ours that it means."""

    path: dict[str, str]
    query: dict[str, str]
    body: bytes
    base: str
    key: SigningKey

    def read(self, kind: type[T]) -> T:
        """The body. Raises PayError that names the field."""
        try:
            return msgspec.json.decode(self.body, type=kind, strict=True)
        except msgspec.ValidationError as problem:
            raise _refused_field(str(problem)) from None
        except (msgspec.DecodeError, RecursionError):
            raise PayError("PARAM_ERROR", "无法将输入源解析为JSON") from None

    def parameter(self, name: str) -> str:
        if not (value := self.query.get(name, "")):
            raise wrong_field(name, "missing", location="query")
        return value


@dataclass(frozen=True)
class File:
    """A bill: the one answer that carries no signature."""

    content: bytes


Handle = Callable[[Mock, Call], dict[str, Any] | File | None]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(handle: Handle) -> Endpoint:
    """`handle` answers a body, None for 204, or a file; or raises PayError."""

    async def run(request: Request) -> Response:
        mock = mock_of(request)
        body = await request.body()
        struck = mock.faults.text("only_path") in request.url.path
        if struck:
            await mock.faults.delay()
        try:
            call = _accept(mock, request, body)
            if struck:
                _strike(mock, "too_many_requests", "server_error")
            answer = handle(mock, call)
            if struck:
                _strike(mock, "server_error_after")
        except PayError as refusal:
            return _refusal(mock, refusal)
        return _signed(mock, call.key, answer)

    return run


def _accept(mock: Mock, request: Request, body: bytes) -> Call:
    signatures.check_caller(mock, request, body)
    if "application/json" not in request.headers.get("accept", "") and "*/*" not in request.headers.get(
        "accept", ""
    ):
        raise wrong_field("Accept", "must be application/json", location="header")
    if not request.headers.get("user-agent"):
        raise wrong_field("User-Agent", "missing", location="header")
    if body and not request.headers.get("content-type", "").startswith("application/json"):
        raise wrong_field("Content-Type", "must be application/json", location="header")
    return Call(
        path={name: str(value) for name, value in request.path_params.items()},
        query=dict(request.query_params),
        body=body,
        base=str(request.base_url).rstrip("/"),
        key=_key_meant(mock, request.headers.get("wechatpay-serial", "")),
    )


def _key_meant(mock: Mock, serial: str) -> SigningKey:
    """Answers follow the request's `Wechatpay-Serial`; a certificate is replaced by its successor."""
    rotated = mock.faults.on("rotated_key")
    if not serial:
        if mock.keys.platform is None:
            raise wrong_field(
                "Wechatpay-Serial", "missing: a merchant in public-key mode names it", location="header"
            )
        return mock.keys.signing(by_public_key=False, rotated=rotated)
    named = mock.keys.named(serial)
    if named is None:
        raise wrong_field("Wechatpay-Serial", "unknown", value=serial, location="header")
    if serial.startswith(PUBLIC_KEY_PREFIX):
        return named
    return mock.keys.signing(by_public_key=False, rotated=rotated)


def _strike(mock: Mock, *faults: str) -> None:
    for fault in faults:
        if mock.faults.strikes(fault):
            if fault == "too_many_requests":
                raise PayError("FREQUENCY_LIMITED", "频率限制，请降低频率后重试")
            raise PayError("SYSTEM_ERROR", "系统异常，请用相同参数重新调用")


def _refused_field(problem: str) -> PayError:
    """msgspec says "Expected `int`, got `str` - at `$.amount.total`"."""
    issue, _, where = problem.partition(" - at `$")
    field = where.rstrip("`").replace(".", "/")
    if "unknown field" in issue:
        extra = f"{field}/{issue.split('`')[1]}"
        return wrong_field(extra, "unknown field", message="参数中含有非法的额外参数", errno=EXTRA_FIELD)
    if "missing required field" in issue:
        return wrong_field(f"{field}/{issue.split('`')[1]}", "missing")
    return wrong_field(field or "/", issue)


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _signed(mock: Mock, key: SigningKey, answer: dict[str, Any] | File | None) -> Response:
    headers = _dated(mock, 0)
    if isinstance(answer, File):
        return Response(answer.content, media_type="application/octet-stream", headers=headers)
    body = b"" if answer is None else encode(answer)
    headers |= signatures.signature_headers(mock, key, body, probe=mock.faults.strikes("signtest"))
    if answer is None:
        return Response(status_code=204, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def _refusal(mock: Mock, refusal: PayError) -> Response:
    """Errors are not signed: the real 401 is not, and a merchant may not rely on it."""
    headers = _dated(mock, refusal.errno)
    return Response(encode(refusal.body), status_code=refusal.status, media_type=JSON, headers=headers)


def _dated(mock: Mock, errno: int) -> dict[str, str]:
    """By the mock's clock: a merchant whose own is wrong can see it."""
    return {
        "Request-Id": f"{secrets.token_hex(20).upper()}-{errno}",
        "Date": email.utils.formatdate(mock.now, usegmt=True),
    }
