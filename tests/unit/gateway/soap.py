"""A SOAP hospital made by hand for tests: answers by trade, and remembers what it was asked."""

import asyncio
import html
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.unit.gateway.background import OtherSide, Seen

PATH = "/services/InternetHospital"
NUMBER = "310114195809199069"
NAME = "周桂珍"
PATIENT = {
    "PatientNo": "1", "PatientName": NAME, "Sex": "2", "BirthDate": "1958-09-19", "CardNo": NUMBER, "State": "1", "MergedInto": "",
}  # fmt: skip
Answering = Callable[[str], bytes | web.Response | Awaitable[bytes]]


def field(xml: str, name: str) -> str:
    """The first element of this name in a request."""
    found = re.search(rf"<{name}>(.*?)</{name}>", xml, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def xml_of(content: Any) -> str:
    """Nested elements; a list repeats its element."""
    if not isinstance(content, dict):
        return html.escape(str(content))
    parts = []
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(f"<{name}>{xml_of(one)}</{name}>")
    return "".join(parts)


def string(
    message_id: str, *rows: dict[str, Any], code: str = "0", text: str = "成功", total: int | None = None
) -> str:
    """The XML string of an answer."""
    said = len(rows) if total is None else total
    head = {"ResultCode": code, "ResultText": text, "MessageId": message_id}
    return (
        f"<Response>{xml_of({'Head': head, 'Body': {'Total': said, 'Rows': {'Row': list(rows)}}})}</Response>"
    )


def envelope(inner: str, charset: str = "utf-8") -> bytes:
    """The SOAP around it."""
    text = (
        f'<?xml version="1.0" encoding="{charset}"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<s:Body><ExchangeResponse xmlns="urn:hospital:exchange"><ExchangeResult>{html.escape(inner)}'
        "</ExchangeResult></ExchangeResponse></s:Body></s:Envelope>"
    )
    return text.encode(charset)


class SoapSide:
    """Wraps the hospital's side of a running gateway."""

    def __init__(self, side: OtherSide) -> None:
        self.asked: defaultdict[str, list[str]] = defaultdict(list)
        self._answers: dict[str, list[Answering]] = {}
        side.answers[f"POST {PATH}"] = self._answer
        self.rows("1001", PATIENT)
        self.rows("1002", PATIENT)

    def rows(self, trade: str, *rows: dict[str, Any], **more: Any) -> None:
        """Answer `trade` with rows from now on; `{"OuterNo": ...}` repeats what was asked."""
        self.each(
            trade, lambda asked: envelope(string(field(asked, "MessageId"), *_same(asked, rows), **more))
        )

    def each(self, trade: str, *answers: Answering) -> None:
        """One answer after the other; the last one from then on."""
        self._answers[trade] = list(answers)

    async def _answer(self, seen: Seen) -> web.Response:
        asked = html.unescape(seen.body.decode())
        trade = field(asked, "TradeCode")
        self.asked[trade].append(asked)
        answers = self._answers.get(trade) or [nothing]
        given = (answers.pop(0) if len(answers) > 1 else answers[0])(asked)
        if isinstance(given, web.Response):
            return given
        if isinstance(given, Awaitable):
            given = await given
        return web.Response(body=given, headers={"content-type": "text/xml; charset=utf-8"})


def nothing(asked: str) -> bytes:
    """There is none."""
    return envelope(string(field(asked, "MessageId"), code="100", text="不存在"))


def written(asked: str, trade: str, **more: str) -> dict[str, Any]:
    """The row of what was written under the number that `asked` names."""
    return {
        "OuterNo": field(asked, "OuterNo"), "OuterTrade": trade, "PatientNo": "1", "RecordNo": "SF1",
        "RecordTime": "2026-11-23 09:00:00", **more,
    }  # fmt: skip


def done(trade: str, **more: str) -> Answering:
    """Answers with the row of what was written."""
    return lambda asked: envelope(string(field(asked, "MessageId"), written(asked, trade, **more)))


async def never(_: str) -> bytes:
    """Answers nothing at all."""
    await asyncio.Event().wait()
    return b""


def result(code: str, text: str = "") -> Answering:
    """Answers with a result and no row."""
    return lambda asked: envelope(string(field(asked, "MessageId"), code=code, text=text))


def _same(asked: str, rows: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [
        {name: field(asked, name) if value is ... else value for name, value in one.items()} for one in rows
    ]
