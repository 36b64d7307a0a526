"""What the engine looks at and what it answers."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from contracts.events import Diagnosis

TIMES_PER_DAY: dict[str, tuple[Decimal, str]] = {
    "qd": (Decimal(1), "每日一次"),
    "bid": (Decimal(2), "每日两次"),
    "tid": (Decimal(3), "每日三次"),
    "qid": (Decimal(4), "每日四次"),
    "qn": (Decimal(1), "每晚一次"),
    "q12h": (Decimal(2), "每 12 小时一次"),
    "q8h": (Decimal(3), "每 8 小时一次"),
    "qod": (Decimal("0.5"), "隔日一次"),
    "qw": (Decimal(1) / Decimal(7), "每周一次"),
    "biw": (Decimal(2) / Decimal(7), "每周两次"),
}
ROUTES = {
    "1": "口服", "2": "直肠给药", "3": "舌下给药", "401": "皮下注射", "403": "肌肉注射", "404": "静脉注射", "5": "吸入",
    "605": "阴道用药", "607": "滴眼", "608": "滴鼻", "609": "喷喉", "610": "含化", "611": "敷伤口", "612": "擦皮肤",
    "699": "局部用药", "9": "其他",
}  # fmt: skip


class Severity(StrEnum):
    """Block stops the signature; reason asks the doctor for one; info is read."""

    BLOCK = "block"
    REASON = "reason"
    INFO = "info"


class Category(StrEnum):
    """The three parts of a review."""

    LEGALITY = "legality"
    FORM = "form"
    APPROPRIATENESS = "appropriateness"


class Item(msgspec.Struct, frozen=True):
    """One line as the doctor writes it: `dose` per time in the drug's dose unit, `quantity` in packs."""

    drug_code: str
    dose: str
    frequency: str
    route: str
    days: int
    quantity: int
    note: str = ""


class Draft(msgspec.Struct, frozen=True):
    """A prescription to be looked at."""

    items: list[Item]
    diagnoses: list[Diagnosis]
    reason: str = ""


class PatientFacts(msgspec.Struct, frozen=True):
    """What is known about the patient; `allergy_groups` is None when the hospital could not be asked."""

    age: int
    sex: str
    allergy_groups: frozenset[str] | None
    confirmed_codes: frozenset[str]
    guardian_present: bool = False
    chronic: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One thing found; `item` is the line's index or None for the whole."""

    rule: str
    version: str
    category: Category
    severity: Severity
    message: str
    source: str
    item: int | None = None
