"""Prescriptions: what is in them, and whether they were paid before somebody reviewed them."""

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from simulators.server.clock import SHANGHAI
from simulators.supervision.alerts.rules import DAYS, DRUGS
from simulators.supervision.alerts.staff import REVIEWED
from simulators.supervision.alerts.standing import Act, Alert, acts, hold, judged
from simulators.supervision.times import from_wire

PRESCRIBED = "uploadPrescription"
"""The one table that says who stood beside a child and why a supply is long."""
_SUBJECT, _IN = "2", "1"  # of a payment: for a prescription, money received
# The supervisor's own list, by generic name: what the hospital says about a drug is not asked.
BANNED_NAMES = (
    "吗啡", "芬太尼", "哌替啶", "羟考酮", "可待因", "美沙酮", "氢吗啡酮", "布桂嗪", "麻黄碱",
    "哌甲酯", "氯胺酮", "司可巴比妥", "丁丙诺啡", "三唑仑", "地西泮", "艾司唑仑", "阿普唑仑", "劳拉西泮",
    "氯硝西泮", "咪达唑仑", "唑吡坦", "佐匹克隆", "扎来普隆", "苯巴比妥", "曲马多", "地佐辛", "喷他佐辛",
)  # fmt: skip


def is_banned(item: Mapping[str, Any]) -> bool:
    """By the control class the hospital gave, or by the name."""
    return str(item.get("controlClass") or "0") != "0" or any(name in item["drname"] for name in BANNED_NAMES)


def contents(connection: sqlite3.Connection, paper: Act) -> None:
    """A whole prescription, or one row of it."""
    body, number = paper.told.body, paper.text("recipeUniqueID")
    items = body.get("orderList") or ([body] if "drname" in body else [])
    if banned := [item["drname"] for item in items if is_banned(item)]:
        hold(connection, Alert("banned_drug", number, "、".join(banned), paper))
    many = max(len(items), int(body.get("mxxh") or 1))
    if many > DRUGS:
        hold(connection, Alert("too_many_drugs", number, f"共{many}种药品", paper))
    if paper.told.method == PRESCRIBED:
        _beside_a_child(connection, paper)
        _long_supply(connection, paper)


def _beside_a_child(connection: sqlite3.Connection, paper: Act) -> None:
    confirmed = [paper.text(name) for name in ("guardianPresent", "specialistPresent")]
    age = int(paper.text("age"))
    if age < 6 and confirmed != ["1", "1"]:
        words = f"年龄{age}岁，未见监护人与专科医师均在场的确认"
        hold(connection, Alert("under_six", paper.text("recipeUniqueID"), words, paper))


def _long_supply(connection: sqlite3.Connection, paper: Act) -> None:
    longest = max(int(item["useDays"]) for item in paper.told.body["orderList"])
    if longest > DAYS and paper.text("longTermFlag") != "1" and not paper.text("overLimitReason"):
        hold(
            connection,
            Alert("long_supply", paper.text("recipeUniqueID"), f"最长用药{longest}天", paper),
        )


def is_of_a_prescription(payment: Act) -> bool:
    return (payment.text("subject"), payment.text("direction")) == (_SUBJECT, _IN)


def paid(connection: sqlite3.Connection, act: Act) -> None:
    """A prescription, a review or a payment came: was it paid, and had a pharmacist approved it by then?

    A payment names its prescription by the unique number or by the other one, and may come first: then its own word is the subject.
    """
    names = ("subjectNo",) if act.text("subjectNo") else ("recipeUniqueID", "recipeID")
    numbers = {number for name in names if (number := act.text(name))}
    papers, payments = _told(connection, numbers)
    own = {number for one in papers for name in ("recipeUniqueID", "recipeID") if (number := one.text(name))}
    if not own <= numbers:
        numbers |= own
        papers, payments = _told(connection, numbers)
    subject = min((one.text("recipeUniqueID") for one in papers), default=min(numbers))
    judged(
        connection, act.record_id,
        [(rule, number) for rule in ("unreviewed", "late_review") for number in numbers],
        _verdict(subject, papers, payments),
    )  # fmt: skip


def _told(connection: sqlite3.Connection, numbers: set[str]) -> tuple[list[Act], list[Act]]:
    """(prescriptions, payments) that name one of these numbers."""
    marks = ",".join("?" * len(numbers))
    found = list(
        acts(connection, f"id IN (SELECT record_id FROM joins WHERE number IN ({marks}))", sorted(numbers))
    )
    return (
        [one for one in found if one.text("recipeUniqueID")],
        [one for one in found if is_of_a_prescription(one)],
    )


def _verdict(subject: str, papers: list[Act], payments: list[Act]) -> list[Alert]:
    if not payments:
        return []
    first = min(payments, key=lambda one: from_wire(one.text("paidAt")))
    reviews = [one for one in papers if one.told.event in REVIEWED and one.text("auditDoctorId")]
    if not reviews:
        return [Alert("unreviewed", subject, "已收处方药费，尚未收到药师审核通过的处方", first)]
    checked = [one.text("checkDate") for one in reviews]
    if not all(checked):
        return []  # Tianjin's table may leave the time out
    earliest, paid_at = min(checked, key=from_wire), first.text("paidAt")
    if from_wire(earliest) <= from_wire(paid_at):
        return []
    return [Alert("late_review", subject, f"收费{_minute(paid_at)}，审核{_minute(earliest)}", first)]


def _minute(wire: str) -> str:
    return f"{from_wire(wire).astimezone(SHANGHAI):%m-%d %H:%M}"


_NOT = re.compile("[未无不非]")
_GRAVE = ("死亡", "残疾", "永久", "重度", "严重", "危及生命", "群体", "警告事件", "警讯")


def is_severe(severity: str, damage: str) -> bool:
    """By code, or by the words of the tables that have no code; a clause that denies it does not count."""
    clauses = [one for one in re.split("[，,。；;、]", damage) if not _NOT.search(one)]
    return severity in ("3", "4") or any(word in one for one in clauses for word in _GRAVE)
