"""Validity of a prescription. Pure."""

from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta

from backend.review.draft import Answer, Stated, amount_of
from foundation.clock import local, local_day_start
from foundation.errors import Issue

SKIN_TEST_DAYS = 3
"""A skin test counts so long (β内酰胺类抗菌药物皮肤试验指导原则)."""
MOST_WEIGHT_KG = 300
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
