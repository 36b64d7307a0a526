"""The regulator adapter's desk and days: typed calls over mutual TLS."""

import ssl
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
import msgspec

from contracts import supervision_desk as wire
from contracts.days import ClosedDay, DayHeard, DaysWanted, Sent
from foundation.errors import AppError, Conflict, Invalid, Issue, NotFound, Unavailable
from foundation.logs import log, request_id

T = TypeVar("T")
TIMEOUT = aiohttp.ClientTimeout(total=40, connect=2)
"""A comparison with the platform is waited for."""


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""
    issues: list[dict[str, str]] = []


@dataclass
class SupervisionAdapter:
    """Client of the adapter. Its refusals come back as ours; `Unavailable` when it does not answer."""

    url: str
    tls: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def overview(self) -> wire.Overview:
        """The whole feed at a glance."""
        return await self._call("GET", "/desk/overview", wire.Overview)

    async def records(self, **query: str) -> wire.Records:
        """See `RecordsQuery` of the adapter."""
        return await self._call("GET", "/desk/records", wire.Records, query=query)

    async def resubmit(self, row_id: UUID, act: wire.Act) -> wire.RecordView:
        """Map and send it again from the stored event."""
        return await self._call("POST", f"/desk/records/{row_id}/resubmit", wire.RecordView, act)

    async def resubmit_code(self, act: wire.ActOnCode) -> wire.Moved:
        """All that wait under one reply code."""
        return await self._call("POST", "/desk/resubmit-code", wire.Moved, act)

    async def carry_over(self, row_id: UUID, act: wire.Act) -> wire.RecordView:
        """Let its day close without it."""
        return await self._call("POST", f"/desk/records/{row_id}/carry-over", wire.RecordView, act)

    async def days(self) -> wire.DayList:
        """The newest statement of each day."""
        return await self._call("GET", "/desk/days", wire.DayList)

    async def day(self, day: date) -> wire.DayDetail:
        """One day."""
        return await self._call("GET", f"/desk/days/{day}", wire.DayDetail)

    async def reconcile(self, day: date, act: wire.Act) -> wire.DayView:
        """Compare it with the platform now."""
        return await self._call("POST", f"/desk/days/{day}/reconcile", wire.DayView, act)

    async def restate(self, day: date, act: wire.Act) -> wire.DayView:
        """Open a supplement of a closed day."""
        return await self._call("POST", f"/desk/days/{day}/restate", wire.DayView, act)

    async def enter_count(self, day: date, act: wire.CountEntered) -> wire.DayDetail:
        """What a person read from a platform's page."""
        return await self._call("POST", f"/desk/days/{day}/counts", wire.DayDetail, act)

    async def bundle(self, day: date, supplement: int | None = None) -> bytes:
        """The proof of a closed day: of its newest closed statement unless one is named."""
        query = None if supplement is None else {"supplement": str(supplement)}
        return await self._raw("GET", f"/desk/days/{day}/bundle", query=query)

    async def connections(self) -> wire.Connections:
        """Certificates and neighbours as the adapter sees them."""
        return await self._call("GET", "/desk/connections", wire.Connections)

    async def days_wanted(self) -> DaysWanted:
        """Days of which it wants to hear what was sent, and those that are closed."""
        return await self._call("GET", "/days/wanted", DaysWanted)

    async def closed(self, day: date) -> ClosedDay:
        """Whether a day is settled on both sides, and up to which number."""
        return await self._call("GET", f"/days/{day}", ClosedDay)

    async def tell(self, day: date, sent: Sent) -> DayHeard:
        """What the outbox sent of a day."""
        return await self._call("POST", f"/days/{day}/sent", DayHeard, sent)

    async def _call(
        self, method: str, path: str, kind: type[T], body: Any = None, query: dict[str, str] | None = None
    ) -> T:
        raw = await self._raw(method, path, body, query)
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.MsgspecError as error:
            raise Unavailable("上报系统返回的内容无法识别", code="adapter_answer_unusable") from error

    async def _raw(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> bytes:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self.tls, limit=16)
            self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, trust_env=False)
        headers = {"content-type": "application/json", "x-request-id": request_id.get() or "none-none"}
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self._session.request(
                method, self.url + path, data=data, params=query, headers=headers
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("adapter_unreachable", error=type(error).__name__)
            raise Unavailable("上报系统没有应答，请稍后再试", code="adapter_unreachable") from error
        if answer.status == 200:
            return raw
        raise _refusal(answer.status, raw)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class NoAdapter(SupervisionAdapter):
    """Where none is wired: every call is `Unavailable`."""

    def __init__(self) -> None:
        super().__init__("https://127.0.0.1:9", ssl.create_default_context())

    async def _raw(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> bytes:
        raise Unavailable("上报系统没有应答，请稍后再试", code="adapter_unreachable")


def _refusal(status: int, raw: bytes) -> AppError:
    try:
        problem = msgspec.json.decode(raw, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    issues = [
        Issue(one.get("field", ""), one.get("code", ""), one.get("message", "")) for one in problem.issues
    ]
    if status == 404:
        return NotFound(problem.detail)
    if status == 409:
        return Conflict(problem.detail, code=problem.code)
    if status == 422:
        return Invalid(problem.detail, issues=issues)
    return Unavailable(problem.detail or "上报系统暂时不可用，请稍后再试", code=problem.code)
