import csv
import gzip
import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx

from tests.unit.wechat_mock.calls import faults, move_clock
from tests.unit.wechat_mock.merchant import Merchant
from tests.unit.wechat_mock.receiver import wait_for

SHANGHAI = ZoneInfo("Asia/Shanghai")


def noon_tomorrow(merchant: Merchant, wechat: httpx.Client, days: int = 1, hour: int = 12) -> str:
    """Moves both clocks to noon of a later day in Shanghai; → the day it was before."""
    now = datetime.now(SHANGHAI)
    then = (now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    merchant.seconds_off = (then - now).total_seconds()
    move_clock(wechat, merchant.seconds_off)
    return now.date().isoformat()


def noon_today(merchant: Merchant, wechat: httpx.Client) -> None:
    """So that no test runs over midnight."""
    noon_tomorrow(merchant, wechat, days=0)


def downloaded(merchant: Merchant, query: str) -> tuple[bytes, dict[str, str]]:
    """The file, and the answer that named it."""
    answer = merchant.get(query)
    assert answer.status_code == 200, answer.text
    link = answer.json()
    file = merchant.get(link["download_url"].removeprefix(merchant.base))
    assert file.status_code == 200
    assert "wechatpay-signature" not in file.headers
    return file.content, link


def rows(content: bytes) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Detail rows and summary, by the names of the header. A field may hold commas; each starts with a backtick."""
    lines = content.decode("utf-8-sig").strip().split("\r\n")
    at = next(n for n, line in enumerate(lines) if n and not line.startswith("`"))
    header = lines[0].split(",")
    detail = [dict(zip(header, line[1:].split(",`"), strict=True)) for line in lines[1:at]]
    summary = dict(zip(lines[at].split(","), lines[at + 1][1:].split(",`"), strict=True))
    assert len(lines) == at + 2
    return detail, summary


def test_the_trade_bill_lists_payments_and_refunds_of_the_day(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    noon_today(merchant, wechat)
    faults(wechat, refund_seconds=0)
    paid = merchant.paid_order(description="诊查费,含挂号")
    refunded = merchant.paid_order(amount={"total": 100, "currency": "CNY"})
    back = merchant.refund(refunded, amount={"refund": 60, "total": 100, "currency": "CNY"}).json()
    merchant.order()
    day = noon_tomorrow(merchant, wechat)

    content, link = downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}")
    detail, summary = rows(content)

    assert content.startswith(b"\xef\xbb\xbf")
    assert link["hash_type"] == "SHA1"
    assert link["hash_value"] == hashlib.sha1(content).hexdigest()
    by_state = [(row["商户订单号"], row["交易状态"], row["订单金额"], row["申请退款金额"]) for row in detail]
    assert by_state == [
        (paid, "SUCCESS", "30.00", "0.00"),
        (refunded, "SUCCESS", "1.00", "0.00"),
        (refunded, "REFUND", "0.00", "0.60"),
    ]
    assert detail[0]["商品名称"] == "诊查费,含挂号"
    assert detail[0]["手续费"] == "0.18000"
    assert detail[2]["商户退款单号"] == back["out_refund_no"]
    assert summary["总交易单数"] == "3"
    assert summary["订单总金额"] == "31.00"
    assert summary["申请退款总金额"] == "0.60"


def test_a_zipped_bill_is_hashed_before_it_is_zipped(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    merchant.paid_order()
    day = noon_tomorrow(merchant, wechat)

    content, link = downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}&tar_type=GZIP")

    assert link["hash_value"] == hashlib.sha1(gzip.decompress(content)).hexdigest()


def test_a_bill_of_one_kind_leaves_out_the_other(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    number = merchant.paid_order()
    merchant.refund(number)
    day = noon_tomorrow(merchant, wechat)

    successes, _ = rows(downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}&bill_type=SUCCESS")[0])
    refunds, _ = rows(downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}&bill_type=REFUND")[0])

    assert [row["交易状态"] for row in successes] == ["SUCCESS"]
    assert "商户退款单号" not in successes[0]
    assert [row["交易状态"] for row in refunds] == ["REFUND"]
    assert refunds[0]["退款申请时间"]


def test_the_fund_flow_bill_adds_up(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    faults(wechat, refund_seconds=0)
    number = merchant.paid_order()
    back = merchant.refund(number).json()["out_refund_no"]
    path = f"/v3/refund/domestic/refunds/{back}"
    wait_for(lambda: merchant.get(path).json()["status"] == "SUCCESS", "the refund")
    day = noon_tomorrow(merchant, wechat)

    detail, summary = rows(downloaded(merchant, f"/v3/bill/fundflowbill?bill_date={day}")[0])

    flows = [(row["业务类型"], row["收支类型"], row["收支金额(元)"], row["账户结余(元)"]) for row in detail]
    assert flows == [
        ("交易", "收入", "30.00", "30.00"),
        ("扣除交易手续费", "支出", "0.18", "29.82"),
        ("退款", "支出", "29.82", "0.00"),
    ]
    assert (summary["收入金额"], summary["支出金额"]) == ("30.00", "30.00")
    other = merchant.get(f"/v3/bill/fundflowbill?bill_date={day}&account_type=FEES")
    assert other.json()["code"] == "NO_STATEMENT_EXIST"


def test_the_bill_may_be_wrong_by_one_fen(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    merchant.paid_order()
    day = noon_tomorrow(merchant, wechat)
    faults(wechat, bill_off_by_one=True)

    detail, summary = rows(downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}")[0])

    assert detail[0]["订单金额"] == summary["订单总金额"] == "30.01"


def test_a_bill_comes_the_next_day_from_ten_o_clock(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    merchant.paid_order()
    today = noon_tomorrow(merchant, wechat, hour=9)

    early = merchant.get(f"/v3/bill/tradebill?bill_date={today}")
    noon_tomorrow(merchant, wechat, hour=10)
    faults(wechat, bill_creating=True)
    slow = merchant.get(f"/v3/bill/tradebill?bill_date={today}")
    faults(wechat)

    assert (early.status_code, early.json()["code"]) == (400, "STATEMENT_CREATING")
    assert slow.json()["code"] == "STATEMENT_CREATING"
    assert merchant.get(f"/v3/bill/tradebill?bill_date={today}").status_code == 200


def test_a_day_without_trade_has_no_bill_and_other_days_are_refused(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    yesterday = noon_tomorrow(merchant, wechat)
    today = datetime.now(SHANGHAI).date() + timedelta(days=1)

    empty = merchant.get(f"/v3/bill/tradebill?bill_date={yesterday}")
    assert (empty.status_code, empty.json()["code"]) == (400, "NO_STATEMENT_EXIST")
    for day in (today, today + timedelta(days=1), today - timedelta(days=100), "yesterday", "2026-13-01"):
        answer = merchant.get(f"/v3/bill/tradebill?bill_date={day}")
        assert answer.json()["detail"]["field"] == "bill_date", day
    assert merchant.get("/v3/bill/tradebill").json()["detail"]["field"] == "bill_date"
    wrong = merchant.get(f"/v3/bill/tradebill?bill_date={yesterday}&bill_type=SOME")
    assert wrong.json()["detail"]["field"] == "bill_type"


def test_the_link_lives_five_minutes_and_is_signed_for(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    merchant.paid_order()
    day = noon_tomorrow(merchant, wechat)
    link = merchant.get(f"/v3/bill/tradebill?bill_date={day}").json()["download_url"]

    assert wechat.get(link).status_code == 401
    merchant.seconds_off += 301
    move_clock(wechat, merchant.seconds_off)
    assert merchant.get(link.removeprefix(merchant.base)).status_code == 404


def test_a_reader_of_csv_sees_the_header(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    merchant.paid_order()
    day = noon_tomorrow(merchant, wechat)

    content, _ = downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}")

    header = next(csv.reader([content.decode("utf-8-sig").splitlines()[0]]))
    assert (header[0], len(header)) == ("交易时间", 27)


def spoilt(
    merchant: Merchant, wechat: httpx.Client, **switches: bool
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The bill of a day with two payments, under these faults."""
    noon_today(merchant, wechat)
    merchant.paid_order()
    merchant.paid_order(amount={"total": 100, "currency": "CNY"})
    day = noon_tomorrow(merchant, wechat)
    faults(wechat, **switches)
    return rows(downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}")[0])


def test_a_row_may_contradict_the_summary_and_the_summary_the_rows(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    detail, summary = spoilt(merchant, wechat, bill_row_off_by_one=True)
    assert (detail[0]["订单金额"], summary["订单总金额"]) == ("30.01", "31.00")

    faults(wechat, bill_summary_off_by_one=True)
    day = detail[0]["交易时间"][:10]
    detail, summary = rows(downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}")[0])
    assert (detail[0]["订单金额"], summary["订单总金额"]) == ("30.00", "31.01")


def test_a_row_may_be_missing_or_too_much(merchant: Merchant, wechat: httpx.Client) -> None:
    detail, summary = spoilt(merchant, wechat, bill_missing_row=True)
    assert (len(detail), summary["总交易单数"], summary["订单总金额"]) == (1, "1", "30.00")

    faults(wechat, bill_extra_row=True)
    day = detail[0]["交易时间"][:10]
    detail, summary = rows(downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}")[0])
    assert (len(detail), summary["总交易单数"]) == (3, "3")
    assert detail[2]["商户订单号"] == "UNKNOWN-TO-THE-MERCHANT"


def test_a_bill_may_be_denied_or_damaged_on_its_way(merchant: Merchant, wechat: httpx.Client) -> None:
    noon_today(merchant, wechat)
    merchant.paid_order()
    day = noon_tomorrow(merchant, wechat)

    faults(wechat, bill_missing=True)
    denied = merchant.get(f"/v3/bill/tradebill?bill_date={day}")
    faults(wechat, bill_damaged=True)
    content, link = downloaded(merchant, f"/v3/bill/tradebill?bill_date={day}&tar_type=GZIP")

    assert denied.json()["code"] == "NO_STATEMENT_EXIST"
    assert hashlib.sha1(gzip.decompress(content)).hexdigest() != link["hash_value"]
