"""A person lets the hospital pay from her insurance: Tencent's page `/oauth/code`, and the query that makes a number of its code.

The page's parameters and the query's signature are those in public use; the life of an authorisation (some minutes) is theirs too.
"""

import hashlib
import hmac
import secrets
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniapp_mock.wechat.clock import MINUTE, local
from miniapp_mock.wechat.med_ins.insured import Insured
from miniapp_mock.wechat.med_ins.signed import read
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.phone.owner import current, owner
from miniapp_mock.wechat.phone.screen import (
    choose_first,
    front_address,
    go,
    read_form,
    refuse,
    show,
    with_query,
)

CODE_LIFE, AUTH_LIFE = 5 * MINUTE, 10 * MINUTE
SKEW_MS = 15 * 60_000
PAYMENT = "04107"
NOT_BOUND = "该微信未绑定医保电子凭证"
HERE = "121.256300,31.298200"


class Query(msgspec.Struct, forbid_unknown_fields=True):
    qrcode: str
    openid: str


def routes() -> list[Route]:
    return [
        Route("/oauth/code", _ask, methods=["GET"]),
        Route("/oauth/code", _decide, methods=["POST"]),
        Route("/phone/{openid}/med-ins-auth", _by_thumb, methods=["POST"]),
        Route("/api/mipuserquery/userQuery/{partner}", _query, methods=["POST"]),
    ]


def issue(mock: Mock, openid: str) -> str:
    """A code, good once and for five minutes."""
    code = f"{secrets.randbelow(10**18):018d}"
    mock.store.insert("med_ins_auths", code=code, openid=openid, made_at=mock.now)
    return code


def owner_of(mock: Mock, pay_auth_no: str) -> str | None:
    """Whose authorisation it is, while it lasts."""
    row = mock.store.one("SELECT * FROM med_ins_auths WHERE pay_auth_no = ?", pay_auth_no)
    return row["openid"] if row is not None and row["used_at"] + AUTH_LIFE > mock.now else None


async def _ask(request: Request) -> Response:
    """The page; `redirectUrl` must be the front's."""
    mock, query = mock_of(request), request.query_params
    back = front_address(mock, query.get("redirectUrl", ""))
    if back is None:
        return refuse(request, "授权页的返回地址不属于本小程序")
    if query.get("bizType") != PAYMENT or not query.get("cityCode") or not query.get("orgCodg"):
        return refuse(request, "授权参数不完整，请联系医院")
    person = current(request)
    if person is None:
        return choose_first(request)
    return show(
        request, "authorise_insurance.html", person=person, insured=mock.insured.get(person.openid), back=back,
        leave=with_query(back, retCode="-1"), here=f"{request.url.path}?{request.url.query}",
    )  # fmt: skip


async def _decide(request: Request) -> Response:
    mock = mock_of(request)
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    back, person = front_address(mock, form.get("redirectUrl", "")), current(request)
    if back is None or person is None:
        return refuse(request, "请从医院页面重新进入")
    if form.get("decision") != "allow" or person.openid not in mock.insured:
        return go(with_query(back, retCode="-1"))
    return go(with_query(back, retCode="0", authCode=issue(mock, person.openid)))


async def _by_thumb(request: Request) -> Response:
    """What the mini program's authorisation page hands back."""
    mock, person = mock_of(request), owner(request)
    if person.openid not in mock.insured:
        return JSONResponse({"retCode": "-1", "message": NOT_BOUND})
    return JSONResponse({"retCode": "0", "authCode": issue(mock, person.openid)})


async def _query(request: Request) -> Response:
    mock = mock_of(request)
    if mock.faults.on("insurance_down"):
        return JSONResponse({"code": -1, "message": "服务暂不可用"}, 503)
    await mock.faults.delay_insurance()
    if not _signed(mock, request):
        return JSONResponse({"code": 401, "message": "签名错误"}, 401)
    asked = await read(request, Query)
    row = mock.store.one("SELECT * FROM med_ins_auths WHERE code = ?", asked.qrcode)
    if row is None or row["openid"] != asked.openid or row["made_at"] + CODE_LIFE <= mock.now:
        return JSONResponse({"code": 10001, "message": "授权码无效或已过期"})
    number = f"AUTH310100{local(mock.now):%Y%m%d%H%M%S}{secrets.randbelow(10**8):08d}"
    if not mock.store.run(
        "UPDATE med_ins_auths SET used_at = ?, pay_auth_no = ? WHERE code = ? AND used_at IS NULL",
        mock.now, number, asked.qrcode,
    ):  # fmt: skip
        return JSONResponse({"code": 10002, "message": "授权码已使用"})
    return JSONResponse(_found(mock.insured[asked.openid], number))


def _found(who: Insured, number: str) -> dict[str, Any]:
    longitude, latitude = HERE.split(",")
    return {
        "code": 0,
        "message": "success",
        "user_name": who.name,
        "user_card_no": who.id_number,
        "card_type": "01",
        "city_id": "310100",
        "pay_auth_no": number,
        "user_longitude_latitude": {"longitude": longitude, "latitude": latitude},
    }


def _signed(mock: Mock, request: Request) -> bool:
    """HMAC-SHA256 over partner and milliseconds, lower-case hex; good for a quarter of an hour."""
    timestamp = request.headers.get("god-portal-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        return False
    partner = request.path_params["partner"]
    text = f"{partner}{timestamp}".encode("latin-1", "replace")
    expected = hmac.new(mock.settings.insurance_secret.encode(), text, hashlib.sha256).hexdigest()
    given = request.headers.get("god-portal-signature", "").encode()
    fresh = abs(mock.now * 1000 - int(timestamp)) <= SKEW_MS
    known = partner == mock.settings.insurance_key and bool(mock.settings.insurance_secret)
    return fresh and known and hmac.compare_digest(given, expected.encode())
