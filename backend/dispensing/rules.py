"""Preparing, checking, delivering, taking back. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.formulary.facts import Drug
from backend.payment.rulebook import RefundReason
from backend.review.draft import Item
from backend.review.legality import banned
from contracts.events import PrescriptionItem
from foundation.errors import Issue

_PHONE = re.compile(r"^1\d{10}$")
DELIVERED = "delivered"
LOST = ("returned", "cancelled")
KNOWN = ("accepted", "collected", "in_transit", "out_for_delivery", DELIVERED, "exception", *LOST)
"""A status we do not know is shown as such and never as delivered."""

DELIVERY, RECEIVER, QUALITY = "delivery", "receiver", "quality"
CAUSES = {
    DELIVERY: (RefundReason.UNDELIVERED, "配送或医院的原因"),
    RECEIVER: (RefundReason.REFUSED_BY_RECEIVER, "收件人拒收或无法联系"),
    QUALITY: (RefundReason.FAULTY_DRUG, "药品质量问题"),
}
"""Why drugs came back (practice.md 16): the refund follows the cause."""

LABELS = {
    "accepted": "快递已接单",
    "collected": "已揽收",
    "in_transit": "运输中",
    "out_for_delivery": "派送中",
    "delivered": "已签收",
    "exception": "配送异常",
    "returned": "已退回",
    "cancelled": "已取消",
}


def receiver_issues(method: str, name: str, phone: str, address: str) -> list[Issue]:
    """What is missing for the chosen way."""
    issues = []
    if len(name.strip()) < 2:
        issues.append(Issue("receiver.name", "missing", "请填写收件人姓名"))
    if not _PHONE.match(phone):
        issues.append(Issue("receiver.phone", "wrong_format", "请填写 11 位手机号"))
    if method == "courier" and len(address.strip()) < 6:
        issues.append(Issue("receiver.address", "too_short", "请填写详细收货地址"))
    return issues


def return_issues(*, cause: str, stopped: bool, completed: bool, judged: bool) -> list[Issue]:
    """What a pharmacist may say of drugs that came back: of delivered ones only that they are faulty (practice.md 16)."""
    if judged:
        return [Issue("cause", "already_judged", "已认定过退回原因")]
    if not (stopped or completed):
        return [Issue("cause", "nothing_returned", "药品没有退回")]
    if completed and cause != QUALITY:
        return [Issue("cause", "delivered", "药品已签收，非质量问题不能退回")]
    return []


@dataclass(frozen=True)
class Check:
    """One of the ten things compared (十对) under one of the four checks (四查)."""

    check: str
    words: str


CHECKS: Mapping[str, Check] = {
    "department": Check("查处方", "科别"), "patient": Check("查处方", "姓名"), "age": Check("查处方", "年龄"),
    "drug": Check("查药品", "药名"), "form": Check("查药品", "剂型"), "strength": Check("查药品", "规格"),
    "quantity": Check("查药品", "数量"), "appearance": Check("查配伍禁忌", "药品性状"),
    "usage": Check("查配伍禁忌", "用法用量"), "diagnosis": Check("查用药合理性", "临床诊断"),
}  # fmt: skip
"""处方管理办法 第三十七条: 四查十对."""
DISPOSALS = {"destroyed": "登记销毁", "supplier": "退回供应商", "not_back": "未退回（遗失）"}
"""What becomes of drugs that came back: never the shelf again."""
CODE_LENGTH = 20
_CODE = re.compile(r"[0-9]{20}")


def check_issues(done: Collection[str]) -> list[Issue]:
    """Every one of the ten that was not compared."""
    return [
        Issue(key, "not_checked", f"{one.check}：请核对{one.words}")
        for key, one in CHECKS.items()
        if key not in done
    ]


def locked_until(wrong: Sequence[datetime], most: int, length: timedelta) -> datetime | None:
    """Until when no further code is looked at after these wrong ones (newest first, all within `length`); None: it is."""
    return wrong[most - 1] + length if len(wrong) >= most else None


def code_issues(codes: Sequence[str], packs: int) -> list[Issue]:
    """Codes of one line: twenty digits each, none twice, not more than packs."""
    issues = [
        Issue("codes", "wrong_format", f"追溯码应为 20 位数字：{one[:24]}")
        for one in codes
        if not _CODE.fullmatch(one)
    ]
    if len(set(codes)) != len(codes):
        issues.append(Issue("codes", "twice", "同一追溯码扫了两次"))
    if len(codes) > packs:
        issues.append(Issue("codes", "too_many", f"扫了 {len(codes)} 个码，只应发 {packs} 件"))
    return issues


def prepared_issues(
    packs: Sequence[int], recorded: Mapping[int, int], reason: str, *, required: bool
) -> list[Issue]:
    """Lines without a code for every pack, unless it was written why."""
    if not required or len(reason.strip()) >= 2:
        return []
    return [
        Issue(
            f"items.{line}",
            "codes_missing",
            f"第 {line + 1} 行还缺 {wanted - recorded.get(line, 0)} 个追溯码",
        )
        for line, wanted in enumerate(packs)
        if recorded.get(line, 0) < wanted
    ]


def cold_issues(method: str, items: Sequence[PrescriptionItem], drugs: Mapping[str, Drug]) -> list[Issue]:
    """What has to stay cold does not go by courier, nor does what the formulary does not know."""
    if method != "courier":
        return []
    cold = [one.name for one in items if one.drug_code in drugs and drugs[one.drug_code].cold_chain]
    unknown = [one.name for one in items if one.drug_code not in drugs]
    issues = []
    if cold:
        issues.append(Issue("method", "cold_chain", f"{'、'.join(cold)} 须冷藏，不能快递，请到院自取"))
    if unknown:
        words = f"{'、'.join(unknown)} 的储存条件不明，不能快递，请到院自取"
        issues.append(Issue("method", "storage_unknown", words))
    return issues


def retail_issues(
    written: Sequence[Item], items: Sequence[PrescriptionItem], drugs: Mapping[str, Drug], *, ban: bool
) -> list[Issue]:
    """Lines that the national list of what may not be sold online forbids, where it applies (`REVIEW_RETAIL_BAN`).

    The review says it first; a prescription from before the list applied, or before it changed, meets it here. What the
    formulary does not know cannot be looked up and is refused too.
    """
    if not ban:
        return []
    issues = []
    for line, (use, item) in enumerate(zip(written, items, strict=True)):
        drug = drugs.get(use.drug_code)
        found = None if drug is None else banned(drug, use)
        if drug is None:
            why = "不在药品目录中，无法核对药品网络销售禁止清单"
            issues.append(
                Issue(f"items.{line}", "retail_ban_unknown", f"{item.name}{why}，不能在线购药或配送")
            )
        elif found is not None:
            why = f"列入药品网络销售禁止清单（{found.words}）"
            issues.append(Issue(f"items.{line}", "retail_ban", f"{item.name}{why}，不能在线购药或配送"))
    return issues


def back_issues(*, status: str, completed: bool, quarantined: bool, disposal: str) -> list[Issue]:
    """Drugs that are physically back are put into quarantine before anybody judges them; lost ones cannot be."""
    here = status == "returned" or completed
    if here and not quarantined:
        return [Issue("quarantine", "not_quarantined", "请先登记退回药品入隔离区")]
    if disposal not in DISPOSALS:
        return [Issue("disposal", "missing", "请选择药品去向")]
    if quarantined and disposal == "not_back":
        return [Issue("disposal", "is_back", "药品已在隔离区，不能登记为未退回")]
    return []
