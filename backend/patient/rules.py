"""Id numbers (GB 11643), ages, who may act for whom. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from foundation.errors import Issue

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"
ADULT = 18
SEPARATE_CONSENT_BELOW = 14
"""Under 14 a parent's consent of its own is needed (PIPL)."""
GUARDIAN_PRESENT_BELOW = 6
"""Under 6 guardian and specialist must be present (诊疗办法 Art 19)."""
SCOPES = {
    "book": "预约、缴费、候诊和陪同问诊", "records": "查看病历、处方和配药", "private": "查看妇科、性病等隐私诊疗",
}  # fmt: skip
"""What an adult can let a proxy do (practice.md 1, 2); oneself and a guardian may do all of it."""
WHOLE = ("book", "records")
"""What is granted when nothing else is said: `private` is always said."""


@dataclass(frozen=True)
class IdNumber:
    """What an 18-digit resident identity number says."""

    number: str
    birth_date: date
    sex: str


def check_character(first17: str) -> str:
    """The eighteenth character (GB 11643: weighted sum mod 11)."""
    return CHECK[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first17, strict=True)) % 11]


def parse_id_number(text: str, today: date) -> tuple[IdNumber | None, list[Issue]]:
    """The number read, or every reason why it is none."""
    number = text.strip().upper()
    if (
        len(number) != 18
        or not (number[:17].isascii() and number[:17].isdigit())
        or number[17] not in "0123456789X"
    ):
        return None, [Issue("id_number", "wrong_format", "身份证号应为 18 位，前 17 位为数字")]
    issues = []
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None, [Issue("id_number", "wrong_birth_date", "身份证号中的出生日期不存在")]
    if not date(1900, 1, 1) <= born <= today:
        issues.append(Issue("id_number", "wrong_birth_date", "身份证号中的出生日期不合理"))
    if check_character(number[:17]) != number[17]:
        issues.append(Issue("id_number", "wrong_check_digit", "身份证号校验位不正确，请核对"))
    sex = "male" if int(number[16]) % 2 else "female"
    return (None, issues) if issues else (IdNumber(number, born, sex), [])


def age_on(born: date, day: date) -> int:
    """Completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def may(kind: str, scope: Iterable[str], wanted: str) -> bool:
    """Whether a grant includes `wanted`."""
    return kind != "proxy" or wanted in scope


def name_issues(name: str) -> list[Issue]:
    """Two to thirty Han characters or the Latin letters and dots of minority and foreign names."""
    plain = name.strip()
    if not 2 <= len(plain) <= 30:
        return [Issue("name", "wrong_length", "请填写身份证上的姓名")]
    if any(not (char.isalpha() or char in "·•. ") for char in plain):
        return [Issue("name", "wrong_format", "姓名中有不能识别的字符")]
    return []


def grant_issues(kind: str, born: date, today: date, *, has_self: bool) -> list[Issue]:
    """Who may be registered as what: `self` once per account, `guardian` for minors by a verified adult."""
    if kind == "self":
        return [Issue("relation", "already_self", "本账号已有本人信息")] if has_self else []
    if kind == "guardian":
        issues = []
        if not has_self:
            issues.append(Issue("relation", "self_first", "请先完成本人实名认证"))
        if age_on(born, today) >= ADULT:
            issues.append(Issue("relation", "not_a_minor", "成年家人需由本人授权代办，不能以监护人身份添加"))
        return issues
    return [Issue("relation", "not_allowed", "关系只能是本人或监护人；成年家人请使用授权码")]
