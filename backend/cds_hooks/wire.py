"""Bodies of CDS Hooks 2.0, and of FHIR R4 what is read of it. Unknown fields are left alone, as FHIR wants it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=500)]


class Coding(msgspec.Struct, frozen=True, omit_defaults=True):
    """https://hl7.org/fhir/R4/datatypes.html#Coding"""

    system: str = ""
    code: str = ""
    display: str = ""


class Concept(msgspec.Struct, frozen=True, omit_defaults=True):
    """https://hl7.org/fhir/R4/datatypes.html#CodeableConcept"""

    coding: list[Coding] = []
    text: str = ""

    def code_of(self, *systems: str) -> str:
        """The code in one of these systems; empty when there is none."""
        return next((one.code for one in self.coding if one.system in systems), "")


class Quantity(msgspec.Struct, frozen=True, omit_defaults=True):
    """https://hl7.org/fhir/R4/datatypes.html#Quantity"""

    value: Decimal = Decimal(0)
    unit: str = ""
    code: str = ""


class DoseAndRate(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Dose per time."""

    dose_quantity: Quantity | None = None


class Timing(msgspec.Struct, frozen=True, omit_defaults=True):
    """How often, as our code."""

    code: Concept | None = None


class Dosage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """https://hl7.org/fhir/R4/dosage.html"""

    timing: Timing | None = None
    route: Concept | None = None
    dose_and_rate: list[DoseAndRate] = []
    patient_instruction: str = ""


class Dispense(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Packs and days."""

    quantity: Quantity | None = None
    expected_supply_duration: Quantity | None = None


class Resource(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Any resource, with the fields that we read of the six kinds we know."""

    resource_type: str
    id: str = ""
    status: str = ""
    intent: str = ""
    medication_codeable_concept: Concept | None = None
    reason_code: list[Concept] = []
    dosage_instruction: list[Dosage] = []
    dispense_request: Dispense | None = None
    authored_on: str = ""
    gender: str = ""
    birth_date: date | None = None
    code: Concept | None = None
    clinical_status: Concept | None = None
    verification_status: Concept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None


class Entry(msgspec.Struct, frozen=True):
    """An entry of a bundle."""

    resource: Resource


class Bundle(msgspec.Struct, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/bundle.html"""

    resource_type: Literal["Bundle"] = "Bundle"
    type: str = "collection"
    entry: Annotated[list[Entry], Meta(max_length=200)] = []

    def of(self, kind: str) -> list[Resource]:
        """Resources of one kind, in order."""
        return [one.resource for one in self.entry if one.resource.resource_type == kind]


class HookContext(msgspec.Struct, frozen=True, rename="camel"):
    """Of `order-select` and `order-sign`; `selections` are references into the drafts."""

    user_id: Annotated[str, Meta(min_length=1, max_length=200)]
    patient_id: Annotated[str, Meta(min_length=1, max_length=200)]
    draft_orders: Bundle
    encounter_id: str = ""
    selections: list[str] = []


class Prefetch(msgspec.Struct, frozen=True):
    """What discovery asks for; what is missing is unknown, never empty."""

    patient: Resource | None = None
    conditions: Bundle | None = None
    allergies: Bundle | None = None
    observations: Bundle | None = None
    medications: Bundle | None = None


class HookRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A call of a service."""

    hook: str
    hook_instance: UUID
    context: HookContext
    prefetch: Prefetch = Prefetch()


class CardSource(msgspec.Struct, frozen=True):
    """`label` is the source, `topic` the rule."""

    label: str
    topic: Coding


class Card(msgspec.Struct, frozen=True, rename="camel"):
    """A card; there are no suggestions, since nothing here drafts a prescription."""

    uuid: UUID
    summary: Annotated[str, Meta(max_length=139)]
    detail: str
    indicator: Literal["info", "warning", "critical"]
    source: CardSource
    override_reasons: list[Coding]
    extension: dict[str, Any]


class HookAnswer(msgspec.Struct, frozen=True):
    """The cards."""

    cards: list[Card]


class OverrideReason(msgspec.Struct, frozen=True, rename="camel"):
    """Why a card was not followed."""

    reason: Coding | None = None
    user_comment: Text = ""


class Feedback(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a card; `override_reason` only where it was overridden (cds-fb)."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: datetime
    accepted_suggestions: list[dict[str, Any]] = []
    override_reason: OverrideReason | None = None


class FeedbackRequest(msgspec.Struct, frozen=True):
    """Feedback of one or more cards."""

    feedback: Annotated[list[Feedback], Meta(min_length=1, max_length=200)]
