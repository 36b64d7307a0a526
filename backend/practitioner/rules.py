"""Who may practise online. Pure."""

from datetime import date

from foundation.errors import Issue

YEARS_NEEDED = 3
"""Independent clinical experience (诊疗办法 Art 25; 医院办法 Art 29)."""


def may_practise(
    *, active: bool, years: int, filed_until: date | None, filed: bool, today: date
) -> list[Issue]:
    """Every reason why a doctor may not see patients in a department today."""
    issues = []
    if not active:
        issues.append(Issue("practitioner", "suspended", "该医生已停诊"))
    if years < YEARS_NEEDED:
        issues.append(Issue("practitioner", "too_little_experience", "医生独立临床工作未满 3 年"))
    if not filed:
        issues.append(Issue("department", "not_filed", "该医生未在本科室备案"))
    elif filed_until is not None and filed_until < today:
        issues.append(Issue("department", "filing_ended", "该医生的备案已到期"))
    return issues
