"""Dispenses and the way of their parcels."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint, Uuid
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
    """One order of one prescription. `method`: courier or pickup. `return_cause`: a pharmacist's word on a returned parcel."""

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
