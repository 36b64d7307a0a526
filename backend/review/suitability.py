"""Whether this patient may have it: diagnosis, age, sex, pregnancy, lactation, liver."""

from collections.abc import Iterator

from backend.review.draft import Answer, Draft, Finding, Liver, PatientFacts, Severity
from backend.review.finding import finding
from backend.review.lines import Codes, Line, acting, codes
from backend.review.rulebook import Subject, rulebook

CHILDBEARING = range(12, 51)
PREGNANT, NURSING = "O00-O99|Z33-Z35", "O92|Z39"
_ENDED = "O03-O08|O80-O92"
_CLASSES = (Liver.A, Liver.B, Liver.C)


def all_codes(draft: Draft, patient: PatientFacts) -> Codes:
    """What she has: on this prescription, confirmed in this visit, known to the hospital."""
    mine = {one.code for one in draft.diagnoses}
    return codes(mine | patient.confirmed_codes | patient.history_codes)


def check(line: Line, patient: PatientFacts, known: Codes, current: Codes) -> Iterator[Finding]:
    """Every contraindication. `known` are all her diagnoses, `current` those of this visit."""
    rules = {
        rule.id: rule
        for substance in acting(line.drug, line.item.route)
        for rule in rulebook().contraindications.get(substance, ())
    }
    yield from _by_diagnosis(line, [rule for rule in rules.values() if rule.kind == "diagnosis"], known)
    for rule in rules.values():
        if _age(rule, patient) or _sex(rule, patient):
            name = "fit.sex" if rule.kind in ("male", "female") else "fit.age_contra"
            yield _said(name, line, rule)
    yield from _liver(line, [rule for rule in rules.values() if rule.kind == "liver"], patient)
    yield from _pregnancy(line, patient, current)
    yield from _lactation(line, patient, current)


def _said(name: str, line: Line, rule: Subject) -> Finding:
    words = f"{line.drug.generic_name}：{rule.words}"
    return finding(name, words, line.index, severity=rule.severity, source=rule.source)


def _by_diagnosis(line: Line, rules: list[Subject], known: Codes) -> Iterator[Finding]:
    for rule in rules:
        if known.within(rule.value):
            yield _said("fit.diagnosis", line, rule)


def _age(rule: Subject, patient: PatientFacts) -> bool:
    if rule.kind == "age_over":
        return patient.age >= int(rule.value)
    return rule.kind == "age_below" and patient.age < int(rule.value)


def _sex(rule: Subject, patient: PatientFacts) -> bool:
    return rule.kind in ("male", "female") and rule.kind == patient.sex


def _liver(line: Line, rules: list[Subject], patient: PatientFacts) -> Iterator[Finding]:
    """Only the gravest of the classes that she reaches."""
    if patient.liver not in _CLASSES:
        return
    reached = [rule for rule in rules if Liver(rule.value) <= patient.liver]
    for rule in sorted(reached, key=lambda one: list(Severity).index(one.severity))[:1]:
        yield _said("fit.liver", line, rule)


def pregnant(patient: PatientFacts, current: Codes) -> Answer:
    """What was said, or what a diagnosis of this visit says."""
    if patient.pregnancy is Answer.UNKNOWN and current.within(PREGNANT) and not current.within(_ENDED):
        return Answer.YES
    return patient.pregnancy


def _could(patient: PatientFacts) -> bool:
    return patient.sex != "male" and patient.age in CHILDBEARING


def _pregnancy(line: Line, patient: PatientFacts, current: Codes) -> Iterator[Finding]:
    """A drug that is not for pregnant women needs to know whether she is one."""
    if patient.sex == "male":
        return
    drug, answer = line.drug, pregnant(patient, current)
    rules = [
        rule
        for substance in drug.ingredients
        for rule in rulebook().contraindications.get(substance, ())
        if rule.kind == "pregnancy"
    ]
    rule = min(rules, key=lambda one: list(Severity).index(one.severity), default=None)
    never = drug.pregnancy == "forbidden" or (rule is not None and rule.severity is Severity.BLOCK)
    why = rule.words if rule is not None else "妊娠期禁用" if never else "妊娠期慎用，请注明理由"
    words = f"{drug.generic_name}：{why}"
    if answer is Answer.YES and (never or rule is not None or drug.pregnancy == "caution"):
        severity = Severity.BLOCK if never else Severity.REASON
        yield finding("fit.pregnancy", words, line.index, severity=severity)
    elif answer is Answer.UNKNOWN and never and _could(patient):
        yield finding("fit.pregnancy_unknown", f"{words}；请先确认患者是否妊娠", line.index)


def _lactation(line: Line, patient: PatientFacts, current: Codes) -> Iterator[Finding]:
    drug = line.drug
    nursing = patient.lactation is Answer.YES or (
        patient.lactation is Answer.UNKNOWN and current.within(NURSING)
    )
    if patient.sex == "male" or drug.lactation not in ("forbidden", "caution"):
        return
    if nursing:
        never = drug.lactation == "forbidden"
        words = f"{drug.generic_name}：哺乳期{'禁用' if never else '慎用'}"
        yield finding("fit.lactation", words, line.index, severity=Severity.BLOCK if never else Severity.INFO)
    elif drug.lactation == "forbidden" and patient.lactation is Answer.UNKNOWN and _could(patient):
        words = f"{drug.generic_name}：哺乳期禁用；请确认患者是否哺乳"
        yield finding("fit.lactation_unknown", words, line.index)
