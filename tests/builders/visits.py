"""A visit as far as a test needs it, made by the services themselves in the caller's session.

`await a_patient(session)`, `await booked(session, context)` … `await approved(…)`: each calls the one before. Signatures are
the CA simulator's.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.service import account_of, bind_phone
from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.consultation import service as consulting
from backend.content.service import current_document
from backend.context import Context
from backend.dispensing import preparing
from backend.dispensing import service as dispensing
from backend.dispensing.model import Dispense, Receiver
from backend.dispensing.rules import CHECKS
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rules import Fact, decide
from backend.eligibility.service import keep
from backend.encounter import queries as encounters
from backend.encounter import service as visiting
from backend.encounter.model import Consultation, FollowUp
from backend.outside.identity import Verification
from backend.outside.wechat_pay import Amount, Transaction
from backend.patient import queries as patients
from backend.patient import service as registry
from backend.patient.model import Person
from backend.patient.rules import parse_id_number
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.model import Payment
from backend.prescription import reviewing
from backend.prescription import service as prescribing
from backend.prescription.model import PrescriptionRow
from backend.record import service as records
from backend.record.model import MedicalRecord
from backend.review.draft import Draft, Item
from backend.schedule.model import Slot
from backend.shift.service import open_shift
from backend.signature import service as signatures
from contracts.events import Diagnosis
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id
from tests.small_world import DOCTOR, PATIENT, PHARMACIST, SECOND_DOCTOR, Member, Resident

HYPERTENSION = "I10.x00"
AMLODIPINE = Item("YP001", "5", "qd", "1", 7, 1)
HOME = Receiver("林秀兰", "19900000001", "上海市嘉定区示范一路2号3室")
FIELDS = {
    "chief_complaint": "复诊配药", "present_history": "血压平稳", "past_history": "高血压五年", "examination": "",
    "opinion": "继续原方案", "advice": "低盐饮食", "amendment_reason": "",
}  # fmt: skip


@dataclass(frozen=True)
class Patient:
    """Somebody with an account of her own."""

    actor: Actor
    person: Person
    resident: Resident

    @property
    def account(self) -> UUID:
        """Her account."""
        assert self.actor.id is not None
        return self.actor.id


async def an_account(session: AsyncSession, openid: str, phone: str = "19900000001") -> Actor:
    """Logged in by WeChat, phone bound."""
    account = await account_of(session, "wx", openid)
    await bind_phone(session, account.id, phone)
    await session.flush()
    return Actor("account", account.id, frozenset({"patient"}))


async def registered(
    session: AsyncSession, actor: Actor, resident: Resident, kind: str = "self", relation: str = ""
) -> Person:
    """Verified by the real-name service and added to the account."""
    parsed, issues = parse_id_number(resident.id_number, clock_of(session).today())
    assert parsed is not None, issues
    answer = Verification(str(new_id()), "serial-1", "match", clock_of(session).now())
    return await registry.register(
        session, actor, parsed, name=resident.name, phone=resident.phone, kind=kind, relation=relation, answer=answer,
    )  # fmt: skip


async def consents(session: AsyncSession, actor: Actor, person: Person) -> None:
    """To the current informed consent."""
    document = await current_document(session, patients.INFORMED_CONSENT)
    await registry.give_consent(
        session, actor, person.id, patients.INFORMED_CONSENT, document.version, document.content_hash
    )


async def a_patient(
    session: AsyncSession, resident: Resident = PATIENT, *, consenting: bool = True
) -> Patient:
    """Registered as herself, consenting."""
    actor = await an_account(session, resident.openid, resident.phone)
    person = await registered(session, actor, resident)
    if consenting:
        await consents(session, actor, person)
    return Patient(actor, person, resident)


async def eligible(
    session: AsyncSession,
    patient: Patient,
    code: str = HYPERTENSION,
    *,
    days_ago: int = 10,
    found: str | None = None,
) -> EligibilityDecision:
    """A decision of today for `code`, the hospital having `found` on that day."""
    today = clock_of(session).today()
    day = today - timedelta(days=days_ago)
    facts = [Fact("V-1", "ab" * 32, day, found or code, "confirmed", "finished", "offline")]
    return await keep(
        session, patient.actor, patient.person, code, facts, decide(code, facts, today), day=today
    )


async def a_slot(
    session: AsyncSession, doctor: Member = DOCTOR, *, hours: int = 1, day: date | None = None
) -> Slot:
    """The doctor's slot that begins `hours` full hours from now (0: the running one)."""
    start = local(clock_of(session).now()).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    query = select(Slot).where(Slot.practitioner_id == doctor.id, Slot.starts_at == start)
    return (await session.scalars(query)).one()


async def requested(
    session: AsyncSession,
    patient: Patient,
    slot: Slot | None = None,
    decision: EligibilityDecision | None = None,
) -> Appointment:
    """A place held and a bill opened."""
    decision = decision or await eligible(session, patient)
    slot = slot or await a_slot(session, hours=0)
    return await booking.request(
        session, patient.actor, person_id=patient.person.id, slot_id=slot.id, eligibility_id=decision.id,
        complaint="头晕", mode="video",
    )  # fmt: skip


async def bill(session: AsyncSession, subject: Appointment | PrescriptionRow) -> Payment:
    """Of an appointment or a prescription."""
    kind = booking.SUBJECT if isinstance(subject, Appointment) else prescribing.SUBJECT
    found = await payments.of_subject(session, kind, subject.id)
    assert found is not None
    return found


def proof(payment: Payment, *, amount: int | None = None, at: datetime | None = None) -> Transaction:
    """What WeChat Pay's query says of a paid order."""
    total = payment.amount if amount is None else amount
    return Transaction(
        appid="wx", mchid="19", out_trade_no=payment.out_trade_no, transaction_id=f"42{payment.id.int % 10**20:020d}",
        trade_state="SUCCESS", success_time=at, amount=Amount(total=total),
    )  # fmt: skip


async def pays(session: AsyncSession, context: Context, subject: Appointment | PrescriptionRow) -> Payment:
    """The money arrives."""
    payment = await bill(session, subject)
    assert await money.confirm(session, context, payment.id, proof(payment))
    return payment


async def booked(
    session: AsyncSession, context: Context, patient: Patient, slot: Slot | None = None
) -> Appointment:
    """Requested and paid."""
    row = await requested(session, patient, slot)
    await pays(session, context, row)
    return row


async def visit_of(session: AsyncSession, row: Appointment) -> FollowUp:
    """Its encounter."""
    return (await session.scalars(select(FollowUp).where(FollowUp.appointment_id == row.id))).one()


async def waiting(session: AsyncSession, context: Context, patient: Patient) -> FollowUp:
    """Booked and checked in."""
    row = await booked(session, context, patient)
    return encounters.as_follow_up(await visiting.check_in(session, patient.actor, row))


async def on_shift(session: AsyncSession, context: Context, member: Member) -> Member:
    """With an open session at the CA."""
    signing = await context.ca.open_session(member.holder, member.pin, 14_400)
    await open_shift(session, member.actor, signing)
    await session.flush()
    return member


async def accepted(session: AsyncSession, context: Context, patient: Patient) -> FollowUp:
    """A visit that runs; `DOCTOR` is on shift."""
    visit = await waiting(session, context, patient)
    await on_shift(session, context, DOCTOR)
    assert await visiting.accept(
        session, DOCTOR.actor, visit, follow_up_confirmed=True, guardian_present=False
    )
    return visit


async def asked(
    session: AsyncSession,
    patient: Patient,
    doctor: Member = SECOND_DOCTOR,
    question: str = "饮食上要注意什么",
) -> Appointment:
    """A place for a question: booked with `SECOND_DOCTOR`, who costs nothing, held with `DOCTOR`."""
    slot = await a_slot(session, doctor, hours=0)
    return await consulting.ask(
        session, patient.actor, person_id=patient.person.id, slot_id=slot.id, question=question, mode="text"
    )


async def advised(session: AsyncSession, context: Context, patient: Patient) -> Consultation:
    """A consultation that runs; `SECOND_DOCTOR` is on shift."""
    row = await asked(session, patient)
    visit = await visiting.check_in(session, patient.actor, row)
    assert isinstance(visit, Consultation)
    await on_shift(session, context, SECOND_DOCTOR)
    assert await visiting.accept(
        session, SECOND_DOCTOR.actor, visit, follow_up_confirmed=False, guardian_present=False
    )
    return visit


async def writes(session: AsyncSession, visit: FollowUp, **fields: str) -> MedicalRecord:
    """The draft of a record."""
    return await records.write(session, DOCTOR.actor, visit, FIELDS | fields)


async def signs_record(session: AsyncSession, context: Context, visit: FollowUp) -> MedicalRecord:
    """The newest draft, by `DOCTOR`."""
    record, wanted = await records.want_signature(session, DOCTOR.actor, visit)
    value = await signatures.obtain(context, wanted)
    return await records.signed(session, DOCTOR.actor, visit, record.id, wanted, value)


async def drafted(
    session: AsyncSession,
    visit: FollowUp,
    *items: Item,
    row: PrescriptionRow | None = None,
    valid_days: int = 1,
) -> PrescriptionRow:
    """A prescription for the diagnosis of the visit; a known one is changed."""
    draft = Draft(list(items) or [AMLODIPINE], [Diagnosis(HYPERTENSION, "特发性（原发性）高血压")])
    return await prescribing.write(
        session, DOCTOR.actor, visit, row, draft, valid_days=valid_days, allergies="", findings=[]
    )


async def signs(session: AsyncSession, context: Context, row: PrescriptionRow) -> PrescriptionRow:
    """By `DOCTOR`."""
    wanted = await prescribing.want_signature(session, DOCTOR.actor, row, [])
    value = await signatures.obtain(context, wanted)
    return await prescribing.signed(session, DOCTOR.actor, row, wanted, value)


async def signed(
    session: AsyncSession, context: Context, visit: FollowUp, *, valid_days: int = 1
) -> PrescriptionRow:
    """Drafted and signed: in review."""
    return await signs(session, context, await drafted(session, visit, valid_days=valid_days))


async def approves(
    session: AsyncSession, context: Context, row: PrescriptionRow, by: Member = PHARMACIST
) -> PrescriptionRow:
    """By a pharmacist on shift."""
    await on_shift(session, context, by)
    wanted = await reviewing.want_approval(session, by.actor, row)
    value = await signatures.obtain(context, wanted)
    return await reviewing.approved(session, by.actor, row, wanted, value)


async def approved(
    session: AsyncSession, context: Context, patient: Patient, *, valid_days: int = 1
) -> PrescriptionRow:
    """A prescription that may be paid."""
    visit = await accepted(session, context, patient)
    return await approves(session, context, await signed(session, context, visit, valid_days=valid_days))


async def ordered(
    session: AsyncSession, patient: Patient, row: PrescriptionRow, method: str = "courier"
) -> tuple[Dispense, Payment]:
    """Delivery or pick-up chosen, bill opened."""
    return await dispensing.order(session, patient.actor, row, method, HOME, retail_ban=False)


async def paid_order(
    session: AsyncSession, context: Context, patient: Patient, method: str = "courier"
) -> Dispense:
    """Approved, ordered and paid: the pharmacy may hand it over."""
    row = await approved(session, context, patient)
    dispense, _ = await ordered(session, patient, row, method)
    await pays(session, context, row)
    return dispense


async def prepared(session: AsyncSession, context: Context, order: Dispense) -> Dispense:
    """Every pack coded, by `PHARMACIST` on shift."""
    await on_shift(session, context, PHARMACIST)
    row = await session.get_one(PrescriptionRow, order.prescription_id)
    for line, item in enumerate(row.content.items):
        codes = [f"{new_id().int % 10**20:020d}" for _ in range(item.quantity)]
        await preparing.record_codes(session, PHARMACIST.actor, order, line, codes)
    return await preparing.prepare(session, PHARMACIST.actor, order, retail_ban=False)


async def hands_over(session: AsyncSession, context: Context, order: Dispense) -> Dispense:
    """Prepared, checked, gone."""
    await prepared(session, context, order)
    return await dispensing.hand_over(
        session, PHARMACIST.actor, order, list(CHECKS), retail_ban=False, pickup_code=order.pickup_code or ""
    )
