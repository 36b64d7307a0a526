"""Identifier and code systems of this hospital. OIDs below 2.16.156.10011 are those of WS/T 500 documents."""

ID_CARD = "urn:oid:2.16.156.10011.1.3"
MRN = "https://his.nanxiang.example/mrn"
VISIT = "https://his.nanxiang.example/visit"
PRESCRIPTION = "https://his.nanxiang.example/prescription"
REPORT = "https://his.nanxiang.example/report"
LICENCE = "https://his.nanxiang.example/licence"
LAB_ITEM = "https://his.nanxiang.example/lab-item"
PANEL = "https://his.nanxiang.example/panel"
STOCK = "https://his.nanxiang.example/StructureDefinition/stock"
CREDIT_CODE = "urn:oid:2.16.156.10011.1.5"

DEPARTMENT = "urn:internet-hospital:department"
PRACTITIONER = "urn:internet-hospital:practitioner"
DRUG = "urn:internet-hospital:drug"
CHARGE = "urn:internet-hospital:charge"
APPOINTMENT = "urn:internet-hospital:appointment"
ONLINE_PRESCRIPTION = "urn:internet-hospital:prescription"
ALLERGY = "urn:internet-hospital:allergy"
ALLERGY_GROUP = "urn:internet-hospital:allergy-group"

ICD10 = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
ROUTE = "urn:oid:2.16.156.10011.2.3.1.158"
TITLE = "urn:oid:2.16.156.10011.2.3.1.209"
HL7 = "http://terminology.hl7.org/CodeSystem"


def coding(system: str, code: str, display: str = "") -> dict[str, str]:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def concept(system: str, code: str, display: str = "", text: str = "") -> dict[str, object]:
    """A CodeableConcept with one coding."""
    return {"coding": [coding(system, code, display)], **({"text": text} if text else {})}
