"""One request to WeChat Pay and what its status means; tried again at once only where WeChat Pay did not decide.

Tried again are silence, 5xx, 429 and answers that do not verify: the same bytes under a new signature, a few times within
seconds. Everything slower is the jobs' business (`foundation.db.intents`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from backend.outside.calling import trace
from backend.outside.wechat_pay_crypto import SKEW_SECONDS, Merchant
from backend.outside.wechat_pay_troubles import NotBelieved, Trouble, Troubles
from foundation.client import http_client
from foundation.clock import Clock
from foundation.errors import AppError, Unavailable
from foundation.logs import log

WHO = "微信支付"
PAUSES = (0.3, 1.0)
"""Seconds before the second and the third attempt; twice as long after 429."""
PATIENCE = 4.0
"""Seconds after which nothing is tried again within one call: somebody may be waiting for it."""
UNEASY_SECONDS = 60
"""Difference of the clocks that is worth an alarm, long before WeChat Pay refuses us at 300."""
TOO_OFTEN = frozenset({"frequency_limited", "ratelimited", "ratelimit_exceeded", "frequency_limit_exceed"})
NOT_DECIDED = frozenset({"system_error", "systemerror", "bank_error"})
Believe = Callable[[httpx.Response], Awaitable[None]]
"""Verifies an answer; raises `Again` when it does not hold."""


class PayRefused(AppError):
    """A 4xx of WeChat Pay: a decision, not a fault; `code` is WeChat's own in lower case."""

    status, code, title = 502, "wechat_pay_refused", "微信支付拒绝了请求"


class Again(Exception):
    """Not decided: may be asked again, after a pause `times` as long as usual. `problem` is what it means in the end."""

    def __init__(self, problem: Unavailable, times: int = 1) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.times = times


class Request(msgspec.Struct, frozen=True):
    """What is sent: `target` is path and query as they go over the wire, `serial` the key of WeChat Pay's that is meant."""

    method: str
    target: str
    body: bytes = b""
    serial: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


@dataclass
class Exchange:
    """`urls` are the main host and those to turn to when it cannot be reached."""

    urls: Sequence[str]
    merchant: Merchant
    clock: Clock
    troubles: Troubles
    pauses: Sequence[float] = PAUSES
    hosts: list[httpx.AsyncClient] = field(init=False)
    _preferred: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.hosts = [http_client(url) for url in self.urls]

    async def send(
        self, request: Request, *, believe: Believe | None = None, repeat: bool = True
    ) -> httpx.Response:
        """A 2xx, verified by `believe`. `PayRefused` is WeChat Pay's no, `Unavailable` no answer at all."""
        started = time.monotonic()
        for pause in (*self.pauses, None):
            try:
                return await self._once(request, believe)
            except Again as again:
                if pause is None or not repeat or time.monotonic() - started > PATIENCE:
                    raise again.problem from again
                await asyncio.sleep(pause * again.times)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, request: Request, believe: Believe | None) -> httpx.Response:
        host = self.hosts[self._preferred]
        try:
            response = await host.request(
                request.method, request.target, content=request.body, headers=self._headers(request)
            )
        except (httpx.TransportError, TimeoutError) as error:
            self._preferred = (self._preferred + 1) % len(self.hosts)
            problem = Unavailable(f"{WHO}暂时没有响应，请稍后再试", code="counterpart_unreachable")
            raise Again(problem) from error
        skew = await self._skew(response)
        if response.status_code >= 300:
            raise await self._meaning(request, response, skew, believe)
        if believe is not None:
            await believe(response)
            await self.troubles.over(Trouble.SIGN_ERROR)
        return response

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "authorization": self.merchant.authorization(
                request.method, request.target, request.body, self.clock.timestamp()
            ),
            "accept": "application/json",
            "content-type": "application/json",
            "user-agent": "internet-hospital",
            **trace(),
        }
        return headers | ({"wechatpay-serial": request.serial} if request.serial else {})

    async def _meaning(
        self, request: Request, response: httpx.Response, skew: int | None, believe: Believe | None
    ) -> Exception:
        """Of a status outside 2xx. An error may come unsigned; one that is signed must be signed rightly."""
        try:
            refusal = msgspec.json.decode(response.content, type=_Refusal)
        except msgspec.MsgspecError:
            refusal = _Refusal()
        status, code = response.status_code, refusal.code.lower()
        log.warning(
            "wechat_pay_refused", status=status, code=code, path=request.target.partition("?")[0],
            request_id=response.headers.get("request-id", ""),
        )  # fmt: skip
        if status == 429 or code in TOO_OFTEN:
            return Again(Unavailable(f"{WHO}繁忙，请稍后再试", code="wechat_pay_too_often"), times=2)
        if status >= 500 or code in NOT_DECIDED:
            return Again(Unavailable(f"{WHO}暂时不可用，请稍后再试", code="counterpart_unavailable"))
        if status == 401:
            return await self._distrusted(refusal.message, skew)
        if status < 400:
            return Unavailable(f"{WHO}返回的内容无法识别", code="counterpart_unusable")
        if believe is not None and "wechatpay-signature" in response.headers:
            await believe(response)
        return PayRefused(f"{WHO}：{refusal.message or '请求未被接受'}", code=code or PayRefused.code)

    async def _distrusted(self, message: str, skew: int | None) -> NotBelieved:
        """401. Not a refusal of what was asked: when clock or keys are right again, it is to be done."""
        if skew is not None and abs(skew) >= SKEW_SECONDS:
            return NotBelieved(f"{WHO}暂时不可用：本机时钟不准", code=Trouble.CLOCK.value)
        await self.troubles.seen(
            Trouble.SIGN_ERROR,
            f"微信支付不接受我们的签名（{message[:60] or '未说明原因'}）：请核对商户号、商户私钥与证书序列号",
        )
        return NotBelieved(f"{WHO}暂时不可用，请稍后再试")

    async def _skew(self, response: httpx.Response) -> int | None:
        """WeChat Pay's clock minus ours in seconds, by the answer's `Date`: told, and never believed instead of ours."""
        try:
            theirs = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError):
            return None
        skew = int((theirs - self.clock.now()).total_seconds())
        if abs(skew) >= UNEASY_SECONDS:
            await self.troubles.seen(Trouble.CLOCK, clocks_differ(skew))
        else:
            await self.troubles.over(Trouble.CLOCK)
        return skew

    async def close(self) -> None:
        """Close the connections."""
        for host in self.hosts:
            await host.aclose()


def clocks_differ(skew: int) -> str:
    """For the person who sets the clock right; `skew` is their seconds minus ours."""
    ours = "慢" if skew > 0 else "快"
    return f"本机时钟比微信支付{ours} {abs(skew)} 秒，请校准；相差 300 秒即不能收款和退款"
