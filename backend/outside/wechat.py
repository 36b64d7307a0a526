"""WeChat's open platform: login codes, phone numbers, messages. Always HTTP 200; `errcode` says what happened."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec

from backend.outside.calling import answered, reaching, trace
from foundation.client import http_client
from foundation.clock import Clock
from foundation.errors import Unauthenticated, Unavailable, invalid

STALE_TOKEN = (40001, 40014, 42001)
USED_OR_OLD = (40029, 40163)
NO_CONSENT = 43101
WHO = "微信"


class WeChatRefused(Exception):
    """WeChat answered with an error code that is not about the token."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


@dataclass
class WeChat:
    """Client of api.weixin.qq.com for one mini-program."""

    base_url: str
    appid: str
    secret: str
    clock: Clock
    http: httpx.AsyncClient = field(init=False)
    _token: str = field(default="", init=False)
    _token_until: datetime | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        self.http = http_client(self.base_url)

    async def login(self, code: str) -> str:
        """The openid behind a `wx.login` code; `Unauthenticated` when it was used or is too old."""
        query = {
            "appid": self.appid,
            "secret": self.secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        try:
            answer = await self._call("GET", "/sns/jscode2session", params=query)
        except WeChatRefused as error:
            if error.code in USED_OR_OLD:
                raise Unauthenticated("登录已失效，请重新进入", code="login_code_refused") from error
            raise Unavailable("微信登录暂时不可用", code="wechat_refused") from error
        return self._text(answer, "openid")

    async def phone_number(self, code: str) -> str:
        """The phone number behind a `getPhoneNumber` code."""
        try:
            answer = await self._with_token("/wxa/business/getuserphonenumber", {"code": code})
        except WeChatRefused as error:
            if error.code in USED_OR_OLD:
                raise invalid("code", "code_refused", "手机号授权已失效，请重新授权") from error
            raise Unavailable("微信暂时不可用", code="wechat_refused") from error
        info = answer.get("phone_info")
        return self._text(info if isinstance(info, dict) else {}, "purePhoneNumber")

    async def send_subscribe(self, openid: str, template_id: str, page: str, data: dict[str, str]) -> None:
        """A one-shot subscribe message to a patient; `WeChatRefused` 43101 when no consent is left."""
        body = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "miniprogram_state": "formal",
            "lang": "zh_CN",
            "data": {key: {"value": value} for key, value in data.items()},
        }
        await self._with_token("/cgi-bin/message/subscribe/send", body)

    async def send_template(self, openid: str, template_id: str, url: str, data: dict[str, str]) -> None:
        """A template message of the service account to a doctor who follows it."""
        body = {
            "touser": openid,
            "template_id": template_id,
            "url": url,
            "data": {key: {"value": value} for key, value in data.items()},
        }
        await self._with_token("/cgi-bin/message/template/send", body)

    async def _with_token(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        token = await self._access_token()
        try:
            return await self._call("POST", path, params={"access_token": token}, json=body)
        except WeChatRefused as error:
            if error.code not in STALE_TOKEN:
                raise
        fresh = await self._access_token(instead_of=token)
        return await self._call("POST", path, params={"access_token": fresh}, json=body)

    async def _access_token(self, instead_of: str = "") -> str:
        async with self._lock:
            now = self.clock.now()
            known = self._token and self._token_until and now < self._token_until
            if known and self._token != instead_of:
                return self._token
            body: dict[str, Any] = {
                "grant_type": "client_credential",
                "appid": self.appid,
                "secret": self.secret,
            }
            if instead_of:
                body["force_refresh"] = True
            try:
                answer = await self._call("POST", "/cgi-bin/stable_token", json=body)
            except WeChatRefused as error:
                raise Unavailable("微信暂时不可用", code="wechat_refused") from error
            self._token = self._text(answer, "access_token")
            self._token_until = now + timedelta(seconds=int(answer.get("expires_in", 0)) - 300)
            return self._token

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        async with reaching(WHO):
            response = answered(await self.http.request(method, path, headers=trace(), **options), WHO)
        try:
            answer = msgspec.json.decode(response.content, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Unavailable("微信返回的内容无法识别", code="counterpart_unusable") from error
        code = answer.get("errcode", 0)
        if code == -1:
            raise Unavailable("微信繁忙，请稍后再试", code="counterpart_unavailable")
        if code:
            raise WeChatRefused(int(code), str(answer.get("errmsg", "")))
        return answer

    def _text(self, answer: dict[str, Any], name: str) -> str:
        value = answer.get(name)
        if not isinstance(value, str) or not value:
            raise Unavailable("微信返回的内容无法识别", code="counterpart_unusable")
        return value

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
