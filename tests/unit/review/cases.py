"""Drafts, patients and drugs for tests of the engine: right in everything until something is changed."""

from functools import cache
from typing import Any

import msgspec

from backend.formulary.facts import Drug, builtin
from backend.review.draft import Circumstances, Draft, Finding, Item, PatientFacts
from backend.review.engine import review
from contracts.events import Diagnosis

HYPERTENSION = Diagnosis("I10.x00", "特发性（原发性）高血压")
REFLUX = Diagnosis("K21.000", "胃食管反流病")
ADULT = PatientFacts(
    age=68, sex="female", allergy_groups=frozenset(), confirmed_codes=frozenset({"I10.x00"}), chronic=True
)
DRUG = Drug(
    code="YP001", generic_name="苯磺酸氨氯地平片", trade_name="", pinyin="bhsaldpp", drug_class="钙通道阻滞剂", tj_class="060303",
    form_code="01", form_name="片剂", strength="5mg", strength_amount="5", unit="片", pack_size=28, pack_unit="盒",
    manufacturer="某厂", price=1860, insurance_class="甲", routes=["1"], single_max="10", daily_max="10", dose_unit="mg",
    age_min_years=6, pregnancy="caution", lactation="caution", indications=["I10-I15", "I20-I25"], allergy_group="",
    skin_test=False, control_class="none", antibacterial_grade="none", online_allowed=True, long_term_allowed=True,
    ingredients=["氨氯地平"], source="label",
)  # fmt: skip
ITEM = Item("YP001", "5", "qd", "1", 7, 1)


def drug(**changes: Any) -> Drug:
    return msgspec.structs.replace(DRUG, **changes)


def item(**changes: Any) -> Item:
    return msgspec.structs.replace(ITEM, **changes)


def patient(**changes: Any) -> PatientFacts:
    return msgspec.structs.replace(ADULT, **changes)


def looked_at(
    *items: Item, who: PatientFacts = ADULT, drugs: list[Drug] | None = None, reason: str = "",
    diagnoses: list[Diagnosis] | None = None,
) -> list[Finding]:  # fmt: skip
    """What the engine finds."""
    draft = Draft(list(items), [HYPERTENSION] if diagnoses is None else diagnoses, reason)
    return review(draft, who, {one.code: one for one in (drugs or [DRUG])})


def rules(found: list[Finding]) -> list[tuple[str, str]]:
    """Rule and severity of each finding."""
    return [(one.rule, one.severity.value) for one in found]


@cache
def listed() -> dict[str, Drug]:
    """The list that ships, by generic name."""
    return {one.generic_name: one for one in builtin().values()}


def line(name: str, **changes: Any) -> Item:
    """A line of a drug of the list: one unit once a day for a week."""
    one = listed()[name]
    amount = one.strength_amount if one.dose_unit == "mg" and one.strength_amount else "1"
    written = Item(one.code, amount, "qd", one.routes[0], 7, 1)
    return msgspec.structs.replace(written, **changes)


def about(
    *lines: Item | str, who: PatientFacts = ADULT, reason: str = "有理由", codes: tuple[str, ...] = ("I10.x00",),
    at: Circumstances | None = None, kind: str = "",
) -> list[Finding]:  # fmt: skip
    """What is found about drugs of the list; a name stands for its line."""
    items = [line(one) if isinstance(one, str) else one for one in lines]
    draft = Draft(items, [Diagnosis(code, code) for code in codes], reason, kind)
    known = msgspec.structs.replace(who, confirmed_codes=frozenset(codes))
    return review(draft, known, builtin_drugs(), at or Circumstances())


@cache
def builtin_drugs() -> dict[str, Drug]:
    """The list that ships, by code."""
    return builtin()


def said(found: list[Finding], *names: str) -> list[tuple[str, str]]:
    """Rule and gravity of the findings of these rules."""
    return [(one.rule, one.severity.value) for one in found if one.rule in names]
