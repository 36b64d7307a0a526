"""The calculator through the API: nothing is stored, nothing identifies a person."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.dosage import rules
from backend.edge import DOCTOR, PHARMACIST, ApiCall, ApiEndpoint, Family
from foundation.errors import Invalid
from foundation.web.endpoint import send

Figure = Annotated[str, Meta(pattern=r"^([0-9]{1,6}(\.[0-9]{1,3})?)?$(?!\n)")]


class AskDosage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known, as decimal text, empty where it is not: kg, cm, μmol/L, mg/kg (`per_day`: a day, else each time), mg."""

    age: Annotated[int, Meta(ge=0, le=130)]
    sex: Annotated[str, Meta(pattern=r"^(male|female|other|unknown)$(?!\n)")]
    weight: Figure = ""
    height: Figure = ""
    creatinine: Figure = ""
    per_kg: Figure = ""
    per_day: bool = False
    times: Annotated[int, Meta(ge=1, le=6)] = 1
    most: Figure = ""
    strength: Figure = ""


class DosageView(msgspec.Struct, frozen=True):
    """Creatinine clearance (mL/min), eGFR (mL/min/1.73 m²) and its stage, body surface (m²), dose each time and a day (mg), units of a strength."""

    clearance: str
    egfr: str
    stage: str
    surface: str
    single: str
    daily: str
    units: str
    notes: list[str]


async def compute(call: ApiCall, body: AskDosage) -> DosageView:
    """Compute what can be computed."""

    def number(text: str) -> Decimal | None:
        return Decimal(text) if text else None

    asked = rules.Asked(
        body.age, body.sex, number(body.weight), number(body.height), number(body.creatinine), number(body.per_kg),
        body.per_day, body.times, number(body.most), number(body.strength),
    )  # fmt: skip
    if found := rules.issues(asked):
        raise Invalid(found[0].message, issues=found)
    got = rules.compute(asked)
    return DosageView(
        got.clearance, got.egfr, got.stage, got.surface, got.single, got.daily, got.units, list(got.notes)
    )


ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/dosage", compute, body=AskDosage, reply=DosageView, summary="剂量计算", family=Family.ONLINE_TREATMENT,
         roles=[DOCTOR, PHARMACIST]),
]  # fmt: skip
