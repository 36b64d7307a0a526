"""The hospital's register as FHIR resources: itself, departments, doctors, drugs, patients."""

from collections.abc import Iterator

from simulators.his import systems
from simulators.his.outcomes import Json
from simulators.his.systems import coding, concept
from simulators.his.world import Department, Drug, Hospital, Resident, Staff

GENDER = {"1": "male", "2": "female"}
# GB/T 4761 in words -> http://terminology.hl7.org/CodeSystem/v3-RoleCode
_SERVICES = {"registration": ("线上复诊诊查费", 50_00)}
_RELATIONS = {"父": "FTH", "母": "MTH", "子": "SON", "女": "DAU", "配偶": "SPS"}


def organizations(hospital: Hospital, departments: list[Department]) -> Iterator[Json]:
    yield {
        "resourceType": "Organization",
        "id": hospital.id,
        "identifier": [{"system": systems.CREDIT_CODE, "value": hospital.unified_social_credit_code}],
        "active": True,
        "name": hospital.name,
        "telecom": [{"system": "phone", "value": hospital.phone}],
        "address": [{"text": hospital.address}],
    }
    for one in departments:
        yield {
            "resourceType": "Organization",
            "id": one.code,
            "identifier": [{"system": systems.DEPARTMENT, "value": one.code}],
            "active": True,
            "type": [concept("urn:internet-hospital:subject", one.subject_code, one.subject_name)],
            "name": one.name,
            "partOf": {"reference": f"Organization/{hospital.id}", "display": hospital.name},
        }
        yield {
            "resourceType": "Location",
            "id": one.code,
            "identifier": [{"system": systems.DEPARTMENT, "value": one.code}],
            "status": "active",
            "name": f"{one.name}门诊",
            "managingOrganization": {"reference": f"Organization/{one.code}", "display": one.name},
        }


def practitioners(staff: list[Staff], departments: dict[str, str]) -> Iterator[Json]:
    """Doctors and pharmacists, with one role each per department (`departments`: code -> name)."""
    for one in staff:
        if one.role not in {"doctor", "pharmacist"}:
            continue
        yield {
            "resourceType": "Practitioner",
            "id": one.id,
            "identifier": [
                {"system": systems.PRACTITIONER, "value": one.id},
                {"system": systems.LICENCE, "value": one.licence_number},
            ],
            "active": True,
            "name": [{"text": one.name}],
            "gender": GENDER[one.sex],
            "qualification": [{"code": concept(systems.TITLE, one.title_code, one.title_name)}],
        }
        for code in one.departments:
            yield {
                "resourceType": "PractitionerRole",
                "id": f"{one.id}-{code}",
                "active": True,
                "practitioner": {"reference": f"Practitioner/{one.id}", "display": one.name},
                "organization": {"reference": f"Organization/{code}", "display": departments[code]},
                "specialty": [concept(systems.DEPARTMENT, code, departments[code])],
                "location": [{"reference": f"Location/{code}"}],
            }


def medications(drugs: list[Drug]) -> Iterator[Json]:
    for one in drugs:
        yield {
            "resourceType": "Medication",
            "id": one.code,
            "extension": [{"url": systems.STOCK, "valueInteger": one.stock}],
            "identifier": [{"system": systems.DRUG, "value": one.code}],
            "code": concept(systems.DRUG, one.code, one.name, f"{one.name} {one.strength}"),
            "status": "active",
            "manufacturer": {"display": one.manufacturer},
            "form": {"text": one.form},
            "amount": {"numerator": {"value": 1, "unit": one.pack}, "denominator": {"value": 1}},
        }


def prices(drugs: list[Drug], since: str) -> Iterator[Json]:
    """The hospital's price list: a pack of each drug, and what is charged for services of the internet hospital."""
    for one in drugs:
        yield _price(systems.DRUG, one.code, f"{one.name} {one.strength}", one.price_fen, since)
    for code, (title, fen) in _SERVICES.items():
        yield _price(systems.CHARGE, code, title, fen, since)


def _price(system: str, code: str, title: str, fen: int, since: str) -> Json:
    return {
        "resourceType": "ChargeItemDefinition",
        "id": f"price-{code}",
        "url": f"https://his.nanxiang.example/ChargeItemDefinition/price-{code}",
        "identifier": [{"system": system, "value": code}],
        "title": title,
        "status": "active",
        "effectivePeriod": {"start": since},
        "code": concept(system, code, title),
        "propertyGroup": [
            {"priceComponent": [{"type": "base", "amount": {"value": fen / 100, "currency": "CNY"}}]}
        ],
    }


def patients(one: Resident) -> Iterator[Json]:
    """The patient, and one resource more for each former number."""
    person: Json = {
        "name": [{"use": "official", "text": one.name, "family": one.name[:1], "given": [one.name[1:]]}],
        "telecom": [{"system": "phone", "value": one.phone, "use": "mobile"}],
        "gender": GENDER[one.sex],
        "birthDate": one.birth_date,
        "address": [{"use": "home", "text": one.address}],
    }
    if one.contact is not None:
        relation = coding(f"{systems.HL7}/v3-RoleCode", _RELATIONS.get(one.contact.relation, "FAMMEMB"))
        person["contact"] = [
            {
                "relationship": [{"coding": [relation], "text": one.contact.relation}],
                "name": {"text": one.contact.name},
                "telecom": [{"system": "phone", "value": one.contact.phone}],
            }
        ]
    survivor: Json = {**_numbered(one.id, one.id_number), "active": True, **person}
    if one.former_ids:
        survivor["link"] = [
            {"other": {"reference": f"Patient/{former}"}, "type": "replaces"} for former in one.former_ids
        ]
    yield survivor
    for former in one.former_ids:
        link = {"other": {"reference": f"Patient/{one.id}"}, "type": "replaced-by"}
        yield {**_numbered(former, one.id_number), "active": False, **person, "link": [link]}


def _numbered(number: str, id_number: str) -> Json:
    return {
        "resourceType": "Patient",
        "id": number,
        "identifier": [
            {"use": "usual", "system": systems.MRN, "value": number},
            {"use": "official", "system": systems.ID_CARD, "value": id_number},
        ],
    }


def allergies(one: Resident) -> Iterator[Json]:
    for place, allergy in enumerate(one.allergies, 1):
        codings = [coding(systems.ALLERGY, allergy.code, allergy.name)]
        if allergy.group:
            codings.append(coding(systems.ALLERGY_GROUP, allergy.group))
        resource: Json = {
            "resourceType": "AllergyIntolerance",
            "id": f"{one.id}-A{place}",
            "clinicalStatus": concept(f"{systems.HL7}/allergyintolerance-clinical", "active"),
            "verificationStatus": concept(f"{systems.HL7}/allergyintolerance-verification", "confirmed"),
            "category": ["medication"] if allergy.group else ["food"],
            "code": {"coding": codings, "text": allergy.name},
            "patient": {"reference": f"Patient/{one.id}", "display": one.name},
        }
        if allergy.note:
            resource["note"] = [{"text": allergy.note}]
        yield resource
