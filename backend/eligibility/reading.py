"""What the hospital wrote, read into facts: codes, certainty, words of danger. The words themselves go no further. Pure."""

from collections.abc import Iterable, Mapping

from backend.eligibility.codes import codes_in
from backend.eligibility.names import normal, says
from backend.eligibility.rulebook import RuleSet
from backend.eligibility.rules import Fact
from contracts import his


def is_acute(name: str, rules: RuleSet) -> bool:
    """Whether the name forbids matching by three characters or by group."""
    return bool(says(name, rules.acute, rules.not_before))


def code_of(name: str, rules: RuleSet, names: Mapping[str, str]) -> str:
    """The code of a diagnosis in words: by the rule's synonyms, else by the code list's own names; empty when neither has it."""
    plain = normal(name)
    return rules.synonyms.get(plain) or names.get(plain, "")


def facts_of(
    visits: Iterable[his.HospitalVisit], rules: RuleSet, names: Mapping[str, str] | None = None,
    departments: Mapping[str, str] | None = None,
) -> list[Fact]:  # fmt: skip
    """The few facts a decision needs. `names`: normal name → code; `departments`: name → our code."""
    found = []
    for visit in visits:
        department = (departments or {}).get(visit.department_name, "")
        for one in visit.diagnoses:
            for code, read in _codes(one, rules, names or {}):
                found.append(
                    Fact(
                        visit.visit_id, visit.resource_hash, visit.day, code[:20], _certainty(one, rules), visit.status[:20],
                        visit.source[:10], kind=visit.kind[:12], rank=one.rank, department=department, read=read,
                        acute=is_acute(one.name, rules), danger=bool(says(one.name, rules.danger, rules.not_before)),
                    )
                )  # fmt: skip
    return found


def _codes(one: his.VisitDiagnosis, rules: RuleSet, names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if coded := codes_in(one.code):
        return [(code, "code") for code in coded]
    if by_name := code_of(one.name, rules, names):
        return [(by_name, "synonym")]
    return [("", "unresolved")]


def _certainty(one: his.VisitDiagnosis, rules: RuleSet) -> str:
    """What the name doubts is not confirmed, whatever the record's status says."""
    if one.certainty != "confirmed" or says(one.name, rules.suspected):
        return "suspected"
    return "confirmed"
