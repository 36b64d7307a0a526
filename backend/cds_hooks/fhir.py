"""Between our drafts and FHIR R4: what others ask us is read, what we ask others is written. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from backend.cds_hooks.wire import Bundle, Concept, HookContext, Prefetch, Quantity, Resource
from backend.formulary.facts import Drug
from backend.patient.rules import age_on
from backend.review.draft import TIMES_PER_DAY, Answer, Draft, Item, PatientFacts, Taking
from contracts.events import Diagnosis

DRUG, FREQUENCY, ROUTE = (f"urn:internet-hospital:{name}" for name in ("drug", "frequency", "route"))
ALLERGY, ALLERGY_GROUP = "urn:internet-hospital:allergy", "urn:internet-hospital:allergy-group"
ICD10 = ("http://hl7.org/fhir/sid/icd-10", "urn:internet-hospital:icd-10")
TIMING = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
LOINC = "http://loinc.org"
EGFR = ("98979-8", "62238-1", "77147-7", "33914-3", "48642-3")
WEIGHT, PREGNANCY, NURSING = "29463-7", "82810-3", "63895-7"
YES, NO = ("LA15173-0", "LA33-6"), ("LA26683-5", "LA32-8")
UNKNOWN_DAYS_LEFT = 1
Json = dict[str, Any]


def missing(prefetch: Prefetch) -> list[str]:
    """Without these nothing can be said; what else is missing is unknown to the rules."""
    patient = prefetch.patient
    found = [] if patient is not None and patient.birth_date is not None else ["patient"]
    return found + ([] if prefetch.conditions is not None else ["conditions"])


def draft_of(context: HookContext, prefetch: Prefetch) -> Draft:
    """The drafts as one prescription; diagnoses are the reasons given, or else all conditions."""
    orders = context.draft_orders.of("MedicationRequest")
    reasons = [_icd(reason) for order in orders for reason in order.reason_code]
    codes = [code for code in reasons if code] or sorted(_conditions(prefetch))
    return Draft([_item(order) for order in orders], [Diagnosis(code, code) for code in dict.fromkeys(codes)])


def facts_of(prefetch: Prefetch, today: date) -> PatientFacts:
    """The patient as far as she was sent; what is missing is unknown."""
    patient = prefetch.patient
    assert patient is not None
    assert patient.birth_date is not None
    born = patient.birth_date
    seen = _observed(prefetch)
    confirmed = _conditions(prefetch)
    allergies = None if prefetch.allergies is None else prefetch.allergies.of("AllergyIntolerance")
    active = [one for one in allergies or () if _state(one.clinical_status) not in ("inactive", "resolved")]
    concepts = [one.code for one in active if one.code is not None]
    groups = frozenset(found for one in concepts if (found := one.code_of(ALLERGY_GROUP)))
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return PatientFacts(
        age=age_on(born, today), sex=patient.gender if patient.gender in ("male", "female") else "unknown",
        allergy_groups=None if allergies is None else groups, confirmed_codes=frozenset(confirmed), age_months=months,
        weight_kg=_plain(seen.get(WEIGHT)), egfr=_whole(next((seen[code] for code in EGFR if code in seen), None)),
        pregnancy=_answer(seen.get(PREGNANCY)), lactation=_answer(seen.get(NURSING)),
        allergy_names=frozenset(name for one in concepts for name in _names(one)),
        taking=_taking(prefetch.medications, today),
    )  # fmt: skip


def _names(concept: Concept) -> Iterable[str]:
    return filter(None, (concept.text, *(one.display for one in concept.coding)))


def _conditions(prefetch: Prefetch) -> set[str]:
    found = prefetch.conditions.of("Condition") if prefetch.conditions else []
    kept = [one for one in found if _state(one.verification_status) in ("", "confirmed")]
    return {code for one in kept if one.code is not None and (code := _icd(one.code))}


def _icd(concept: Concept) -> str:
    return concept.code_of(*ICD10)


def _state(concept: Concept | None) -> str:
    return concept.coding[0].code if concept is not None and concept.coding else ""


def _observed(prefetch: Prefetch) -> dict[str, Resource]:
    """The last of each kind counts: the prefetch asks for them by date."""
    found = prefetch.observations.of("Observation") if prefetch.observations else []
    return {
        one.code.code_of(LOINC): one
        for one in found
        if one.code is not None and one.status in ("final", "amended", "corrected", "")
    }


def _plain(seen: Resource | None) -> str:
    return "" if seen is None or seen.value_quantity is None else f"{seen.value_quantity.value.normalize():f}"


def _whole(seen: Resource | None) -> int | None:
    return None if seen is None or seen.value_quantity is None else int(seen.value_quantity.value)


def _answer(seen: Resource | None) -> Answer:
    said = (
        {one.code for one in seen.value_codeable_concept.coding}
        if seen and seen.value_codeable_concept
        else set()
    )
    return Answer.YES if said & set(YES) else Answer.NO if said & set(NO) else Answer.UNKNOWN


def _item(order: Resource) -> Item:
    """What is not there stays empty: the rules say so."""
    dosage = order.dosage_instruction[0] if order.dosage_instruction else None
    dose = (
        next((one.dose_quantity for one in dosage.dose_and_rate if one.dose_quantity), None)
        if dosage
        else None
    )
    timing = dosage.timing.code if dosage and dosage.timing else None
    supply = order.dispense_request
    return Item(
        drug_code=order.medication_codeable_concept.code_of(DRUG) if order.medication_codeable_concept else "",
        dose="" if dose is None else f"{dose.value:f}", frequency=_frequency(timing),
        route=dosage.route.code_of(ROUTE) if dosage and dosage.route else "",
        days=_count(supply.expected_supply_duration) if supply else 0,
        quantity=_count(supply.quantity) if supply else 0, note=dosage.patient_instruction if dosage else "",
    )  # fmt: skip


def _frequency(timing: Concept | None) -> str:
    said = "" if timing is None else (timing.code_of(FREQUENCY) or timing.code_of(TIMING) or timing.text)
    return said.lower() if said.lower() in TIMES_PER_DAY else ""


def _count(quantity: Quantity | None) -> int:
    return 0 if quantity is None else int(quantity.value)


def _taking(bundle: Bundle | None, today: date) -> tuple[Taking, ...] | None:
    if bundle is None:
        return None
    found = []
    for one in bundle.of("MedicationRequest"):
        concept = one.medication_codeable_concept
        if one.status == "active" and concept is not None:
            code = concept.code_of(DRUG)
            found.append(Taking(code, next(iter(_names(concept)), code), _left(one, today)))
    return tuple(one for one in found if one.days_left > 0)


def _left(order: Resource, today: date) -> int:
    """Active without a day or a duration: at least today."""
    supply = order.dispense_request
    days = _count(supply.expected_supply_duration) if supply else 0
    if not days or not re.match(r"\d{4}-\d\d-\d\d", order.authored_on):
        return UNKNOWN_DAYS_LEFT
    return (date.fromisoformat(order.authored_on[:10]) + timedelta(days=days) - today).days


def order_json(item: Item, drug: Drug, draft: Draft, place: int, patient: str) -> Json:
    """A line as a draft MedicationRequest."""
    times = TIMES_PER_DAY.get(item.frequency)
    return {
        "resourceType": "MedicationRequest", "id": f"line-{place}", "status": "draft", "intent": "order",
        "subject": {"reference": patient},
        "medicationCodeableConcept": {"coding": [{"system": DRUG, "code": drug.code, "display": drug.generic_name}]},
        "reasonCode": [{"coding": [{"system": ICD10[0], "code": one.code}]} for one in draft.diagnoses],
        "dosageInstruction": [{
            "timing": {"code": {"coding": [{"system": FREQUENCY, "code": item.frequency}], "text": times[1] if times else ""}},
            "route": {"coding": [{"system": ROUTE, "code": item.route}]},
            "doseAndRate": [{"doseQuantity": {"value": _number(item.dose), "unit": drug.dose_unit}}],
            "patientInstruction": item.note,
        }],
        "dispenseRequest": {
            "quantity": {"value": item.quantity, "unit": drug.pack_unit},
            "expectedSupplyDuration": {"value": item.days, "unit": "d", "code": "d"},
        },
    }  # fmt: skip


def _number(text: str) -> msgspec.Raw:
    """A decimal as it was written: 0.1 is no binary fraction."""
    return msgspec.Raw(f"{Decimal(text):f}".encode() if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text) else b"0")


def bundle(resources: Iterable[Json]) -> Json:
    """A collection."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def prefetch_json(patient: PatientFacts, drugs: Mapping[str, Drug], who: str, today: date) -> Json:
    """What is known of the patient, without her name, number or day of birth: the first of January of her year."""
    born = date(today.year - patient.age, 1, 1)
    codes = sorted(patient.confirmed_codes | patient.history_codes)
    confirmed = {"coding": [{"code": "confirmed"}]}
    conditions = [
        {"resourceType": "Condition", "verificationStatus": confirmed, "code": {"coding": [{"system": ICD10[0], "code": code}]}}
        for code in codes
    ]  # fmt: skip
    found: Json = {
        "patient": {"resourceType": "Patient", "id": who, "gender": patient.sex, "birthDate": born.isoformat()},
        "conditions": bundle(conditions), "observations": bundle(_observations(patient)),
    }  # fmt: skip
    if patient.allergy_groups is not None:
        found["allergies"] = bundle(
            {
                "resourceType": "AllergyIntolerance",
                "code": {"coding": [{"system": ALLERGY_GROUP, "code": group}]},
            }
            for group in sorted(patient.allergy_groups)
        )
    if patient.taking is not None:
        found["medications"] = bundle(_active(one, drugs) for one in patient.taking)
    return found


def _active(taking: Taking, drugs: Mapping[str, Drug]) -> Json:
    drug = drugs.get(taking.drug_code)
    display = drug.generic_name if drug else ""
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": DRUG, "code": taking.drug_code, "display": display}]},
    }  # fmt: skip


def _observations(patient: PatientFacts) -> Iterable[Json]:
    def seen(code: str, **value: object) -> Json:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": code}]},
            **value,
        }

    if patient.egfr is not None:
        yield seen(EGFR[0], valueQuantity={"value": patient.egfr, "unit": "mL/min/{1.73_m2}"})
    if patient.weight_kg:
        yield seen(WEIGHT, valueQuantity={"value": _number(patient.weight_kg), "unit": "kg"})
    for code, answer in ((PREGNANCY, patient.pregnancy), (NURSING, patient.lactation)):
        if answer is not Answer.UNKNOWN:
            place = 0 if code == PREGNANCY else 1
            said = (YES if answer is Answer.YES else NO)[place]
            yield seen(code, valueCodeableConcept={"coding": [{"system": LOINC, "code": said}]})
