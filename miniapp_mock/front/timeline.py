"""What happened lately, read from the things themselves: visits, prescriptions, parcels, refunds. Nothing is stored here.

As in every notice, neither a diagnosis nor a drug is named.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.journey import cancel_words

NEWEST = 12
"""Visits looked at."""


@dataclass(frozen=True)
class Entry:
    """One line: when, what, where it leads."""

    at: str
    title: str
    words: str
    href: str
    sign: str = "bell"


@dataclass(frozen=True)
class History:
    """A visit with all that hangs on it; what is not there is None."""

    row: Any
    encounter: Any
    bill: Any
    prescriptions: list[Any]
    dispenses: list[Any]


async def histories(api: Api) -> list[History]:
    """The newest visits of everybody the account may act for."""
    rows = await api.get("/appointments")
    return list(await asyncio.gather(*(_history(api, row) for row in rows[:NEWEST])))


async def _history(api: Api, row: Any) -> History:
    encounter: Any = None
    prescriptions: list[Any] = []
    dispenses: list[Any] = []
    bill = await api.find(f"/payments/{row['payment_id']}") if row["payment_id"] else None
    if row["encounter_id"] and row["state"] == "fulfilled":
        path = f"/encounters/{row['encounter_id']}"
        encounter, prescriptions = await asyncio.gather(api.get(path), api.get(f"{path}/prescriptions"))
        found = await asyncio.gather(
            *(api.find(f"/prescriptions/{one['id']}/dispense") for one in prescriptions)
        )
        dispenses = [one for one in found if one]
    return History(row, encounter, bill, prescriptions, dispenses)


def entries(history: History) -> Iterator[Entry]:
    """What a patient should know of one visit."""
    yield from _of_booking(history)
    yield from _of_conversation(history)
    yield from _of_prescriptions(history)


def _of_booking(history: History) -> Iterator[Entry]:
    row, bill, place = history.row, history.bill, f"/visits/{history.row['id']}"
    refunds = bill["refunds"] if bill else []
    if bill and bill["paid_at"]:
        words = f"{row['practitioner_name']}医生 · {row['department_name']}"
        yield Entry(bill["paid_at"], "预约成功", words, place, "calendar")
    for refund in refunds:
        title = "退款已到账" if refund["succeeded_at"] else "退款处理中"
        at = refund["succeeded_at"] or refund["requested_at"]
        yield Entry(at, title, refund["reason"], f"/payments/{bill['id']}", "money")
    if row["state"] == "cancelled" and not refunds:
        yield Entry(row["hold_expires_at"], "预约已取消", cancel_words(row), place, "calendar")


def _of_conversation(history: History) -> Iterator[Entry]:
    encounter, place = history.encounter, f"/visits/{history.row['id']}"
    if encounter and encounter["started_at"]:
        yield Entry(
            encounter["started_at"], "医生已接诊", f"{history.row['practitioner_name']}医生", place, "visit"
        )
    if encounter and encounter["ended_at"]:
        referred = encounter["state"] == "discontinued"
        words = "医生建议到医院就诊" if referred else "可以查看病历，评价本次服务"
        yield Entry(encounter["ended_at"], "问诊已结束", words, place, "document")


def _of_prescriptions(history: History) -> Iterator[Entry]:
    ordered = {order["prescription_id"] for order in history.dispenses if order["paid_at"]}
    for one in history.prescriptions:
        if one["reviewed_at"] and one["state"] in ("approved", "completed", "expired"):
            waits = one["state"] == "approved" and one["id"] not in ordered
            words = "请选择取药方式并支付" if waits else ""
            yield Entry(one["reviewed_at"], "处方已通过审核", words, f"/prescriptions/{one['id']}", "pill")
    for order in history.dispenses:
        link = f"/prescriptions/{order['prescription_id']}"
        courier = order["method"] == "courier"
        if order["handed_over_at"]:
            yield Entry(order["handed_over_at"], "药品已发出" if courier else "药房已发药", "", link, "truck")
        if order["ended_at"] and order["state"] == "completed" and courier:
            yield Entry(order["ended_at"], "药品已签收", "", link, "truck")
