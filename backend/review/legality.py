"""Legality: what may be prescribed online at all."""

from collections.abc import Iterator, Mapping

from backend.formulary.facts import Drug
from backend.patient.rules import GUARDIAN_PRESENT_BELOW
from backend.review.draft import Category, Draft, Finding, PatientFacts, Severity
from backend.review.finding import finding

_CONTROL = {
    "narcotic": "麻醉药品", "psychotropic_1": "第一类精神药品", "psychotropic_2": "第二类精神药品", "toxic": "医疗用毒性药品",
    "radioactive": "放射性药品", "precursor": "药品类易制毒化学品",
}  # fmt: skip
_LAW = "互联网诊疗管理办法 第十九条"


def check(draft: Draft, patient: PatientFacts, drugs: Mapping[str, Drug]) -> Iterator[Finding]:
    """Banned classes, drugs not offered online, children under six."""
    for index, item in enumerate(draft.items):
        drug = drugs.get(item.drug_code)
        if drug is None:
            yield _legal(
                "legal.unknown_drug", Severity.BLOCK, f"目录中没有药品 {item.drug_code}", "药品目录", index
            )
        elif drug.control_class in _CONTROL:
            words = f"{drug.generic_name}属于{_CONTROL[drug.control_class]}，不得在线开具"
            yield _legal("legal.controlled", Severity.BLOCK, words, _LAW, index)
        elif not drug.online_allowed:
            words = f"{drug.generic_name}不在本院线上可开具范围内"
            yield _legal("legal.not_online", Severity.BLOCK, words, "本院线上药品目录", index)
        elif drug.antibacterial_grade == "special":
            words = f"{drug.generic_name}为特殊使用级抗菌药物，不得在门诊使用"
            yield _legal(
                "legal.antibacterial_special", Severity.BLOCK, words, "抗菌药物临床应用管理办法", index
            )
    if patient.age < GUARDIAN_PRESENT_BELOW and not patient.guardian_present:
        words = "6 岁以下儿童须确认监护人和相关专业医师在场后方可开具处方"
        yield _legal("legal.under_six", Severity.BLOCK, words, _LAW, None)
    outside = [one.code for one in draft.diagnoses if one.code not in patient.confirmed_codes]
    if outside:
        words = f"处方诊断 {'、'.join(outside)} 不在本次确认的诊断之内"
        yield _legal("legal.diagnosis_outside", Severity.BLOCK, words, "互联网医院管理办法 第二十条", None)


def _legal(rule: str, severity: Severity, words: str, source: str, item: int | None) -> Finding:
    return finding(rule, Category.LEGALITY, severity, words, source, item)
