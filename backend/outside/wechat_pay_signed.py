"""Signed calls to WeChat Pay v3: answers are believed only when WeChat Pay's key signed their raw bytes just now.

What every client of `/v3/…` stands on: `call`, `find`, `download`, `open_notification`, `fields`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from backend.outside.wechat_pay_crypto import (
    Notification,
    NotWeChat,
    Probe,
    Stale,
    UnknownKey,
    unseal,
    verify,
)
from backend.outside.wechat_pay_exchange import Again, Exchange, PayRefused, Request, clocks_differ
from backend.outside.wechat_pay_keys import PUBLIC_KEY_ID, FieldKey, Listing, PayKeys
from backend.outside.wechat_pay_troubles import NotBelieved, Trouble
from foundation.errors import Unavailable
from foundation.logs import log

T = TypeVar("T")
CERTIFICATES_LIVE = timedelta(hours=12)
"""After this platform certificates are fetched anew."""
FETCH_GAP = timedelta(seconds=60)
"""Between two fetches for the sake of an unknown serial: anybody can send us one."""
UNKNOWN = frozenset({"order_not_exist", "resource_not_exists"})


@dataclass
class SignedPay:
    """One merchant's line to WeChat Pay."""

    exchange: Exchange
    keys: PayKeys
    _fetched: datetime | None = field(default=None, init=False)
    _tried: datetime | None = field(default=None, init=False)
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def call(
        self,
        method: str,
        target: str,
        kind: type[T] | None,
        body: Any = None,
        *,
        repeat: bool = True,
        serial: str = "",
    ) -> T:
        """The verified answer as `kind` (None: 204). `PayRefused` is WeChat Pay's no, `Unavailable` no answer at all.

        `repeat=False` for what must not be sent twice; `serial` names the key that fields of `body` were sealed with.
        """
        raw = b"" if body is None else msgspec.json.encode(body)
        await self._keep_certificates()
        request = Request(method, target, raw, serial or self.keys.named)
        response = await self.exchange.send(request, believe=self._believe, repeat=repeat)
        try:
            return msgspec.json.decode(response.content, type=kind) if kind else None  # type: ignore[return-value]
        except msgspec.MsgspecError as error:
            raise Unavailable("微信支付返回的内容无法识别", code="counterpart_unusable") from error

    async def find(self, target: str, kind: type[T]) -> T | None:
        """A query; None when WeChat Pay has no such thing."""
        try:
            return await self.call("GET", target, kind)
        except PayRefused as error:
            if error.code in UNKNOWN:
                return None
            raise

    async def download(self, target: str) -> bytes:
        """A file: the one answer that carries no signature. Its hash must have come with a signed one."""
        return (await self.exchange.send(Request("GET", target, serial=self.keys.named))).content

    async def open_notification(
        self, headers: Mapping[str, str], body: bytes, kind: type[T]
    ) -> tuple[Notification, T]:
        """Verify and open a notification, its plain text as `kind`; `NotWeChat` when it is none."""
        await self._verified(headers, body)
        try:
            notification = msgspec.json.decode(body, type=Notification)
            plain = unseal(self.exchange.merchant.apiv3_key, notification.resource)
            return notification, msgspec.json.decode(plain, type=kind)
        except msgspec.MsgspecError as error:
            raise NotWeChat("not understood") from error

    async def fields(self) -> FieldKey:
        """The key for fields that only WeChat Pay may read; its `serial` goes with the `call`."""
        await self._keep_certificates()
        if (found := self.keys.for_fields(self.exchange.clock.now())) is None:
            raise NotBelieved("微信支付的证书尚未取得", code=Trouble.NO_CERTIFICATE.value)
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    async def _believe(self, response: httpx.Response) -> None:
        """`Again` for an answer that does not verify: now and then WeChat Pay sends a wrong one on purpose."""
        troubles = self.exchange.troubles
        try:
            await self._verified(response.headers, response.content)
        except NotWeChat as error:
            if isinstance(error, Stale):
                await troubles.seen(Trouble.CLOCK, clocks_differ(error.seconds))
            elif not isinstance(error, Probe | UnknownKey):
                await troubles.seen(
                    Trouble.NOT_SIGNED, f"微信支付的应答未通过验签（{error}），请核对微信支付公钥与网络"
                )
            raise Again(Unavailable("微信支付返回的内容无法验证", code="counterpart_unusable")) from error
        await troubles.over(Trouble.NOT_SIGNED)

    async def _verified(self, headers: Mapping[str, str], body: bytes) -> None:
        """`NotWeChat` unless signed by a key that we know or can learn of."""
        serial = headers.get("wechatpay-serial", "")
        clock, troubles = self.exchange.clock, self.exchange.troubles
        key = self.keys.find(serial, clock.now()) or await self._learn(serial)
        if key is None:
            if serial.startswith(PUBLIC_KEY_ID):
                await troubles.seen(
                    Trouble.UNKNOWN_KEY,
                    f"收到用未知公钥 {serial[:48]} 签名的消息：若微信支付更换了公钥，请在商户平台下载并放入公钥目录",
                )
            raise UnknownKey(serial)
        verify(key, headers, body, clock.timestamp())
        await troubles.over(Trouble.UNKNOWN_KEY)

    async def _learn(self, serial: str) -> RSAPublicKey | None:
        """A key that appeared while we run: from the folder of public keys, or a certificate from WeChat Pay."""
        now = self.exchange.clock.now()
        if serial.startswith(PUBLIC_KEY_ID):
            self.keys.read_folder()
        elif serial.isascii() and serial.isalnum() and len(serial) <= 64:
            await self._fetch(tried_before=now - FETCH_GAP)
        return self.keys.find(serial, now)

    async def _keep_certificates(self) -> None:
        """In certificate mode: there, and not older than half a day. The first must come; later ones may fail to."""
        if self.keys.named:
            return
        now = self.exchange.clock.now()
        if self._fetched is None:
            await self._fetch(must=True)
        elif abs(now - self._fetched) > CERTIFICATES_LIVE:
            await self._fetch(tried_before=now - FETCH_GAP)

    async def _fetch(self, *, tried_before: datetime | None = None, must: bool = False) -> None:
        """Fetch and open the certificates, unless it was tried lately or somebody has just done it."""
        async with self._fetching:
            if must and self._fetched is not None:
                return
            if tried_before is not None and self._tried is not None and self._tried > tried_before:
                return
            self._tried = self.exchange.clock.now()
            try:
                response = await self.exchange.send(
                    Request("GET", "/v3/certificates", serial=self.keys.named)
                )
                self._take(response)
            except (PayRefused, Unavailable, NotWeChat) as error:
                log.warning("wechat_pay_certificates", error=f"{type(error).__name__}: {error}")
                if must:
                    words = "没有取得微信支付平台证书；若商户使用微信支付公钥，请改用公钥模式"
                    await self.exchange.troubles.seen(Trouble.NO_CERTIFICATE, words)
                    raise NotBelieved(
                        "微信支付暂时不可用，请稍后再试", code=Trouble.NO_CERTIFICATE.value
                    ) from error
                return
            self._fetched = self._tried
            await self.exchange.troubles.over(Trouble.NO_CERTIFICATE)

    def _take(self, response: httpx.Response) -> None:
        """The answer must be signed by a key that we have, those within it included: they opened with our own secret."""
        before = dict(self.keys.certificates)
        try:
            listing = msgspec.json.decode(response.content, type=Listing)
            self.keys.take(listing, self.exchange.merchant.apiv3_key)
            serial = response.headers.get("wechatpay-serial", "")
            if (key := self.keys.find(serial, self.exchange.clock.now())) is None:
                raise UnknownKey(serial)
            verify(key, response.headers, response.content, self.exchange.clock.timestamp())
        except (NotWeChat, msgspec.MsgspecError) as error:
            self.keys.certificates = before
            raise NotWeChat(f"certificates: {error}") from error
