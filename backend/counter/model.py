"""Cases, what was booked in them, and codes by which somebody else pays."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Uuid
from sqlalchemy.orm import Mapped

from backend.counter.rules import Authority
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, State, stored


class CounterCase(Row, Base):
    """Whom a member of staff helps, and on what authority."""

    __tablename__ = "counter_case"
    __table_args__ = (Index("ix_counter_case_opened_at", "opened_at"),)

    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"), index=True)
    staff_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("staff.id"))
    authority: Mapped[Authority] = stored(DataClass.OPERATIONAL, State(Authority))
    callback_phone: Mapped[str] = stored(
        DataClass.PERSONAL, EncryptedText("counter_case.callback_phone"), default=""
    )
    proxy_name: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("counter_case.proxy_name"), default="")
    note: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("counter_case.note"), default="")
    opened_at: Mapped[datetime] = moment()


class AssistedBooking(Row, Base):
    """An appointment that staff booked in a case."""

    __tablename__ = "assisted_booking"

    case_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("counter_case.id"), index=True)
    appointment_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("appointment.id"), unique=True
    )
    staff_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("staff.id"))
    booked_at: Mapped[datetime] = moment()


class PayCode(Row, Base):
    """A code that lets one other account pay a bill of the counter; good as long as the bill."""

    __tablename__ = "pay_code"

    payment_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("payment.id"), unique=True)
    code: Mapped[str] = stored(DataClass.SECRET, EncryptedText("pay_code.code"))
    code_index: Mapped[bytes] = stored(DataClass.SECRET, LargeBinary, unique=True)
    made_by: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    made_at: Mapped[datetime] = moment()
    taken_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    taken_at: Mapped[datetime | None] = moment(nullable=True)
