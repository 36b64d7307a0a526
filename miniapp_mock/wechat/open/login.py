"""Who somebody is: login codes, the web's twin of them, telephone numbers."""

import base64
import hashlib
import secrets
from typing import Any

import msgspec
from starlette.requests import Request

from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open import codes, tokens
from miniapp_mock.wechat.open.errors import OpenError, read_json


def jscode2session(mock: Mock, request: Request, _body: bytes) -> dict[str, Any]:
    """GET /sns/jscode2session → `openid, session_key, unionid?`."""
    query = request.query_params
    tokens.check_app(mock, query.get("appid", ""), query.get("secret", ""))
    tokens.check_grant(query.get("grant_type", ""), "authorization_code")
    openid = codes.use(mock, query.get("js_code", ""), codes.LOGIN)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    return {"session_key": key, "openid": openid, **_unionid(mock, openid)}


def web_access_token(mock: Mock, request: Request, _body: bytes) -> dict[str, Any]:
    """GET /sns/oauth2/access_token, scope snsapi_base."""
    query = request.query_params
    tokens.check_app(mock, query.get("appid", ""), query.get("secret", ""))
    tokens.check_grant(query.get("grant_type", ""), "authorization_code")
    openid = codes.use(mock, query.get("code", ""), codes.OAUTH)
    return {
        "access_token": f"97_{secrets.token_urlsafe(60)}",
        "expires_in": 7200,
        "refresh_token": f"97_{secrets.token_urlsafe(60)}",
        "openid": openid,
        "scope": "snsapi_base",
        **_unionid(mock, openid),
    }


class PhoneCode(msgspec.Struct):
    code: str = ""


def phone_number(mock: Mock, request: Request, body: bytes) -> dict[str, Any]:
    """POST /wxa/business/getuserphonenumber. Its code is not a login code."""
    tokens.require(mock, request)
    asked = read_json(body, PhoneCode)
    openid = codes.use(mock, asked.code, codes.PHONE)
    person = mock.people.find(openid)
    if person is None:
        raise OpenError(40029)
    return {
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": person.phone,
            "purePhoneNumber": person.phone,
            "countryCode": "86",
            "watermark": {"timestamp": int(mock.now), "appid": mock.settings.appid},
        },
    }


def jsapi_ticket(mock: Mock, request: Request, _body: bytes) -> dict[str, Any]:
    """GET /cgi-bin/ticket/getticket?type=jsapi: the same while the access token is the same."""
    tokens.require(mock, request)
    if request.query_params.get("type") != "jsapi":
        raise OpenError(40097, "type")
    ticket = hashlib.sha256(request.query_params["access_token"].encode()).hexdigest()
    return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": 7200}


def _unionid(mock: Mock, openid: str) -> dict[str, str]:
    person = mock.people.find(openid)
    return {"unionid": person.unionid} if person and person.unionid else {}
