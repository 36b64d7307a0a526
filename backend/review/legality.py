"""Legality: what may be prescribed online at all, and by whom."""

from collections.abc import Iterator, Mapping

from backend.formulary.facts import Drug
from backend.patient.rules import GUARDIAN_PRESENT_BELOW
from backend.review.draft import Circumstances, Draft, Finding, Item, PatientFacts
from backend.review.finding import finding
from backend.review.lines import LOCAL_ROUTES
from backend.review.rulebook import Banned, rulebook

_CONTROL = {
    "narcotic": "麻醉药品", "psychotropic_1": "第一类精神药品", "psychotropic_2": "第二类精神药品", "toxic": "医疗用毒性药品",
    "radioactive": "放射性药品", "precursor": "药品类易制毒化学品",
}  # fmt: skip
RESTRICTED_TITLES = ("231", "232", "233")
"""Attending physician and above may prescribe antibacterials of the restricted grade."""
INJECTIONS = ("15", "16", "18")


def check(
    draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug], at: Circumstances
) -> Iterator[Finding]:
    """Banned classes, drugs not offered online, the prescriber's right, children under six."""
    for index, item in enumerate(draft.items):
        drug = drugs.get(item.drug_code)
        if drug is None:
            yield finding("legal.unknown_drug", f"目录中没有药品 {item.drug_code}", index)
        elif drug.control_class in _CONTROL:
            words = f"{drug.generic_name}属于{_CONTROL[drug.control_class]}，不得在线开具"
            yield finding("legal.controlled", words, index)
        elif not drug.online_allowed:
            words = f"{drug.generic_name}不在本院线上可开具范围内"
            yield finding("legal.not_online", words, index)
        else:
            yield from _antibacterial(index, drug, at)
        if drug is not None and at.retail_ban and (line := banned(drug, item)) is not None:
            words = f"{drug.generic_name}列入药品网络销售禁止清单（{line.words}）"
            yield finding("legal.retail_ban", words, index)
    if patient.age < GUARDIAN_PRESENT_BELOW and not patient.guardian_present:
        words = "6 岁以下儿童须确认监护人和相关专业医师在场后方可开具处方"
        yield finding("legal.under_six", words)
    outside = [one.code for one in draft.diagnoses if one.code not in patient.confirmed_codes]
    if outside:
        words = f"处方诊断 {'、'.join(outside)} 不在本次确认的诊断之内"
        yield finding("legal.diagnosis_outside", words)


def _antibacterial(index: int, drug: Drug, at: Circumstances) -> Iterator[Finding]:
    if drug.antibacterial_grade == "special":
        words = f"{drug.generic_name}为特殊使用级抗菌药物，不得在门诊使用"
        yield finding("legal.antibacterial_special", words, index)
    elif (
        drug.antibacterial_grade == "restricted" and at.title_code and at.title_code not in RESTRICTED_TITLES
    ):
        words = f"{drug.generic_name}为限制使用级抗菌药物，须由主治医师及以上开具"
        yield finding("legal.antibacterial_right", words, index)


def banned(drug: Drug, item: Item | None = None) -> Banned | None:
    """The line of the national list that forbids selling this online; without an item any of its routes counts."""
    routes = set(drug.routes) if item is None else {item.route}
    return next((line for line in rulebook().banned if _forbids(line, drug, routes)), None)


def _forbids(line: Banned, drug: Drug, routes: set[str]) -> bool:
    inside = set(drug.ingredients)
    if line.kind == "control":
        return drug.control_class in line.values
    if line.kind == "class":
        return drug.drug_class in line.values
    if line.kind == "injection":
        return drug.form_code in INJECTIONS and not inside & line.spared
    if line.kind == "substance":
        return bool(inside & line.values)
    single = len(inside) == 1 and inside <= line.values
    return single and (line.kind == "single" or not routes <= LOCAL_ROUTES)
