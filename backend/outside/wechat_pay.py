"""WeChat Pay v3: order, query, close, refund. Money moves on what a query says, never on a notification alone."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.outside.calling import answered, reaching, trace
from backend.outside.wechat_pay_bills import (
    BillUnreadable,
    FundFlowBill,
    TradeBill,
    read_fund_flow_bill,
    read_trade_bill,
)
from backend.outside.wechat_pay_crypto import Merchant, Notification, NotWeChat, unseal, verify
from foundation.client import http_client
from foundation.clock import Clock, local
from foundation.errors import AppError, Unavailable

T = TypeVar("T")
WHO = "微信支付"


class Amount(msgspec.Struct, frozen=True):
    """Fen."""

    total: int = 0
    refund: int = 0
    payer_total: int = 0
    currency: str = "CNY"


class Transaction(msgspec.Struct, frozen=True):
    """The truth about an order: `trade_state` NOTPAY, SUCCESS, REFUND, CLOSED, PAYERROR."""

    appid: str = ""
    mchid: str = ""
    out_trade_no: str = ""
    transaction_id: str = ""
    trade_state: str = ""
    success_time: datetime | None = None
    amount: Amount = Amount()


class RefundAnswer(msgspec.Struct, frozen=True):
    """The truth about a refund: `status` PROCESSING, SUCCESS, ABNORMAL, CLOSED."""

    refund_id: str = ""
    out_refund_no: str = ""
    out_trade_no: str = ""
    status: str = ""
    success_time: datetime | None = None
    amount: Amount = Amount()


class Hint(msgspec.Struct, frozen=True):
    """What a notification points at; its claims are not used."""

    out_trade_no: str = ""
    out_refund_no: str = ""


class _Prepay(msgspec.Struct, frozen=True):
    prepay_id: str


class _BillLink(msgspec.Struct, frozen=True):
    hash_type: str
    hash_value: str
    download_url: str


class _Refusal(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class PayRefused(AppError):
    """A 4xx of WeChat Pay: a decision, not a fault; `code` is WeChat's own in lower case."""

    status, code, title = 502, "wechat_pay_refused", "微信支付拒绝了请求"


class BillNotReady(Unavailable):
    """WeChat Pay still makes the bill (from about ten o'clock of the next day it is there)."""

    code = "bill_not_ready"


@dataclass
class WeChatPay:
    """Client of one merchant in public-key mode; `keys` are WeChat Pay's by serial, old and new side by side."""

    base_url: str
    appid: str
    merchant: Merchant
    public_key_id: str
    keys: Mapping[str, rsa.RSAPublicKey]
    clock: Clock
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = http_client(self.base_url)

    async def order(
        self,
        *,
        out_trade_no: str,
        amount: int,
        description: str,
        openid: str,
        notify_url: str,
        expires: datetime,
    ) -> str:
        """Place an order; returns the prepay id. The same order again gives the same order."""
        body = {
            "appid": self.appid,
            "mchid": self.merchant.mchid,
            "description": description,
            "out_trade_no": out_trade_no,
            "notify_url": notify_url,
            "time_expire": local(expires).isoformat(timespec="seconds"),
            "amount": {"total": amount, "currency": "CNY"},
            "payer": {"openid": openid},
        }
        return (await self._call("POST", "/v3/pay/transactions/jsapi", _Prepay, body)).prepay_id

    async def query(self, out_trade_no: str) -> Transaction | None:
        """The order as WeChat Pay has it; None when it never heard of it. An answer about another order is an error."""
        path = f"/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={self.merchant.mchid}"
        found = await self._find(path, Transaction)
        if found is not None and (found.out_trade_no, found.mchid, found.appid) != (
            out_trade_no,
            self.merchant.mchid,
            self.appid,
        ):
            raise Unavailable("微信支付返回了其他订单", code="wrong_order")
        return found

    async def close_order(self, out_trade_no: str) -> None:
        """Close an unpaid order; `PayRefused` (`orderpaid`) when the money was faster."""
        path = f"/v3/pay/transactions/out-trade-no/{out_trade_no}/close"
        await self._call("POST", path, None, {"mchid": self.merchant.mchid})

    async def refund(
        self, *, out_trade_no: str, out_refund_no: str, refund: int, total: int, reason: str, notify_url: str
    ) -> RefundAnswer:
        """Ask for a refund; 200 means accepted only. A failed attempt is repeated with the same number."""
        body = {
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "reason": reason[:80],
            "notify_url": notify_url,
            "amount": {"refund": refund, "total": total, "currency": "CNY"},
        }
        return await self._call("POST", "/v3/refund/domestic/refunds", RefundAnswer, body)

    async def query_refund(self, out_refund_no: str) -> RefundAnswer | None:
        """The refund as WeChat Pay has it; None when unknown there."""
        return await self._find(f"/v3/refund/domestic/refunds/{out_refund_no}", RefundAnswer)

    async def trade_bill(self, day: date) -> TradeBill:
        """Payments and refunds of a day in Shanghai (not today); `BillNotReady` when it is too early."""
        content, sha1 = await self._bill(f"/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP")
        if content is None:
            return TradeBill(day, exists=False)
        try:
            return read_trade_bill(day, content, sha1)
        except BillUnreadable as error:
            raise Unavailable("微信支付账单无法识别", code="bill_unreadable") from error

    async def fund_flow_bill(self, day: date) -> FundFlowBill:
        """What moved on the basic account on a day, fees and refunds included; as `trade_bill`."""
        content, sha1 = await self._bill(
            f"/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC&tar_type=GZIP"
        )
        if content is None:
            return FundFlowBill(day, exists=False)
        try:
            return read_fund_flow_bill(day, content, sha1)
        except BillUnreadable as error:
            raise Unavailable("微信支付账单无法识别", code="bill_unreadable") from error

    async def _bill(self, target: str) -> tuple[bytes | None, str]:
        """The file as it was hashed, and the hash; None when there is no bill."""
        try:
            link = await self._call("GET", target, _BillLink)
        except PayRefused as error:
            if error.code == "no_statement_exist":
                return None, ""
            if error.code == "statement_creating":
                raise BillNotReady("账单尚未生成，请稍后再试") from error
            raise
        url = urlsplit(link.download_url)
        content = await self._download(f"{url.path}?{url.query}")
        try:
            plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        except (OSError, EOFError, zlib.error) as error:
            raise Unavailable("微信支付账单下载不完整", code="bill_damaged") from error
        sha1 = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
        if link.hash_type != "SHA1" or sha1 != link.hash_value.lower():
            raise Unavailable("微信支付账单校验不符", code="bill_damaged")
        return plain, sha1

    async def _download(self, target: str) -> bytes:
        """The one answer that carries no signature; its hash came with a signed one."""
        headers = {
            "authorization": self.merchant.authorization("GET", target, b"", self.clock.timestamp()),
            "accept": "*/*",
            "user-agent": "internet-hospital",
            "wechatpay-serial": self.public_key_id,
            **trace(),
        }
        async with reaching(WHO):
            response = answered(await self.http.get(target, headers=headers), WHO)
        if response.status_code >= 400:
            raise self._refused(response)
        return response.content

    def invoke(self, prepay_id: str) -> dict[str, str]:
        """Parameters for `wx.requestPayment`."""
        return self.merchant.invoke(self.appid, prepay_id, self.clock.timestamp())

    def open_notification(self, headers: Mapping[str, str], body: bytes) -> tuple[Notification, Hint]:
        """Verify and open a notification; `NotWeChat` when it is none."""
        verify(self.keys, headers, body, self.clock.timestamp())
        try:
            notification = msgspec.json.decode(body, type=Notification)
            hint = msgspec.json.decode(unseal(self.merchant.apiv3_key, notification.resource), type=Hint)
        except msgspec.MsgspecError as error:
            raise NotWeChat("not understood") from error
        return notification, hint

    async def _find(self, path: str, kind: type[T]) -> T | None:
        try:
            return await self._call("GET", path, kind)
        except PayRefused as error:
            if error.code in ("order_not_exist", "resource_not_exists"):
                return None
            raise

    async def _call(self, method: str, target: str, kind: type[T] | None, body: Any = None) -> T:
        raw = b"" if body is None else msgspec.json.encode(body)
        headers = {
            "authorization": self.merchant.authorization(method, target, raw, self.clock.timestamp()),
            "accept": "application/json",
            "content-type": "application/json",
            "user-agent": "internet-hospital",
            "wechatpay-serial": self.public_key_id,
            **trace(),
        }
        async with reaching(WHO):
            response = answered(await self.http.request(method, target, content=raw, headers=headers), WHO)
        if response.status_code >= 400:
            raise self._refused(response)
        return self._read(response, kind)

    def _read(self, response: httpx.Response, kind: type[T] | None) -> T:
        try:
            verify(self.keys, response.headers, response.content, self.clock.timestamp())
            return msgspec.json.decode(response.content, type=kind) if kind else None  # type: ignore[return-value]
        except (NotWeChat, msgspec.MsgspecError) as error:
            raise Unavailable("微信支付返回的内容无法验证", code="counterpart_unusable") from error

    def _refused(self, response: httpx.Response) -> PayRefused:
        try:
            refusal = msgspec.json.decode(response.content, type=_Refusal)
        except msgspec.MsgspecError:
            refusal = _Refusal()
        return PayRefused(
            f"微信支付：{refusal.message or '请求未被接受'}",
            code=refusal.code.lower() or "wechat_pay_refused",
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
