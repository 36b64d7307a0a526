"""Dispenses and the way of their parcels."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from backend.dispensing.states import DISPENSE, DispenseState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, EncryptedText, Fen, State, stored
from foundation.states import Machine


class Receiver(msgspec.Struct, frozen=True):
    """Who gets the parcel, where."""

    name: str
    phone: str
    address: str


class Dispense(Row, Base):
    """One order of one prescription. `method`: courier or pickup. `return_cause`: a pharmacist's word on a returned parcel.

    Drugs that came back are `quarantined_at` before they are judged; `disposal` is what became of them, never the shelf.
    """

    __tablename__ = "dispense"
    MACHINE: ClassVar[Machine] = DISPENSE

    prescription_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("prescription.id"), unique=True
    )
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    person_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("person.id"))
    state: Mapped[DispenseState] = stored(
        DataClass.OPERATIONAL, State(DispenseState), default=DispenseState.PREPARATION
    )
    method: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    receiver: Mapped[Receiver] = stored(DataClass.PERSONAL, EncryptedJson("dispense.receiver", Receiver))
    delivery_fee: Mapped[int] = stored(DataClass.MONEY, Fen, default=0)
    ordered_at: Mapped[datetime] = moment()
    paid_at: Mapped[datetime | None] = moment(nullable=True)
    pharmacist_id: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    handed_over_at: Mapped[datetime | None] = moment(nullable=True)
    waybill: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="", index=True)
    parcel_status: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), default="")
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    reason: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("dispense.reason"), default="")
    return_cause: Mapped[str] = stored(DataClass.OPERATIONAL, String(12), default="")
    return_judged_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    return_judged_at: Mapped[datetime | None] = moment(nullable=True)
    prepared_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    prepared_at: Mapped[datetime | None] = moment(nullable=True)
    no_code_reason: Mapped[str | None] = stored(
        DataClass.CONTENT, EncryptedText("dispense.no_code_reason"), nullable=True
    )
    checks: Mapped[list[str]] = stored(DataClass.OPERATIONAL, JSONB, default=list)
    pickup_code: Mapped[str | None] = stored(
        DataClass.SECRET, EncryptedText("dispense.pickup_code"), nullable=True
    )
    without_code: Mapped[str | None] = stored(
        DataClass.CONTENT, EncryptedText("dispense.without_code"), nullable=True
    )
    quarantined_at: Mapped[datetime | None] = moment(nullable=True)
    quarantined_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    disposal: Mapped[str] = stored(DataClass.OPERATIONAL, String(12), default="")


class ParcelLine(Row, Base):
    """One line of the parcel's timeline; only added, each once."""

    __tablename__ = "parcel_line"
    __table_args__ = (UniqueConstraint("dispense_id", "sequence"),)

    dispense_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("dispense.id"))
    sequence: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    status: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    place: Mapped[str] = stored(DataClass.OPERATIONAL, String(80), default="")
    note: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("parcel_line.note"), default="")
    at: Mapped[datetime] = moment()


class TraceCode(Row, Base):
    """The trace code (追溯码) of one pack that is, or was, put into an order; `void` when the order ended before it left."""

    __tablename__ = "trace_code"
    __table_args__ = (
        Index("uq_trace_code_code", "code", unique=True, postgresql_where="NOT void"),
        Index("ix_trace_code_dispense", "dispense_id"),
    )

    dispense_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("dispense.id"))
    line: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    drug_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    void: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=False)
    recorded_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    recorded_at: Mapped[datetime] = moment()


class PickupAttempt(Row, Base):
    """Somebody at the desk typed a pick-up code: only added. `fits`: it was the right one."""

    __tablename__ = "pickup_attempt"
    __table_args__ = (
        Index("ix_pickup_attempt_dispense", "dispense_id", "at"),
        Index("ix_pickup_attempt_actor", "actor_id", "at"),
    )

    dispense_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("dispense.id"))
    actor_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    fits: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean)
    at: Mapped[datetime] = moment()
