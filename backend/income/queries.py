"""Visit fees of a doctor by day: received and given back, by the providers' own times."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.appointment.service import SUBJECT
from backend.payment.model import Payment, Refund
from backend.payment.states import PaymentState, RefundState
from foundation.clock import local, local_day_start


@dataclass
class DayOfFees:
    """Fen; `visits` are the fees that came on the day."""

    visits: int = 0
    received: int = 0
    refunded: int = 0


@dataclass
class Income:
    """A month of a doctor's visit fees."""

    days: dict[date, DayOfFees] = field(default_factory=lambda: defaultdict(DayOfFees))

    @property
    def received(self) -> int:
        """All that came."""
        return sum(day.received for day in self.days.values())

    @property
    def refunded(self) -> int:
        """All that went back."""
        return sum(day.refunded for day in self.days.values())


def month_of(day: date) -> tuple[datetime, datetime]:
    """The month of a day, midnight to midnight in Shanghai."""
    first = day.replace(day=1)
    return local_day_start(first), local_day_start((first + timedelta(days=32)).replace(day=1))


async def visit_fees(session: AsyncSession, practitioner_id: UUID, day: date) -> Income:
    """Fees of this doctor's visits that moved in the month of `day`; nothing else is looked at."""
    start, end = month_of(day)
    income = Income()
    hers = (Payment.subject_kind == SUBJECT, Appointment.practitioner_id == practitioner_id)
    came = (
        select(Payment.paid_at, Payment.amount)
        .join(Appointment, Appointment.id == Payment.subject_id)
        .where(
            *hers, Payment.state == PaymentState.CONFIRMED, Payment.paid_at >= start, Payment.paid_at < end
        )
    )
    for at, amount in await session.execute(came):
        assert at is not None
        fees = income.days[local(at).date()]
        fees.visits, fees.received = fees.visits + 1, fees.received + amount
    went = (
        select(Refund.succeeded_at, Refund.amount)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Appointment, Appointment.id == Payment.subject_id)
        .where(
            *hers,
            Refund.state == RefundState.SUCCEEDED,
            Refund.succeeded_at >= start,
            Refund.succeeded_at < end,
        )
    )
    for at, amount in await session.execute(went):
        assert at is not None
        income.days[local(at).date()].refunded += amount
    return income
