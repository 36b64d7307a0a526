"""Drawing, the items of a comment, and the figures. Pure."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from foundation.errors import Issue


class Grade(StrEnum):
    """How grave an item is, the gravest first."""

    ABNORMAL = "abnormal"
    INAPPROPRIATE = "inappropriate"
    IRREGULAR = "irregular"


GRADES = {Grade.ABNORMAL: "超常处方", Grade.INAPPROPRIATE: "用药不适宜处方", Grade.IRREGULAR: "不规范处方"}
RATIONAL = "合理处方"
_ITEMS: Mapping[Grade, tuple[str, ...]] = {
    Grade.IRREGULAR: (
        "前记、正文、后记缺项", "医师签名不规范或与留样不符", "药师未作适宜性审核", "婴幼儿未写日、月龄", "西药、中成药与饮片未分开",
        "未用通用名", "剂量、规格、数量、单位不清", "用法含糊（遵医嘱、自用）", "修改未签名，或超剂量未注明原因再签名",
        "诊断未写或不全", "一张超过五种药", "超过七日或三日用量未写理由", "特殊管理药品未执行规定", "抗菌药物未按分级管理开具",
        "饮片未按规定书写",
    ),
    Grade.INAPPROPRIATE: (
        "适应证不适宜", "遴选药品不适宜", "剂型或给药途径不适宜", "无正当理由不首选基本药物", "用法用量不适宜", "联合用药不适宜",
        "重复给药", "配伍禁忌或不良相互作用", "其他不适宜",
    ),
    Grade.ABNORMAL: ("无适应证用药", "无正当理由开高价药", "无正当理由超说明书用药", "同时开两种以上作用相同的药"),
}  # fmt: skip
LETTERS = {Grade.IRREGULAR: "1", Grade.INAPPROPRIATE: "2", Grade.ABNORMAL: "3"}


@dataclass(frozen=True)
class Item:
    """One thing that may be wrong."""

    grade: Grade
    words: str


ITEMS: Mapping[str, Item] = {
    f"{LETTERS[grade]}-{number}": Item(grade, words)
    for grade, found in _ITEMS.items()
    for number, words in enumerate(found, start=1)
}
"""Irregular 15, inappropriate 9, abnormal 4."""


def draw(seed: str, population: Mapping[UUID, Collection[UUID]], each: int) -> dict[UUID, list[UUID]]:
    """Of every prescriber `each` prescriptions, all when there are fewer. The seed alone decides, not the order of anything.

    A prescription's lot is the SHA-256 of seed and id; the lowest are drawn.
    """

    def lot(one: UUID) -> bytes:
        return hashlib.sha256(f"{seed}:{one}".encode()).digest()

    return {who: sorted(set(ids), key=lot)[:each] for who, ids in population.items() if ids and each > 0}


def month_before(day: date) -> date:
    """The first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def month_after(first: date) -> date:
    """The first day of the next month."""
    return (first + timedelta(days=31)).replace(day=1)


def verdict(items: Collection[str]) -> str:
    """What the prescription is, by its gravest item."""
    grades = {ITEMS[one].grade for one in items if one in ITEMS}
    return next((GRADES[grade] for grade in Grade if grade in grades), RATIONAL)


def judging_issues(
    *, judge: UUID | None, reviewers: Collection[UUID | None], items: Sequence[str], note: str
) -> list[Issue]:
    """What is wrong with a comment: by who reviewed it, of unknown items, without a word where something is wrong."""
    issues = []
    if judge in reviewers:
        issues.append(Issue("pharmacist", "own_review", "不能点评自己审核过的处方"))
    issues += [Issue("items", "unknown", f"没有这一项：{one}") for one in items if one not in ITEMS]
    if items and len(note.strip()) < 4:
        issues.append(Issue("note", "missing", "请写明问题和依据"))
    return issues


def percentile(values: Sequence[int], share: int) -> int:
    """The value below which `share` percent lie (nearest rank); 0 of nothing."""
    found = sorted(values)
    return found[max(0, -(-len(found) * share // 100) - 1)] if found else 0


def percent(part: int, whole: int) -> str:
    """`97.5%`; a dash of nothing."""
    if not whole:
        return "—"
    tenths = (part * 2000 + whole) // (whole * 2)
    return f"{tenths // 10}.{tenths % 10}%"
