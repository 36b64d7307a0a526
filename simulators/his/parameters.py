"""Search parameters by resource type, with FHIR R4's own names, and the elements they look at."""

from dataclasses import dataclass

TOKEN, STRING, DATE, REFERENCE = "token", "string", "date", "reference"


@dataclass(frozen=True)
class Parameter:
    """`path`: elements from the resource's root. `indexed`: the store can look it up without reading every resource."""

    name: str
    kind: str
    path: tuple[str, ...]
    target: str = ""
    indexed: bool = False


def _p(name: str, kind: str, path: str, target: str = "", *, indexed: bool = False) -> Parameter:
    return Parameter(name, kind, tuple(path.split(".")), target, indexed)


_IDENTIFIER = _p("identifier", TOKEN, "identifier", indexed=True)
_STATUS = _p("status", TOKEN, "status")
_CODE = _p("code", TOKEN, "code")
_ENCOUNTER = _p("encounter", REFERENCE, "encounter", "Encounter", indexed=True)


def _about(path: str = "subject") -> list[Parameter]:
    """`patient` and, where the element is called so, `subject`."""
    both = [_p("patient", REFERENCE, path, "Patient")]
    return [*both, _p("subject", REFERENCE, path, "Patient")] if path == "subject" else both


_TABLE: dict[str, list[Parameter]] = {
    "Patient": [
        _IDENTIFIER,
        _p("name", STRING, "name", indexed=True),
        _p("birthdate", DATE, "birthDate", indexed=True),
        _p("gender", TOKEN, "gender"),
        _p("phone", TOKEN, "telecom", indexed=True),
        _p("address", STRING, "address"),
        _p("active", TOKEN, "active"),
        _p("link", REFERENCE, "link.other", "Patient", indexed=True),
    ],
    "Practitioner": [_IDENTIFIER, _p("name", STRING, "name", indexed=True), _p("active", TOKEN, "active")],
    "PractitionerRole": [
        _IDENTIFIER,
        _p("practitioner", REFERENCE, "practitioner", "Practitioner"),
        _p("organization", REFERENCE, "organization", "Organization"),
        _p("specialty", TOKEN, "specialty"),
    ],
    "Organization": [
        _IDENTIFIER,
        _p("name", STRING, "name"),
        _p("partof", REFERENCE, "partOf", "Organization"),
        _p("active", TOKEN, "active"),
    ],
    "Location": [
        _IDENTIFIER,
        _p("name", STRING, "name"),
        _p("organization", REFERENCE, "managingOrganization", "Organization"),
    ],
    "Medication": [_IDENTIFIER, _CODE, _STATUS],
    "ChargeItemDefinition": [
        _IDENTIFIER,
        _STATUS,
        _p("title", STRING, "title"),
        _p("effective", DATE, "effectivePeriod"),
    ],
    "Encounter": [
        _IDENTIFIER,
        *_about(),
        _p("date", DATE, "period"),
        _STATUS,
        _p("class", TOKEN, "class"),
        _p("participant", REFERENCE, "participant.individual", "Practitioner"),
        _p("service-provider", REFERENCE, "serviceProvider", "Organization"),
        _p("appointment", REFERENCE, "appointment", "Appointment"),
    ],
    "Condition": [
        _IDENTIFIER,
        *_about(),
        _ENCOUNTER,
        _CODE,
        _p("category", TOKEN, "category"),
        _p("clinical-status", TOKEN, "clinicalStatus"),
        _p("verification-status", TOKEN, "verificationStatus"),
        _p("recorded-date", DATE, "recordedDate"),
        _p("onset-date", DATE, "onsetDateTime"),
    ],
    "AllergyIntolerance": [
        _IDENTIFIER,
        *_about("patient"),
        _CODE,
        _p("clinical-status", TOKEN, "clinicalStatus"),
        _p("verification-status", TOKEN, "verificationStatus"),
        _p("date", DATE, "recordedDate"),
    ],
    "MedicationRequest": [
        _IDENTIFIER,
        *_about(),
        _ENCOUNTER,
        _STATUS,
        _p("intent", TOKEN, "intent"),
        _p("authoredon", DATE, "authoredOn"),
        _p("code", TOKEN, "medicationCodeableConcept"),
        _p("requester", REFERENCE, "requester", "Practitioner"),
    ],
    "MedicationDispense": [
        _IDENTIFIER,
        *_about(),
        _p("context", REFERENCE, "context", "Encounter", indexed=True),
        _STATUS,
        _p("code", TOKEN, "medicationCodeableConcept"),
        _p("prescription", REFERENCE, "authorizingPrescription", "MedicationRequest", indexed=True),
        _p("whenhandedover", DATE, "whenHandedOver"),
    ],
    "DiagnosticReport": [
        _IDENTIFIER,
        *_about(),
        _ENCOUNTER,
        _STATUS,
        _CODE,
        _p("category", TOKEN, "category"),
        _p("date", DATE, "effectiveDateTime"),
        _p("issued", DATE, "issued"),
        _p("result", REFERENCE, "result", "Observation"),
    ],
    "Observation": [
        _IDENTIFIER,
        *_about(),
        _ENCOUNTER,
        _STATUS,
        _CODE,
        _p("category", TOKEN, "category"),
        _p("date", DATE, "effectiveDateTime"),
    ],
    "DocumentReference": [
        _IDENTIFIER,
        *_about(),
        _p("encounter", REFERENCE, "context.encounter", "Encounter", indexed=True),
        _STATUS,
        _p("type", TOKEN, "type"),
        _p("category", TOKEN, "category"),
        _p("date", DATE, "date"),
        _p("author", REFERENCE, "author", "Practitioner"),
    ],
    "Schedule": [
        _IDENTIFIER,
        _p("actor", REFERENCE, "actor", "Practitioner", indexed=True),
        _p("date", DATE, "planningHorizon"),
        _p("active", TOKEN, "active"),
        _p("specialty", TOKEN, "specialty"),
    ],
    "Slot": [
        _IDENTIFIER,
        _p("schedule", REFERENCE, "schedule", "Schedule", indexed=True),
        _p("start", DATE, "start"),
        _STATUS,
        _p("specialty", TOKEN, "specialty"),
    ],
    "Appointment": [
        _IDENTIFIER,
        _p("patient", REFERENCE, "participant.actor", "Patient"),
        _p("practitioner", REFERENCE, "participant.actor", "Practitioner"),
        _p("actor", REFERENCE, "participant.actor"),
        _p("date", DATE, "start"),
        _p("slot", REFERENCE, "slot", "Slot", indexed=True),
        _STATUS,
    ],
    "ServiceRequest": [
        _IDENTIFIER,
        *_about(),
        _ENCOUNTER,
        _STATUS,
        _CODE,
        _p("intent", TOKEN, "intent"),
        _p("authored", DATE, "authoredOn"),
    ],
    "ChargeItem": [
        _IDENTIFIER,
        *_about(),
        _p("context", REFERENCE, "context", "Encounter", indexed=True),
        _CODE,
        _p("entered-date", DATE, "enteredDate"),
        _p("occurrence", DATE, "occurrencePeriod"),
    ],
    "Invoice": [_IDENTIFIER, *_about(), _p("date", DATE, "date"), _STATUS],
    "PaymentNotice": [
        _IDENTIFIER,
        _STATUS,
        _p("created", DATE, "created"),
        _p("request", REFERENCE, "request", "Invoice", indexed=True),
    ],
}

_COMMON = [_p("_id", TOKEN, "id"), _p("_lastUpdated", DATE, "meta.lastUpdated")]
PARAMETERS: dict[str, dict[str, Parameter]] = {
    kind: {one.name: one for one in (*_COMMON, *own)} for kind, own in _TABLE.items()
}
INDEXED: dict[str, list[Parameter]] = {
    kind: [one for one in own if one.indexed] for kind, own in _TABLE.items()
}
RESULT_PARAMETERS = frozenset(
    {"_count", "_sort", "_include", "_revinclude", "_total", "_summary", "_format", "_pretty"}
)
WRITABLE = frozenset(
    {
        "Patient",
        "Encounter",
        "Condition",
        "DocumentReference",
        "MedicationRequest",
        "MedicationDispense",
        "Appointment",
        "ServiceRequest",
        "ChargeItem",
        "Invoice",
        "PaymentNotice",
    }
)
# the day by which the store sorts and narrows a type
DAY_OF = {
    "Patient": "birthdate",
    "Encounter": "date",
    "Condition": "recorded-date",
    "MedicationRequest": "authoredon",
    "DiagnosticReport": "date",
    "Observation": "date",
    "DocumentReference": "date",
    "Slot": "start",
    "Schedule": "date",
    "Appointment": "date",
}
