"""A believable sample of every supervised event, and the envelopes they travel in. Everybody in it is made up.

`a_visit()` and the blocks have defaults for everything; an event is changed with `msgspec.structs.replace`. `Feed` numbers and
chains events as the hospital's sealer does.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from contracts import events as e
from contracts.envelope import Envelope
from foundation.chain import GENESIS, link
from foundation.db.outbox import digest_of

HOSPITAL_ID = UUID("01930000-0000-7000-8000-000000000001")
MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
"""09:00 in Shanghai."""

PATIENT = e.Person(
    person_id=UUID("01930000-0000-7000-8000-0000000000a1"), name="沈秀英", id_number="31011419700315002X", sex="female",
    birth_date=date(1970, 3, 15), phone="19900000001",
)  # fmt: skip
CHILD = e.Person(
    person_id=UUID("01930000-0000-7000-8000-0000000000a2"), name="沈乐乐", id_number="310114202309010058", sex="male",
    birth_date=date(2023, 9, 1), phone="19900000002",
)  # fmt: skip
GUARDIAN = e.Guardian(name="周丽", id_number="310114199002020062", phone="19900000002", relation="母亲")
DOCTOR = e.Practitioner(
    practitioner_id=UUID("01930000-0000-7000-8000-0000000000b1"), code="D0001", name="顾明远", id_number="310114197506010010",
    licence_number="110310114000001", title_code="232", title_name="副主任医师",
)  # fmt: skip
PHARMACIST = e.Practitioner(
    practitioner_id=UUID("01930000-0000-7000-8000-0000000000b2"), code="P0001", name="陆静", id_number="310114198808080035",
    licence_number="210310114000001", title_code="243", title_name="主管药师",
)  # fmt: skip
DISPENSER = e.Practitioner(
    practitioner_id=UUID("01930000-0000-7000-8000-0000000000b3"), code="P0002", name="何文", id_number="310114199208080052",
    licence_number="210310114000002", title_code="244", title_name="药师",
)  # fmt: skip
ELDERLY_CARE = e.Department(code="LNK", name="老年科", subject_code="03.10", subject_name="老年病专业")
HYPERTENSION = e.Diagnosis(code="I10.x00x002", name="高血压病")


def a_visit(
    patient: e.Person = PATIENT, guardian: e.Guardian | None = None, kind: str = "follow_up"
) -> e.Visit:
    """One visit with numbers of its own."""
    return e.Visit(
        appointment_id=uuid4(), encounter_id=uuid4(), patient=patient, practitioner=DOCTOR, department=ELDERLY_CARE,
        starts_at=MORNING, ends_at=MORNING + timedelta(minutes=15), serial_number=3, kind=kind, guardian=guardian,
    )  # fmt: skip


def a_payment(amount: int = 3000) -> e.Money:
    """Paid by WeChat."""
    return e.Money(
        amount=amount,
        channel="2",
        trade_number=f"42000{uuid4().int % 10**20:020d}",
        price_list_version="2026-11",
    )


def a_prescription() -> e.Prescription:
    """One drug for a week."""
    item = e.PrescriptionItem(
        drug_code="YP001", name="苯磺酸氨氯地平片", strength="5mg", form_code="01", manufacturer="申江示范制药", dose="5",
        dose_unit="mg", frequency_code="QD", frequency_name="每日一次", route_code="1", route_name="口服", days=7, quantity=1,
        pack="28片/盒", pack_unit="盒", unit_price=1860, amount=1860,
    )  # fmt: skip
    return e.Prescription(
        prescription_id=uuid4(), number=f"CF{uuid4().int % 10**10:010d}", lookup_id=uuid4().hex, kind="1",
        diagnoses=[HYPERTENSION], items=[item], total=1860, allergies="无", disease_history="高血压病五年，血压控制平稳。",
        valid_from=MORNING + timedelta(minutes=10), valid_until=MORNING + timedelta(hours=15), content_digest="ab" * 32,
    )  # fmt: skip


def identity_verified() -> e.IdentityVerified:
    """The patient is who she says."""
    return e.IdentityVerified(
        person=PATIENT, subject_kind="patient", method="id_number_and_name", result="match", provider="实名核验服务",
        provider_serial="RN20261120000001", verified_at=MORNING - timedelta(hours=1),
    )  # fmt: skip


def eligibility_decided() -> e.EligibilityDecided:
    """Diagnosed ten days ago."""
    return e.EligibilityDecided(
        decision_id=uuid4(), person=PATIENT, diagnosis_code=HYPERTENSION.code, outcome="eligible", reason="",
        rule_version="2026-11", evidence_visit_id="V20261110001", evidence_code="I10", evidence_date=date(2026, 11, 10),
        decided_at=MORNING - timedelta(minutes=50),
    )  # fmt: skip


def appointment_booked(visit: e.Visit) -> e.AppointmentBooked:
    """Paid for."""
    return e.AppointmentBooked(
        visit=visit, booked_at=MORNING - timedelta(minutes=45), booked_by="self", payment=a_payment()
    )


def appointment_cancelled(visit: e.Visit) -> e.AppointmentCancelled:
    """Given back."""
    return e.AppointmentCancelled(
        visit=visit, cancelled_at=MORNING - timedelta(minutes=30), by="patient", reason="临时有事"
    )


def appointment_moved(visit: e.Visit) -> e.AppointmentMoved:
    """To another day."""
    return e.AppointmentMoved(
        visit=visit, moved_at=MORNING - timedelta(minutes=40), by="hospital", reason="医生停诊",
        from_starts_at=MORNING - timedelta(days=1),
    )  # fmt: skip


def record_viewed(visit: e.Visit) -> e.RecordViewed:
    """The doctor reads up."""
    return e.RecordViewed(
        view_id=uuid4(), visit=visit, viewer=DOCTOR, purpose="treatment", archives=["EMR", "LIS"],
        resource_hashes=["cd" * 32, "ef" * 32], viewed_at=MORNING + timedelta(minutes=1),
    )  # fmt: skip


def encounter_started(visit: e.Visit) -> e.EncounterStarted:
    """Accepted, and confirmed as a follow-up."""
    return e.EncounterStarted(
        visit=visit, started_at=MORNING + timedelta(minutes=1), follow_up_confirmed=True, original_diagnosis=HYPERTENSION,
        diagnosis_confirmed_on=date(2026, 11, 10),
    )  # fmt: skip


def encounter_declined(visit: e.Visit) -> e.EncounterDeclined:
    """Nobody accepted in time."""
    return e.EncounterDeclined(
        visit=visit, declined_at=MORNING + timedelta(minutes=30), refuse_type="2", reason="医师超时未接诊",
        original_diagnosis=HYPERTENSION,
    )  # fmt: skip


def consultation_started(visit: e.Visit) -> e.ConsultationStarted:
    """The doctor took the question."""
    return e.ConsultationStarted(visit=visit, started_at=MORNING + timedelta(minutes=1))


def consultation_declined(visit: e.Visit) -> e.ConsultationDeclined:
    """Nobody took it in time."""
    return e.ConsultationDeclined(
        visit=visit, question="孕期可以吃海鲜吗", declined_at=MORNING + timedelta(minutes=30), refuse_type="2",
        reason="医师超时未接诊",
    )  # fmt: skip


def consultation_completed(visit: e.Visit) -> e.ConsultationCompleted:
    """Answered."""
    return e.ConsultationCompleted(
        visit=visit, applied_at=MORNING - timedelta(minutes=45), started_at=MORNING + timedelta(minutes=1),
        completed_at=MORNING + timedelta(minutes=14), question="饮食上要注意什么", answer="少盐，多吃蔬菜，规律运动。",
        payment=a_payment(), process_data_reference=f"recordings/{visit.appointment_id}",
    )  # fmt: skip


def consultation_discontinued(visit: e.Visit) -> e.ConsultationDiscontinued:
    """She should come to the hospital."""
    return e.ConsultationDiscontinued(
        visit=visit, question="胸口疼怎么办", started_at=MORNING + timedelta(minutes=1),
        discontinued_at=MORNING + timedelta(minutes=3), reason="请尽快到医院就诊",
    )  # fmt: skip


def encounter_completed(visit: e.Visit) -> e.EncounterCompleted:
    """Finished."""
    return e.EncounterCompleted(
        visit=visit, applied_at=MORNING - timedelta(minutes=45), started_at=MORNING + timedelta(minutes=1),
        completed_at=MORNING + timedelta(minutes=14), disease_history="高血压病五年，血压控制平稳。",
        original_diagnosis=HYPERTENSION, diagnoses=[HYPERTENSION], payment=a_payment(),
        process_data_reference=f"recordings/{visit.appointment_id}",
    )  # fmt: skip


def encounter_discontinued(visit: e.Visit) -> e.EncounterDiscontinued:
    """Sent to the physical hospital."""
    return e.EncounterDiscontinued(
        visit=visit, started_at=MORNING + timedelta(minutes=1), discontinued_at=MORNING + timedelta(minutes=6),
        reason="血压明显升高，需到医院就诊", original_diagnosis=HYPERTENSION,
    )  # fmt: skip


def record_signed(visit: e.Visit) -> e.RecordSigned:
    """The record of the visit."""
    return e.RecordSigned(
        visit=visit, record_id=uuid4(), record_version=1, chief_complaint="复诊续方", present_history="血压控制平稳，无不适。",
        examination="家庭自测血压 128/78 mmHg", opinion="继续原方案，四周后复诊。", diagnoses=[HYPERTENSION],
        signed_at=MORNING + timedelta(minutes=12), content_digest="12" * 32, signature="c2lnbmF0dXJl",
    )  # fmt: skip


def record_amended(visit: e.Visit) -> e.RecordAmended:
    """A second version."""
    first = msgspec.structs.asdict(record_signed(visit))
    return e.RecordAmended(**(first | {"record_version": 2}), amendment_reason="补充体征")


def prescription_signed(visit: e.Visit, prescription: e.Prescription) -> e.PrescriptionSigned:
    """By the doctor."""
    return e.PrescriptionSigned(
        visit=visit,
        prescription=prescription,
        signed_at=MORNING + timedelta(minutes=10),
        signature="ZG9jdG9y",
    )


def prescription_approved(visit: e.Visit, prescription: e.Prescription) -> e.PrescriptionApproved:
    """By a pharmacist."""
    return e.PrescriptionApproved(
        visit=visit, prescription=prescription, pharmacist=PHARMACIST, approved_at=MORNING + timedelta(minutes=13),
        signature="cGhhcm1hY2lzdA==", rational=True, findings=[],
    )  # fmt: skip


def prescription_returned(visit: e.Visit, prescription: e.Prescription) -> e.PrescriptionReturned:
    """To the doctor."""
    return e.PrescriptionReturned(
        visit=visit, prescription=prescription, pharmacist=PHARMACIST, returned_at=MORNING + timedelta(minutes=12),
        category="appropriateness", reason="用法用量请核对",
    )  # fmt: skip


def prescription_cancelled(visit: e.Visit, prescription: e.Prescription) -> e.PrescriptionCancelled:
    """Withdrawn."""
    return e.PrescriptionCancelled(
        visit=visit,
        prescription=prescription,
        cancelled_at=MORNING + timedelta(minutes=13),
        reason="患者要求到院取药",
    )


def prescription_expired(visit: e.Visit, prescription: e.Prescription) -> e.PrescriptionExpired:
    """Reviewed, never paid."""
    return e.PrescriptionExpired(
        visit=visit,
        prescription=prescription,
        pharmacist=PHARMACIST,
        expired_at=MORNING + timedelta(hours=15),
    )


def dispense_completed(visit: e.Visit, prescription: e.Prescription) -> e.DispenseCompleted:
    """Delivered by a courier."""
    return e.DispenseCompleted(
        visit=visit, prescription=prescription, pharmacist=PHARMACIST, approved_at=MORNING + timedelta(minutes=13), findings=[],
        payment=a_payment(2860), dispense_id=uuid4(), delivery_type="2", carrier="示范快递", carrier_person="快递员甲",
        waybill="SF0000000001", delivery_fee=1000, handed_over_at=MORNING + timedelta(hours=2),
        completed_at=MORNING + timedelta(hours=8), receiver=visit.patient.name,
        prepared_by=DISPENSER, prepared_at=MORNING + timedelta(hours=1), checked_by=PHARMACIST, issued_by=PHARMACIST,
    )  # fmt: skip


def payment_confirmed(visit: e.Visit, payment_id: UUID) -> e.PaymentConfirmed:
    """The registration fee."""
    return e.PaymentConfirmed(
        payment_id=payment_id, subject_kind="appointment", subject_id=visit.appointment_id, person=visit.patient,
        payment=a_payment(), tenders={"wechat_cash": 3000, "ins_gov": 0}, paid_at=MORNING - timedelta(minutes=45),
    )  # fmt: skip


def refund_succeeded(visit: e.Visit, payment_id: UUID) -> e.RefundSucceeded:
    """All of it back."""
    return e.RefundSucceeded(
        refund_id=uuid4(), payment_id=payment_id, subject_kind="appointment", subject_id=visit.appointment_id,
        person=visit.patient, amount=3000, reason="患者取消预约", provider_refund_number="50300000000000000001",
        succeeded_at=MORNING - timedelta(minutes=29),
    )  # fmt: skip


def evaluation_submitted(visit: e.Visit) -> e.EvaluationSubmitted:
    """Four stars."""
    return e.EvaluationSubmitted(
        evaluation_id=uuid4(),
        visit=visit,
        satisfaction=4,
        score=9,
        text="医生很耐心。",
        submitted_at=MORNING + timedelta(hours=9),
    )


def complaint_filed(visit: e.Visit) -> e.ComplaintFiled:
    """About the wait."""
    return e.ComplaintFiled(
        complaint_id=uuid4(),
        person=visit.patient,
        visit=visit,
        text="等待时间太长。",
        filed_at=MORNING + timedelta(hours=1),
    )


def adverse_event_reported(visit: e.Visit) -> e.AdverseEventReported:
    """A mild reaction."""
    return e.AdverseEventReported(
        event_number=f"AE{uuid4().int % 10**8:08d}", person=visit.patient, visit=visit, description="服药后踝部水肿",
        happened_at=MORNING + timedelta(hours=10), cause="药品不良反应", measures="停药观察并电话随访", damage_degree="轻度",
        improvements="加强用药交代", reported_by=DOCTOR, department=ELDERLY_CARE, reported_at=MORNING + timedelta(hours=11),
    )  # fmt: skip


def practitioner_changed() -> e.PractitionerChanged:
    """Filed."""
    return e.PractitionerChanged(
        practitioner=DOCTOR, kind="doctor", departments=[ELDERLY_CARE], filed_until=date(2028, 12, 31), active=True,
        changed_at=MORNING - timedelta(days=1),
    )  # fmt: skip


def drug_catalogue_changed() -> e.DrugCatalogueChanged:
    """Two drugs, one of them withdrawn."""
    drug = e.CatalogueDrug(
        code="YP001", name="苯磺酸氨氯地平片", trade_name="示络平", drug_class="060303", strength="5mg", form_code="01",
        pack="28片/盒", manufacturer="申江示范制药", national_code="", price=1860, valid=True,
    )  # fmt: skip
    other = msgspec.structs.replace(
        drug, code="YP002", name="硝苯地平控释片", strength="30mg", pack="7片/盒", valid=False
    )
    return e.DrugCatalogueChanged(
        catalogue_version="2026-11-20", drugs=[drug, other], changed_at=MORNING - timedelta(days=1)
    )


def one_of_each() -> list[tuple[str, Any]]:
    """(stream, event) for every type, in an order in which they could happen: several visits, each in its own stream."""
    seen, cancelled, declined, stopped, returned = (a_visit() for _ in range(5))
    asked, unheard, sent_on = (a_visit(kind="consultation") for _ in range(3))
    filled, expired, withdrawn = (a_prescription() for _ in range(3))
    payment = uuid4()
    visits = [
        (seen, appointment_booked(seen)),
        (cancelled, appointment_booked(cancelled)),
        (cancelled, payment_confirmed(cancelled, payment)),
        (cancelled, appointment_moved(cancelled)),
        (cancelled, appointment_cancelled(cancelled)),
        (cancelled, refund_succeeded(cancelled, payment)),
        (declined, appointment_booked(declined)),
        (declined, encounter_declined(declined)),
        (stopped, appointment_booked(stopped)),
        (stopped, encounter_started(stopped)),
        (stopped, encounter_discontinued(stopped)),
        (asked, appointment_booked(asked)),
        (asked, consultation_started(asked)),
        (asked, consultation_completed(asked)),
        (unheard, appointment_booked(unheard)),
        (unheard, consultation_declined(unheard)),
        (sent_on, appointment_booked(sent_on)),
        (sent_on, consultation_discontinued(sent_on)),
        (returned, appointment_booked(returned)),
        (returned, encounter_started(returned)),
        (returned, prescription_signed(returned, withdrawn)),
        (returned, prescription_returned(returned, withdrawn)),
        (returned, prescription_cancelled(returned, withdrawn)),
        (returned, prescription_signed(returned, expired)),
        (returned, prescription_approved(returned, expired)),
        (returned, encounter_completed(returned)),
        (returned, prescription_expired(returned, expired)),
        (seen, record_viewed(seen)),
        (seen, encounter_started(seen)),
        (seen, prescription_signed(seen, filled)),
        (seen, record_signed(seen)),
        (seen, prescription_approved(seen, filled)),
        (seen, encounter_completed(seen)),
        (seen, record_amended(seen)),
        (seen, dispense_completed(seen, filled)),
        (seen, evaluation_submitted(seen)),
        (seen, complaint_filed(seen)),
        (seen, adverse_event_reported(seen)),
    ]
    return [
        ("catalogue", drug_catalogue_changed()),
        (f"practitioner:{DOCTOR.practitioner_id}", practitioner_changed()),
        (f"person:{PATIENT.person_id}", identity_verified()),
        (f"person:{PATIENT.person_id}", eligibility_decided()),
        *((f"visit:{visit.appointment_id}", event) for visit, event in visits),
    ]


def samples() -> dict[str, Any]:
    """One event of each type, by its name."""
    return {event.TYPE: event for _, event in one_of_each()}


@dataclass
class Feed:
    """Numbers, digests and chains events as the sealer does, from 1 on."""

    hospital_id: UUID = HOSPITAL_ID
    number: int = 0
    head: bytes = GENESIS
    sequences: dict[str, int] = field(default_factory=dict)

    def envelope(self, stream: str, event: Any, occurred_at: datetime | None = None) -> Envelope:
        """The next event of the hospital."""
        event_id, at = uuid4(), occurred_at or MORNING + timedelta(seconds=self.number)
        sequence = self.sequences[stream] = self.sequences.get(stream, 0) + 1
        payload = msgspec.to_builtins(event)
        digest = digest_of(
            event_id=event_id, stream=stream, sequence=sequence, kind=event.TYPE, version=event.VERSION,
            occurred_at=at, payload=payload,
        )  # fmt: skip
        self.number += 1
        self.head = link(self.head, self.number, digest)
        return Envelope(
            event_id=event_id, type=event.TYPE, version=event.VERSION, hospital_id=self.hospital_id, stream=stream,
            sequence=sequence, number=self.number, occurred_at=at, payload=payload, digest=digest.hex(), head=self.head.hex(),
        )  # fmt: skip

    def envelopes(self, events: list[tuple[str, Any]]) -> list[Envelope]:
        """All of them, in order."""
        return [self.envelope(stream, event) for stream, event in events]
