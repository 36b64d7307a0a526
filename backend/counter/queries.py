"""Reads about cases and codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.counter.model import AssistedBooking, CounterCase, PayCode
from backend.counter.rules import typed
from backend.patient import queries as patients
from backend.patient.model import Person
from backend.payment.model import Payment
from foundation.db.columns import blind_index
from foundation.errors import NotFound

NEWEST = 50


async def case(session: AsyncSession, case_id: UUID) -> CounterCase:
    """By id; `NotFound` otherwise."""
    row = await session.get(CounterCase, case_id)
    if row is None:
        raise NotFound("没有找到该窗口记录")
    return row


async def cases(session: AsyncSession) -> Sequence[tuple[CounterCase, Person]]:
    """The newest cases of the counter."""
    query = select(CounterCase).order_by(CounterCase.opened_at.desc(), CounterCase.id.desc()).limit(NEWEST)
    return [(row, await patients.person(session, row.person_id)) for row in await session.scalars(query)]


async def booked_in(session: AsyncSession, case_id: UUID) -> Sequence[Appointment]:
    """What was booked in a case, oldest first."""
    query = (
        select(Appointment)
        .join(AssistedBooking, AssistedBooking.appointment_id == Appointment.id)
        .where(AssistedBooking.case_id == case_id)
        .order_by(AssistedBooking.booked_at)
    )
    return (await session.scalars(query)).all()


async def of_case(session: AsyncSession, case_id: UUID, appointment_id: UUID) -> Appointment:
    """An appointment of a case; `NotFound` for any other."""
    for row in await booked_in(session, case_id):
        if row.id == appointment_id:
            return row
    raise NotFound("没有找到该预约")


@dataclass(frozen=True)
class Coded:
    """A code with its bill and whose visit it pays."""

    row: PayCode
    payment: Payment
    person: Person


async def by_code(session: AsyncSession, text: str) -> Coded:
    """The bill of a code somebody typed; `NotFound` when there is none."""
    index = blind_index("pay_code.code", typed(text))
    row = await session.scalar(select(PayCode).where(PayCode.code_index == index))
    if row is None:
        raise NotFound("没有这个缴费码，请核对", code="pay_code_unknown")
    payment = await session.get_one(Payment, row.payment_id)
    return Coded(row, payment, await patients.person(session, payment.person_id))


async def code_of(session: AsyncSession, payment_id: UUID) -> PayCode | None:
    """The code of a bill."""
    return await session.scalar(select(PayCode).where(PayCode.payment_id == payment_id))
