"""`wx.*` as a JSON API: what a mini program would call, and what its owner does with a thumb."""

import json
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniapp_mock.wechat.clock import rfc3339
from miniapp_mock.wechat.faults import BadField
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.open import codes, consents
from miniapp_mock.wechat.pay import paying
from miniapp_mock.wechat.phone.owner import owner

T = TypeVar("T")
OK, CANCELLED = "requestPayment:ok", "requestPayment:fail cancel"
Text = Annotated[str, Meta(min_length=1, max_length=2048)]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Consent(Body):
    """`reject` names those of `template_ids` that the owner refuses."""

    template_ids: list[str]
    reject: list[str] = []


class Follow(Body):
    follow: bool


class Pay(Body):
    """What `wx.requestPayment` takes; a mini program leaves `appId` out, WeChat knows it."""

    timeStamp: Text  # noqa: N815
    nonceStr: Text  # noqa: N815
    package: Text
    paySign: Text  # noqa: N815
    signType: str = "RSA"  # noqa: N815
    appId: str = ""  # noqa: N815
    cancel: bool = False


class Cancel(msgspec.Struct, frozen=True):
    cancel: bool = False


def routes() -> list[Route]:
    return [
        Route("/phone/{openid}/login", _login, methods=["POST"]),
        Route("/phone/{openid}/phone-code", _phone_code, methods=["POST"]),
        Route("/phone/{openid}/consent", _consent, methods=["POST"]),
        Route("/phone/{openid}/follow", _follow, methods=["POST"]),
        Route("/phone/{openid}/pay", _pay, methods=["POST"]),
        Route("/phone/{openid}/messages", _messages),
        Route("/phone/{openid}/messages/{id:int}/read", _read, methods=["POST"]),
    ]


def inbox(mock: Mock, openid: str) -> list[dict[str, Any]]:
    """Newest first. `url` is where a tap leads; empty when nowhere."""
    rows = mock.store.all("SELECT * FROM messages WHERE openid = ? ORDER BY id DESC LIMIT 200", openid)
    return [
        {
            "id": row["id"],
            "kind": row["kind"],
            "template": row["template_id"],
            "title": mock.templates[row["template_id"]].title,
            "data": json.loads(row["data"]),
            "page": row["page"],
            "url": row["url"],
            "sent_at": rfc3339(row["sent_at"]),
            "read": row["read_at"] is not None,
        }
        for row in rows
        if row["template_id"] in mock.templates
    ]


def mark_read(mock: Mock, openid: str, id: int) -> str | None:
    """Where the message leads; None when this phone has no such message."""
    row = mock.store.one("SELECT * FROM messages WHERE id = ? AND openid = ?", id, openid)
    if row is None:
        return None
    mock.store.run("UPDATE messages SET read_at = coalesce(read_at, ?) WHERE id = ?", mock.now, id)
    return str(row["url"])


async def _login(request: Request) -> Response:
    code = codes.issue(mock_of(request), owner(request).openid, codes.LOGIN)
    return JSONResponse({"code": code, "errMsg": "login:ok"})


async def _phone_code(request: Request) -> Response:
    code = codes.issue(mock_of(request), owner(request).openid, codes.PHONE)
    return JSONResponse({"code": code, "errMsg": "getPhoneNumber:ok"})


async def _consent(request: Request) -> Response:
    mock, person = mock_of(request), owner(request)
    asked = await _body(request, Consent)
    try:
        consents.check_asked(mock, asked.template_ids)
    except consents.SubscribeFailed as failed:
        return JSONResponse({"errMsg": failed.message, "errCode": failed.code})
    answers = {one: "reject" if one in asked.reject else "accept" for one in asked.template_ids}
    for one, answer in answers.items():
        if answer == "accept":
            consents.accept(mock, person.openid, one)
    return JSONResponse({"errMsg": "requestSubscribeMessage:ok", **answers})


async def _follow(request: Request) -> Response:
    mock, person = mock_of(request), owner(request)
    consents.follow(mock, person.openid, (await _body(request, Follow)).follow)
    return JSONResponse({"following": consents.is_following(mock, person.openid)})


async def _pay(request: Request) -> Response:
    mock, person = mock_of(request), owner(request)
    if (await _body(request, Cancel)).cancel:
        return JSONResponse({"result": CANCELLED})
    asked = await _body(request, Pay)
    invocation = paying.Invocation(
        app_id=asked.appId or mock.settings.appid,
        time_stamp=asked.timeStamp,
        nonce_str=asked.nonceStr,
        package=asked.package,
        sign_type=asked.signType,
        pay_sign=asked.paySign,
    )
    try:
        paying.pay(mock, paying.check_invocation(mock, invocation), person.openid)
    except paying.CannotPay as problem:
        return JSONResponse({"result": f"requestPayment:fail {problem}"})
    return JSONResponse({"result": OK})


async def _messages(request: Request) -> Response:
    return JSONResponse({"messages": inbox(mock_of(request), owner(request).openid)})


async def _read(request: Request) -> Response:
    url = mark_read(mock_of(request), owner(request).openid, request.path_params["id"])
    if url is None:
        return JSONResponse({"code": "NOT_FOUND", "message": "没有这条消息"}, status_code=404)
    return JSONResponse({"url": url})


async def _body(request: Request, kind: type[T]) -> T:
    """Raises BadField."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as problem:
        issue, _, where = str(problem).partition(" - at `$.")
        field = where.rstrip("`") or (issue.split("`")[1] if "field `" in issue else "")
        raise BadField(field, issue) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadField("", "the body is not JSON") from None
