"""Validity of a prescription, who reviews it, what a review looks at. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from backend.policy import SecondPharmacist
from backend.review.draft import Answer, Category, Liver, Stated, amount_of
from backend.review.suitability import CHILDBEARING
from foundation.clock import local, local_day_start
from foundation.errors import Issue

SKIN_TEST_DAYS = 3
"""A skin test counts so long (β内酰胺类抗菌药物皮肤试验指导原则)."""
MOST_WEIGHT_KG = 300
ASKED_UNTIL = 60
"""Women are asked longer than the engine insists on an answer: there are late pregnancies."""
DEFAULT_DAYS, MOST_DAYS = 1, 3
"""Good on the day of signing; the doctor may note up to three days (处方管理办法 第十八条)."""


def valid_until(signed_at: datetime, days: int) -> datetime:
    """Midnight in Shanghai at the end of the last day."""
    return local_day_start(local(signed_at).date() + timedelta(days=days))


def validity_issues(days: int) -> list[Issue]:
    """Days must be 1 to 3."""
    if not DEFAULT_DAYS <= days <= MOST_DAYS:
        return [Issue("valid_days", "wrong_number", f"处方有效期应为 {DEFAULT_DAYS} 到 {MOST_DAYS} 天")]
    return []


def own_prescription(prescriber: object, pharmacist: object) -> list[Issue]:
    """Nobody reviews what she wrote herself."""
    return (
        [Issue("pharmacist", "own_prescription", "不能审核自己开具的处方")]
        if prescriber == pharmacist
        else []
    )


def stated_issues(stated: Stated, sex: str, today: date, known_drugs: AbstractSet[str]) -> list[Issue]:
    """What the doctor states about the patient and cannot be, by field."""
    issues = []
    if sex == "male":
        issues += [
            Issue(f"patient.{name}", "not_for_men", "患者为男性，不能填写妊娠或哺乳")
            for name in ("pregnancy", "lactation")
            if getattr(stated, name) is Answer.YES
        ]
    weight = amount_of(stated.weight_kg)
    if stated.weight_kg and (weight is None or weight > MOST_WEIGHT_KG):
        issues.append(Issue("patient.weight_kg", "wrong_number", f"体重应为不超过 {MOST_WEIGHT_KG} 的公斤数"))
    issues += [
        Issue(f"patient.taking.{place}", "unknown_drug", "目录中没有该药品")
        for place, code in enumerate(stated.taking)
        if code not in known_drugs
    ]
    issues += [
        Issue(f"patient.skin_tests.{place}.tested_on", "in_the_future", "皮试日期不能晚于今天")
        for place, test in enumerate(stated.skin_tests)
        if test.tested_on > today
    ]
    return issues


ANSWERS = {Answer.NO: "否", Answer.YES: "是"}
LIVERS = {
    Liver.UNKNOWN: "未注明", Liver.NORMAL: "正常", Liver.A: "Child-Pugh A 级", Liver.B: "Child-Pugh B 级",
    Liver.C: "Child-Pugh C 级",
}  # fmt: skip
TEST_GROUPS = {"penicillin": "青霉素类", "cephalosporin": "头孢菌素类"}
"""Words of the groups that are tested for; another one is shown by its code."""


def asked(sex: str, age: int) -> list[str]:
    """What a doctor may be asked about this patient, by field of `Stated`: no pregnancy of men, children and the old."""
    hers = ["pregnancy", "lactation"] if sex != "male" and CHILDBEARING.start <= age < ASKED_UNTIL else []
    return [*hers, "egfr", "liver", "weight_kg", "taking", "skin_tests"]


def stated_words(stated: Stated, names: Mapping[str, str]) -> list[str]:
    """What was stated, a sentence each; `names` of the drugs bought elsewhere, by code. What nobody said is left out."""
    said = [
        f"{label}：{ANSWERS[answer]}"
        for label, answer in (("妊娠", stated.pregnancy), ("哺乳", stated.lactation))
        if answer in ANSWERS
    ]
    if stated.egfr is not None:
        said.append(f"肾小球滤过率（eGFR）：{stated.egfr} mL/min/1.73㎡")
    if stated.liver is not Liver.UNKNOWN:
        said.append(f"肝功能：{LIVERS[stated.liver]}")
    if stated.weight_kg:
        said.append(f"体重：{stated.weight_kg} kg")
    if stated.taking:
        said.append("正在服用：" + "、".join(names.get(code, code) for code in stated.taking))
    said += [
        f"{TEST_GROUPS.get(test.group, test.group)}皮试：{'阴性' if test.negative else '阳性'}（{test.tested_on:%Y-%m-%d}）"
        for test in stated.skin_tests
    ]
    return said


class SecondEyes(StrEnum):
    """Who else looked, or has to (practice.md 12): another pharmacist, or the doctor by a written and signed reason."""

    NOT_NEEDED = "none"
    PHARMACIST = "pharmacist"
    DOCTOR = "doctor"


def second_eyes(*, needed: bool, mode: SecondPharmacist, others_on_duty: int) -> SecondEyes:
    """Of a prescription for which the engine asked for a reason, or the doctor wrote one (`needed`)."""
    if not needed:
        return SecondEyes.NOT_NEEDED
    another = mode is SecondPharmacist.ALWAYS or (mode is SecondPharmacist.ON_DUTY and others_on_duty > 0)
    return SecondEyes.PHARMACIST if another else SecondEyes.DOCTOR


def confirming_issues(first: object, second: object) -> list[Issue]:
    """Two pairs of eyes are two people's."""
    if first == second:
        return [Issue("pharmacist", "same_pharmacist", "须由另一位药师复核")]
    return []


@dataclass(frozen=True)
class Point:
    """One thing that a pharmacist looks at; `words` in our own wording."""

    category: Category
    words: str


_LEGALITY = ("开方医师资质与注册", "处方权", "特殊管理药品、抗菌药物的处方权限")
_FORM = (
    "前记、正文、后记齐全", "一人一方", "修改处签名并注明日期", "使用通用名", "婴幼儿写明日月龄或体重", "中药饮片单独开具",
    "每张不超过五种药品", "超剂量注明原因并再次签名", "空白处封闭", "七日、三日用量或延长理由", "数字与单位书写清楚",
    "特殊管理药品的病历",
)  # fmt: skip
_APPROPRIATENESS = (
    "用药与诊断相符", "皮试药品有皮试及结果", "剂量、用法、总量", "剂型与给药途径", "重复用药、相互作用", "配伍禁忌",
    "禁忌：特殊人群、过敏、脏器功能", "溶媒与滴速", "其他",
)  # fmt: skip
POINTS: Mapping[str, Point] = {
    f"{letter}{number}": Point(category, words)
    for letter, category, found in (
        ("L", Category.LEGALITY, _LEGALITY),
        ("F", Category.FORM, _FORM),
        ("A", Category.APPROPRIATENESS, _APPROPRIATENESS),
    )
    for number, words in enumerate(found, start=1)
}
"""Legality 3, form 12, appropriateness 9 (医疗机构处方审核规范, facts/regulation A4)."""


def point_issues(category: str, point: str) -> list[Issue]:
    """A point may be left out; one of another part of the review is a slip."""
    if not point:
        return []
    known = POINTS.get(point)
    if known is None or known.category != category:
        return [Issue("point", "other_category", "审核要点与所选类别不符")]
    return []
