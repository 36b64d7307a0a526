"""Bills of a day: who paid and was refunded (trade), what moved on the account (fund flow)."""

import gzip
import hashlib
import secrets
from datetime import date, datetime, timedelta
from typing import Any

from miniapp_mock.wechat.clock import DAY, MINUTE, SHANGHAI, local
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay.bill_rows import fund_flow_bill, trade_bill
from miniapp_mock.wechat.pay.endpoint import Call, File
from miniapp_mock.wechat.pay.errors import PayError, wrong_field

READY_HOUR = 10
KEPT_DAYS = 92
LINK_LIFE = 5 * MINUTE


def request_trade_bill(mock: Mock, call: Call) -> dict[str, Any]:
    """GET /v3/bill/tradebill?bill_date=&bill_type=&tar_type=."""
    kind = _choice(call, "bill_type", "ALL", ("ALL", "SUCCESS", "REFUND"))
    day = _day(mock, call)
    return _answer(mock, call, trade_bill(mock, *_bounds(day), kind))


def request_fund_flow_bill(mock: Mock, call: Call) -> dict[str, Any]:
    """GET /v3/bill/fundflowbill?bill_date=&account_type=&tar_type=. Everything is on the basic account."""
    account = _choice(call, "account_type", "BASIC", ("BASIC", "OPERATION", "FEES"))
    day = _day(mock, call)
    return _answer(mock, call, fund_flow_bill(mock, *_bounds(day)) if account == "BASIC" else None)


def download(mock: Mock, call: Call) -> File:
    """GET /v3/billdownload/file?token=: a signed request, an unsigned answer."""
    row = mock.store.one(
        "SELECT * FROM bills WHERE token = ? AND expires_at > ?", call.parameter("token"), mock.now
    )
    if row is None:
        raise PayError("RESOURCE_NOT_EXISTS", "账单下载链接已失效，请重新申请")
    return File(row["content"])


def _answer(mock: Mock, call: Call, text: str | None) -> dict[str, Any]:
    """The hash is of the file before compression."""
    zipped = call.query.get("tar_type")
    if zipped not in {None, "GZIP"}:
        raise wrong_field("tar_type", "unknown", value=zipped, location="query")
    if text is None or mock.faults.on("bill_missing"):
        raise PayError("NO_STATEMENT_EXIST", "请求的账单不存在")
    content = text.encode()
    sent = content.replace(b"SUCCESS", b"SUCCES5", 1) if mock.faults.on("bill_damaged") else content
    token = secrets.token_urlsafe(32)
    mock.store.run("DELETE FROM bills WHERE expires_at < ?", mock.now)
    mock.store.insert(
        "bills",
        token=token,
        content=gzip.compress(sent) if zipped else sent,
        expires_at=mock.now + LINK_LIFE,
    )
    return {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "download_url": f"{call.base}/v3/billdownload/file?token={token}",
    }


def _day(mock: Mock, call: Call) -> date:
    """Yesterday or before, up to three months; yesterday's from ten o'clock."""
    value = call.parameter("bill_date")
    try:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=SHANGHAI).date()
    except ValueError:
        raise wrong_field("bill_date", "not YYYY-MM-DD", value=value, location="query") from None
    now = mock.clock.local()
    age = (now.date() - day).days
    if not 1 <= age <= KEPT_DAYS:
        raise wrong_field(
            "bill_date", "not a day of the last three months that is over", value=value, location="query"
        )
    if mock.faults.on("bill_creating") or (age == 1 and now.hour < READY_HOUR):
        raise PayError("STATEMENT_CREATING", "账单生成中，请稍后再试")
    return day


def _bounds(day: date) -> tuple[float, float]:
    """From midnight to midnight in Shanghai, which has no summer time."""
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp()
    assert local(start + DAY).date() == day + timedelta(days=1)
    return start, start + DAY


def _choice(call: Call, name: str, default: str, options: tuple[str, ...]) -> str:
    value = call.query.get(name, default)
    if value not in options:
        raise wrong_field(name, "unknown", value=value, location="query")
    return value
