"""What is read of FHIR resources: only the elements that an operation needs; whatever else is there is left alone."""

from decimal import Decimal
from typing import ClassVar

import msgspec


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Base of data types."""


class Identifier(_Part, frozen=True):
    """https://hl7.org/fhir/R4/datatypes.html#Identifier"""

    system: str = ""
    value: str = ""


class Reference(_Part, frozen=True):
    """A literal reference, a logical one (`identifier`), or only words (`display`)."""

    reference: str = ""
    display: str = ""
    identifier: Identifier | None = None


class Coding(_Part, frozen=True):
    """One code."""

    system: str = ""
    code: str = ""
    display: str = ""


class Concept(_Part, frozen=True):
    """CodeableConcept."""

    coding: list[Coding] = []
    text: str = ""

    def code_of(self, *systems: str) -> Coding | None:
        """The first coding of one of `systems`."""
        return next((one for one in self.coding if one.system in systems and one.code), None)

    def has(self, *codes: str) -> bool:
        """Whether one of `codes` occurs, whatever its system."""
        return any(one.code in codes for one in self.coding)

    def words(self) -> str:
        """The concept as a person reads it."""
        return self.text or next(
            (one.display or one.code for one in self.coding if one.display or one.code), ""
        )


class Period(_Part, frozen=True):
    """Start and end as FHIR dateTimes."""

    start: str = ""
    end: str = ""


class HumanName(_Part, frozen=True):
    """A name in parts, or as text."""

    text: str = ""
    family: str = ""
    given: list[str | None] = []


class Quantity(_Part, frozen=True):
    """`value` keeps the digits that were sent."""

    value: Decimal | None = None
    unit: str = ""
    code: str = ""
    comparator: str = ""


class Money(_Part, frozen=True):
    """An amount; `value` keeps the digits that were sent."""

    value: Decimal | None = None
    currency: str = ""


class Meta(_Part, frozen=True):
    """Of meta only the version and its time."""

    version_id: str = ""
    last_updated: str = ""


class Resource(_Part, frozen=True):
    """Base of resources. `TYPE` is the resource type, `SUBJECT` the element that names the patient."""

    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str] = "subject"
    id: str = ""
    identifier: list[Identifier] = []
    meta: Meta = Meta()

    def about(self) -> Reference:
        """Whom the resource is about."""
        found: Reference = getattr(self, self.SUBJECT)
        return found

    def identified_by(self, system: str) -> str:
        """The first identifier of this system; empty without one."""
        return next((one.value for one in self.identifier if one.system == system), "")

    def has_identifier(self, system: str, value: str) -> bool:
        """Whether it bears this identifier."""
        return any(one.system == system and one.value == value for one in self.identifier)


class PatientLink(_Part, frozen=True):
    """`type`: replaced-by, replaces, refer, seealso."""

    other: Reference = Reference()
    type: str = ""


class Patient(Resource, frozen=True):
    """https://hl7.org/fhir/R4/patient.html"""

    TYPE: ClassVar[str] = "Patient"
    active: bool = True
    name: list[HumanName] = []
    gender: str = ""
    birth_date: str = ""
    link: list[PatientLink] = []

    def about(self) -> Reference:
        """A patient is about himself."""
        return Reference(f"Patient/{self.id}")


class Participant(_Part, frozen=True):
    """Who took part in an encounter."""

    individual: Reference = Reference()


class EncounterDiagnosis(_Part, frozen=True):
    """`condition` may be a literal reference or only words."""

    condition: Reference = Reference()
    rank: int | None = None


class Encounter(Resource, frozen=True):
    """https://hl7.org/fhir/R4/encounter.html"""

    TYPE: ClassVar[str] = "Encounter"
    status: str = ""
    class_: Coding = msgspec.field(name="class", default=Coding())
    type: list[Concept] = []
    service_type: Concept = Concept()
    subject: Reference = Reference()
    participant: list[Participant] = []
    period: Period = Period()
    diagnosis: list[EncounterDiagnosis] = []
    reason_code: list[Concept] = []
    service_provider: Reference = Reference()


class Condition(Resource, frozen=True):
    """https://hl7.org/fhir/R4/condition.html"""

    TYPE: ClassVar[str] = "Condition"
    clinical_status: Concept = Concept()
    verification_status: Concept = Concept()
    code: Concept = Concept()
    subject: Reference = Reference()
    encounter: Reference = Reference()


class AllergyIntolerance(Resource, frozen=True):
    """https://hl7.org/fhir/R4/allergyintolerance.html"""

    TYPE: ClassVar[str] = "AllergyIntolerance"
    SUBJECT: ClassVar[str] = "patient"
    clinical_status: Concept = Concept()
    verification_status: Concept = Concept()
    code: Concept = Concept()
    patient: Reference = Reference()


class Dosage(_Part, frozen=True):
    """Of a dosage only the words."""

    text: str = ""
    patient_instruction: str = ""


class DispenseRequest(_Part, frozen=True):
    """How long the supply lasts."""

    expected_supply_duration: Quantity = Quantity()


class MedicationRequest(Resource, frozen=True):
    """https://hl7.org/fhir/R4/medicationrequest.html"""

    TYPE: ClassVar[str] = "MedicationRequest"
    status: str = ""
    intent: str = ""
    medication_codeable_concept: Concept = Concept()
    medication_reference: Reference = Reference()
    subject: Reference = Reference()
    authored_on: str = ""
    dosage_instruction: list[Dosage] = []
    dispense_request: DispenseRequest = DispenseRequest()


class Range(_Part, frozen=True):
    """A reference range."""

    low: Quantity = Quantity()
    high: Quantity = Quantity()
    text: str = ""


class Component(_Part, frozen=True):
    """A value inside an observation (systolic, diastolic)."""

    code: Concept = Concept()
    value_quantity: Quantity | None = None
    value_string: str = ""
    value_codeable_concept: Concept | None = None
    interpretation: list[Concept] = []
    reference_range: list[Range] = []


class Observation(Resource, frozen=True):
    """https://hl7.org/fhir/R4/observation.html"""

    TYPE: ClassVar[str] = "Observation"
    status: str = ""
    code: Concept = Concept()
    subject: Reference = Reference()
    value_quantity: Quantity | None = None
    value_string: str = ""
    value_codeable_concept: Concept | None = None
    value_integer: int | None = None
    interpretation: list[Concept] = []
    reference_range: list[Range] = []
    component: list[Component] = []


class Invoice(Resource, frozen=True):
    """https://hl7.org/fhir/R4/invoice.html"""

    TYPE: ClassVar[str] = "Invoice"
    status: str = ""
    type: Concept = Concept()
    subject: Reference = Reference()
    date: str = ""
    total_gross: Money = Money()


class Extension(_Part, frozen=True):
    """Of the many types of value only whole numbers."""

    url: str = ""
    value_integer: int | None = None


class PackAmount(_Part, frozen=True):
    """`amount.numerator` of a Medication: one pack, in words."""

    numerator: Quantity = Quantity()


class Medication(Resource, frozen=True):
    """https://hl7.org/fhir/R4/medication.html"""

    TYPE: ClassVar[str] = "Medication"
    status: str = ""
    extension: list[Extension] = []
    amount: PackAmount = PackAmount()


class PriceComponent(_Part, frozen=True):
    """`type` base is the price itself; surcharge, deduction, discount, tax are not."""

    type: str = ""
    amount: Money = Money()


class PropertyGroup(_Part, frozen=True):
    """Price components that hold together."""

    price_component: list[PriceComponent] = []


class ChargeItemDefinition(Resource, frozen=True):
    """https://hl7.org/fhir/R4/chargeitemdefinition.html"""

    TYPE: ClassVar[str] = "ChargeItemDefinition"
    status: str = ""
    title: str = ""
    effective_period: Period = Period()
    property_group: list[PropertyGroup] = []


class ChargeItem(Resource, frozen=True):
    """https://hl7.org/fhir/R4/chargeitem.html"""

    TYPE: ClassVar[str] = "ChargeItem"
    status: str = ""
    code: Concept = Concept()
    subject: Reference = Reference()
    occurrence_period: Period = Period()


class DiagnosticReport(Resource, frozen=True):
    """https://hl7.org/fhir/R4/diagnosticreport.html ; `contained` is decoded when a result points into it."""

    TYPE: ClassVar[str] = "DiagnosticReport"
    status: str = ""
    category: list[Concept] = []
    code: Concept = Concept()
    subject: Reference = Reference()
    effective_date_time: str = ""
    issued: str = ""
    result: list[Reference] = []
    conclusion: str = ""
    contained: list[msgspec.Raw] = []


class Practitioner(Resource, frozen=True):
    """https://hl7.org/fhir/R4/practitioner.html: only the identifiers."""

    TYPE: ClassVar[str] = "Practitioner"


class Schedule(Resource, frozen=True):
    """https://hl7.org/fhir/R4/schedule.html"""

    TYPE: ClassVar[str] = "Schedule"
    active: bool | None = None
    specialty: list[Concept] = []
    actor: list[Reference] = []


class Slot(Resource, frozen=True):
    """https://hl7.org/fhir/R4/slot.html"""

    TYPE: ClassVar[str] = "Slot"
    schedule: Reference = Reference()
    status: str = ""
    start: str = ""
    end: str = ""


class WrittenParticipant(_Part, frozen=True):
    """Who takes part in an appointment; an encounter's participants are never patients."""

    actor: Reference = Reference()


class Written(Resource, frozen=True):
    """What is read of a resource that was written back, whatever its type."""

    TYPE: ClassVar[str] = ""
    resource_type: str = ""
    status: str = ""
    subject: Reference = Reference()
    patient: Reference = Reference()
    participant: list[WrittenParticipant] = []
    slot: list[Reference] = []

    def about(self) -> Reference:
        """Whom it is about, whichever element its type has for that."""
        if self.subject.reference or self.patient.reference:
            return self.subject if self.subject.reference else self.patient
        actors = (one.actor for one in self.participant)
        return next((one for one in actors if "Patient/" in one.reference), Reference())


class IssueText(_Part, frozen=True):
    """One issue of an OperationOutcome."""

    severity: str = ""
    code: str = ""
    diagnostics: str = ""
    details: Concept = Concept()


class OperationOutcome(_Part, frozen=True):
    """https://hl7.org/fhir/R4/operationoutcome.html"""

    issue: list[IssueText] = []


class Mode(_Part, frozen=True):
    """match, include or outcome."""

    mode: str = ""


class BundleEntry(_Part, frozen=True):
    """One entry; the resource stays undecoded until its type is known."""

    resource: msgspec.Raw = msgspec.Raw(b"null")
    search: Mode = Mode()


class BundleLink(_Part, frozen=True):
    """self, next …"""

    relation: str = ""
    url: str = ""


class Bundle(_Part, frozen=True):
    """https://hl7.org/fhir/R4/bundle.html"""

    resource_type: str = ""
    type: str = ""
    link: list[BundleLink] = []
    entry: list[BundleEntry] = []


class Kind(_Part, frozen=True):
    """Enough to know what a resource is."""

    resource_type: str = ""
    id: str = ""
