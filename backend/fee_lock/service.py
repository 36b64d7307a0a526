"""Which fee a bill is at the hospital, and the rows of its locks. Nobody is asked anything here."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import FOLLOW_UP
from backend.context import Context
from backend.fee_lock.model import FeeLock
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.payment.model import Payment
from backend.policy import policy
from backend.prescription import queries as prescriptions
from foundation.db.base import hospital_id
from foundation.db.intents import intend
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

LIFT = "fee_lock.lift"
KINDS = {"appointment": "registration", "prescription": "prescription"}
"""By what a bill is for: what the hospital calls its fee."""


@dataclass(frozen=True)
class Fee:
    """A fee as the hospital's window knows it; `number` tells those of one kind and visit apart."""

    person: Person
    appointment_id: UUID
    kind: str
    number: str
    amount: int


async def fee_of(session: AsyncSession, payment: Payment) -> Fee | None:
    """None for what the hospital never charges: consultations, and what costs nothing."""
    kind = KINDS.get(payment.subject_kind)
    if kind is None or payment.amount <= 0:
        return None
    booked = await appointments.appointment(session, UUID(payment.stream.removeprefix("visit:")))
    if booked.kind != FOLLOW_UP:
        return None
    number = await fee_number(session, payment)
    person = await patients.person(session, payment.person_id)
    return Fee(person, booked.id, kind, number, payment.amount)


async def fee_number(session: AsyncSession, payment: Payment) -> str:
    """What tells a fee from others of its kind and visit: a prescription's number; a registration has none."""
    if payment.subject_kind != "prescription":
        return ""
    return (await prescriptions.prescription(session, payment.subject_id)).number


async def wanted(session: AsyncSession, payment: Payment) -> FeeLock:
    """The row of the bill's lock, made where there is none that still holds: two who press at once get the same."""
    now = clock_of(session).now()
    until = min(payment.expires_at, now + timedelta(minutes=policy().fee_lock_minutes))
    if (known := await alive(session, payment.id)) is not None and known.until <= now:
        known.ended_at = now
        await session.flush()
    statement = insert(FeeLock).values(
        id=new_id(), hospital_id=hospital_id(), payment_id=payment.id, lift_id=new_id(), asked_at=now,
        until=until.replace(microsecond=0), refused_code="",
    )  # fmt: skip
    await session.execute(
        statement.on_conflict_do_nothing(
            index_elements=["payment_id"], index_where=FeeLock.ended_at.is_(None)
        )
    )
    made = await alive(session, payment.id)
    assert made is not None
    return made


async def alive(session: AsyncSession, payment_id: UUID) -> FeeLock | None:
    """The lock that may be held, locked here."""
    query = select(FeeLock).where(FeeLock.payment_id == payment_id, FeeLock.ended_at.is_(None))
    found: FeeLock | None = await session.scalar(query.with_for_update())
    return found


async def answered(session: AsyncSession, lock_id: UUID, *, held: bool = False, refused: str = "") -> None:
    """The hospital holds it, or it does not and will not under this request."""
    row = await session.get_one(FeeLock, lock_id, with_for_update=True)
    now = clock_of(session).now()
    row.refused_code = refused[:60]
    if held:
        row.held_at = now
    else:
        row.ended_at = row.ended_at or now


async def on_given_up(session: AsyncSession, context: Context, payment_id: UUID) -> None:
    """The bill will not be paid: the window may charge the fee again."""
    row = await alive(session, payment_id)
    if row is not None:
        await intend(session, LIFT, row.id)
