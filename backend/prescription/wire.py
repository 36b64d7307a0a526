"""Structs of the prescription routes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.formulary.facts import Drug
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.rules import LIVERS, POINTS, TEST_GROUPS, asked, stated_words
from backend.prescription.signing import Renewed
from backend.prescription.states import PRESCRIPTION
from backend.review.draft import (
    ONCE,
    ROUTES,
    TIMES_PER_DAY,
    Answer,
    Draft,
    Finding,
    Item,
    Liver,
    Stated,
    StatedTest,
    Taking,
)
from contracts import his
from contracts.events import Diagnosis, PrescriptionItem
from contracts.money import Fen

Code = Annotated[str, Meta(min_length=1, max_length=30)]
Decimals = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$(?!\n)")]


class WriteItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: dose per time in the drug's dose unit, frequency code, route code, days, packs.

    `renews` is the earlier prescription that the line continues, and is signed with it.
    """

    drug_code: Code
    dose: Decimals
    frequency: Annotated[str, Meta(max_length=10)]
    route: Annotated[str, Meta(max_length=5)]
    days: Annotated[int, Meta(ge=1, le=84)]
    quantity: Annotated[int, Meta(ge=1, le=200)]
    note: Annotated[str, Meta(max_length=100)] = ""
    renews: UUID | None = None

    def item(self) -> Item:
        """For the engine."""
        return Item(
            self.drug_code, self.dose, self.frequency, self.route, self.days, self.quantity, self.note
        )


class WriteSkinTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A skin test: allergy group, result, day."""

    group: Annotated[str, Meta(min_length=1, max_length=40)]
    negative: bool
    tested_on: date


class WritePatient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the doctor states about the patient; left out, it is unknown. `egfr` in ml/min/1.73 m²."""

    pregnancy: Answer = Answer.UNKNOWN
    lactation: Answer = Answer.UNKNOWN
    egfr: Annotated[int, Meta(ge=1, le=250)] | None = None
    liver: Liver = Liver.UNKNOWN
    weight_kg: Annotated[str, Meta(pattern=r"^([0-9]{1,3}(\.[0-9]{1,2})?)?$(?!\n)")] = ""
    taking: Annotated[list[Code], Meta(max_length=30)] = []
    skin_tests: Annotated[list[WriteSkinTest], Meta(max_length=5)] = []

    def stated(self) -> Stated:
        """For the engine."""
        tests = [StatedTest(one.group, one.negative, one.tested_on) for one in self.skin_tests]
        return Stated(
            self.pregnancy, self.lactation, self.egfr, self.liver, self.weight_kg, list(self.taking), tests
        )


class WritePrescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft: lines, the confirmed diagnoses it is for (codes), a reason where one is needed, facts about the patient.

    `prescription_id` says which one is looked at when only a check is asked for, so that it is not compared with itself.
    """

    items: Annotated[list[WriteItem], Meta(max_length=20)]
    diagnosis_codes: Annotated[list[Code], Meta(max_length=10)]
    reason: Annotated[str, Meta(max_length=200)] = ""
    valid_days: int = 1
    allergies: Annotated[str, Meta(max_length=100)] = ""
    kind: Annotated[str, Meta(pattern="^(emergency)?$")] = ""
    patient: WritePatient = WritePatient()
    prescription_id: UUID | None = None

    def draft(self, confirmed: list[Diagnosis]) -> Draft:
        """For the engine; names come from the confirmed diagnoses."""
        names = {diagnosis.code: diagnosis.name for diagnosis in confirmed}
        items = [one.item() for one in self.items]
        diagnoses = [Diagnosis(code, names.get(code, code)) for code in self.diagnosis_codes]
        return Draft(items, diagnoses, self.reason, self.kind, self.patient.stated())

    def renews(self) -> dict[int, UUID]:
        """What lines (from 0) continue."""
        return {line: one.renews for line, one in enumerate(self.items) if one.renews is not None}


class Findings(msgspec.Struct, frozen=True):
    """What the engine says; `blocked` means it cannot be signed like this."""

    findings: list[Finding]
    blocked: bool


class ReturnRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it goes back: part of the review, its point (`rules.POINTS`, may be left out), line (from 0) and words."""

    category: Annotated[str, Meta(pattern="^(legality|form|appropriateness)$")]
    reason: Annotated[str, Meta(min_length=2, max_length=200)]
    item: Annotated[int, Meta(ge=0, le=4)] | None = None
    point: Annotated[str, Meta(max_length=4)] = ""


class Choice(msgspec.Struct, frozen=True):
    """Something that can be chosen, and how it is called."""

    code: str
    name: str


class Frequency(msgspec.Struct, frozen=True):
    """How often: `times` in `per_days` days (每周两次: 2 in 7); `once` is a single dose, however many days are written."""

    code: str
    name: str
    times: int
    per_days: int
    once: bool


FREQUENCIES = [
    Frequency(code, name, times.numerator, times.denominator, code == ONCE)
    for code, (times, name) in TIMES_PER_DAY.items()
]
USES = [Choice(code, name) for code, name in ROUTES.items()]


class StatedBefore(msgspec.Struct, frozen=True):
    """What was stated on another prescription of this visit; the doctor looks it through before it is stated again."""

    stated: Stated
    taking: list[Choice]
    prescriber: str
    stated_at: datetime | None


class PrescribingForm(msgspec.Struct, frozen=True):
    """What an editor offers: every frequency and route there is; `asks` are the fields of `patient` that fit this person, with the words of their values."""

    frequencies: list[Frequency]
    routes: list[Choice]
    asks: list[str]
    livers: list[Choice]
    test_groups: list[Choice]
    before: StatedBefore | None


def prescribing_form(
    sex: str, age: int, groups: Sequence[str], last: PrescriptionRow | None, names: Mapping[str, str]
) -> PrescribingForm:
    """From the person, the groups that are tested for, and the prescription of this visit that stated facts last."""
    before = None
    if last is not None and last.content.stated is not None:
        content, stated = last.content, last.content.stated
        before = StatedBefore(stated, _named(stated, names), content.prescriber, content.stated_at)
    return PrescribingForm(
        FREQUENCIES,
        USES,
        asked(sex, age),
        [Choice(code, words) for code, words in LIVERS.items()],
        [Choice(code, TEST_GROUPS.get(code, code)) for code in groups],
        before,
    )


def _named(stated: Stated, names: Mapping[str, str]) -> list[Choice]:
    return [Choice(code, names.get(code, code)) for code in stated.taking]


class Beside(msgspec.Struct, frozen=True):
    """What a doctor has beside the editor: the hospital's history (or `why_not`), and what the patient still has at home."""

    history: his.HistoryReply | None
    why_not: str
    taking: list[Taking]


class ProposedLine(msgspec.Struct, frozen=True):
    """A line of an earlier prescription as it was written; `drug` is None when the hospital no longer has it."""

    written: Item
    name: str
    strength: str
    drug: Drug | None


class Proposal(msgspec.Struct, frozen=True):
    """An earlier prescription to be continued: every line of it has to be confirmed by the doctor."""

    prescription_id: UUID
    number: str
    signed_at: datetime
    prescriber: str
    diagnoses: list[Diagnosis]
    lines: list[ProposedLine]


def proposal(row: PrescriptionRow, drugs: Mapping[str, Drug]) -> Proposal:
    """From the row."""
    content = row.content
    lines = [
        ProposedLine(written, item.name, item.strength, drugs.get(written.drug_code))
        for written, item in zip(content.written, content.items, strict=True)
    ]
    return Proposal(
        row.id, row.number, row.signed_at or row.written_at, content.prescriber, content.diagnoses, lines
    )


class CancelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is withdrawn."""

    reason: Annotated[str, Meta(min_length=2, max_length=200)]


class PrescriptionView(msgspec.Struct, frozen=True):
    """A prescription; `stated_words` says in words what the prescriber stated about the patient, at `stated_at`."""

    id: UUID
    encounter_id: UUID
    number: str
    state: str
    state_label: str
    patient_name: str
    patient_sex: str
    patient_age: int
    department: str
    prescriber: str
    diagnoses: list[Diagnosis]
    items: list[PrescriptionItem]
    written: list[Item]
    total: Fen
    reason: str
    allergies: str
    valid_days: int
    findings: list[Finding]
    signed_at: datetime | None
    valid_until: datetime | None
    reviewed_at: datetime | None
    return_category: str
    return_item: int | None
    return_reason: str
    return_point: str
    second_eyes: str
    confirmed: bool
    digest: str
    kind: str
    stated: Stated
    stated_at: datetime | None
    stated_words: list[str]
    taking: list[Choice]
    renews: list[Renewed]


def prescription_view(
    row: PrescriptionRow, last: Review | None = None, names: Mapping[str, str] | None = None
) -> PrescriptionView:
    """From the rows; `names` of the drugs that are stated as bought elsewhere."""
    content, known = row.content, names or {}
    stated = content.stated or Stated()
    returned = last if last is not None and not last.approved else None
    return PrescriptionView(
        id=row.id, encounter_id=row.encounter_id, number=row.number, state=row.state,
        state_label=PRESCRIPTION.labels[row.state], patient_name=content.patient_name,
        patient_sex=content.patient_sex, patient_age=content.patient_age, department=content.department,
        prescriber=content.prescriber, diagnoses=content.diagnoses, items=content.items, written=content.written,
        total=content.total, reason=content.reason, allergies=content.allergies, valid_days=content.valid_days,
        findings=row.findings, signed_at=row.signed_at, valid_until=row.valid_until, reviewed_at=row.reviewed_at,
        return_category=returned.category if returned else "", return_item=returned.item if returned else None,
        return_reason=returned.reason if returned else "",
        return_point=POINTS[returned.point].words if returned and returned.point in POINTS else "",
        second_eyes=row.second_eyes, confirmed=row.confirmed_by is not None,
        digest=row.digest.hex(), kind=content.kind, stated=stated, stated_at=content.stated_at,
        stated_words=stated_words(stated, known), taking=_named(stated, known), renews=content.renews,
    )  # fmt: skip
