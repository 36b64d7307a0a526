"""What the engine looks at and what it answers."""

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction

import msgspec

from contracts.events import Diagnosis

TIMES_PER_DAY: dict[str, tuple[Fraction, str]] = {
    "qd": (Fraction(1), "每日一次"),
    "bid": (Fraction(2), "每日两次"),
    "tid": (Fraction(3), "每日三次"),
    "qid": (Fraction(4), "每日四次"),
    "qn": (Fraction(1), "每晚一次"),
    "q12h": (Fraction(2), "每 12 小时一次"),
    "q8h": (Fraction(3), "每 8 小时一次"),
    "q6h": (Fraction(4), "每 6 小时一次"),
    "qod": (Fraction(1, 2), "隔日一次"),
    "qw": (Fraction(1, 7), "每周一次"),
    "biw": (Fraction(2, 7), "每周两次"),
    "once": (Fraction(1), "单次"),
}
ONCE = "once"
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


class Answer(StrEnum):
    """What is known of a yes or no; unknown is never read as a no."""

    UNKNOWN = "unknown"
    NO = "no"
    YES = "yes"


class Liver(StrEnum):
    """Child-Pugh class; `normal` only where somebody says so."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    A = "A"
    B = "B"
    C = "C"


class Item(msgspec.Struct, frozen=True):
    """One line as the doctor writes it: `dose` per time in the drug's dose unit, `quantity` in packs."""

    drug_code: str
    dose: str
    frequency: str
    route: str
    days: int
    quantity: int
    note: str = ""


class StatedTest(msgspec.Struct, frozen=True):
    """A skin test as the doctor states it: allergy group, result, day."""

    group: str
    negative: bool
    tested_on: date


class Stated(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the doctor states about the patient beside what the systems know; it is signed with the prescription.

    `egfr` in ml/min/1.73 m², `weight_kg` a decimal or empty, `taking` codes of drugs bought elsewhere.
    """

    pregnancy: Answer = Answer.UNKNOWN
    lactation: Answer = Answer.UNKNOWN
    egfr: int | None = None
    liver: Liver = Liver.UNKNOWN
    weight_kg: str = ""
    taking: list[str] = []
    skin_tests: list[StatedTest] = []


class Draft(msgspec.Struct, frozen=True):
    """A prescription to be looked at; `kind` is empty (ordinary) or `emergency`."""

    items: list[Item]
    diagnoses: list[Diagnosis]
    reason: str = ""
    kind: str = ""
    stated: Stated = Stated()


def amount_of(text: str) -> Fraction | None:
    """A dose or strength, exactly; None when it is no positive number. Thirds of a week do not fit into decimals."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return Fraction(found) if found.is_finite() and found > 0 else None


class Taking(msgspec.Struct, frozen=True):
    """A drug the patient still has; `same_visit` when another prescription of this visit holds it."""

    drug_code: str
    name: str
    days_left: int
    same_visit: bool = False


class SkinTest(msgspec.Struct, frozen=True):
    """A skin test that is recent enough to count, by allergy group."""

    group: str
    negative: bool


class PatientFacts(msgspec.Struct, frozen=True):
    """What is known about the patient; `allergy_groups` and `taking` are None when the hospital could not be asked.

    Safe defaults: what nobody said is unknown. `age_months` counts when given, `weight_kg` is a decimal or empty,
    `egfr` is ml/min/1.73 m², `history_codes` are diagnoses the hospital knows beside those of this visit.
    """

    age: int
    sex: str
    allergy_groups: frozenset[str] | None
    confirmed_codes: frozenset[str]
    guardian_present: bool = False
    chronic: bool = False
    age_months: int | None = None
    weight_kg: str = ""
    pregnancy: Answer = Answer.UNKNOWN
    lactation: Answer = Answer.UNKNOWN
    egfr: int | None = None
    liver: Liver = Liver.UNKNOWN
    allergy_names: frozenset[str] = frozenset()
    history_codes: frozenset[str] = frozenset()
    taking: tuple[Taking, ...] | None = ()
    skin_tests: tuple[SkinTest, ...] = ()

    @property
    def months(self) -> int:
        """Age in months, as well as it is known."""
        return self.age * 12 if self.age_months is None else self.age_months


class Circumstances(msgspec.Struct, frozen=True):
    """Where and by whom: `retail_ban` switches the national list of what may not be sold online on (a third party's
    pharmacy or delivery); `title_code` is the prescriber's, empty when not known."""

    retail_ban: bool = False
    title_code: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One thing found; `item` is the line's index or None for the whole."""

    rule: str
    version: str
    category: Category
    severity: Severity
    message: str
    source: str
    item: int | None = None
