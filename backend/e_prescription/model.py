"""How far each prescription is."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped

from backend.e_prescription.states import E_PRESCRIPTION, ERxState
from backend.outside.e_prescription import SignedRx
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedJson, State, stored
from foundation.states import Machine


class EPrescriptionRow(Row, Base):
    """`hi_rxno` and `trace_code` are the centre's; `problem` is why it is not further, for the desk."""

    __tablename__ = "e_prescription"
    __table_args__ = (Index("ix_e_prescription_problem", "wanted_at", postgresql_where="problem <> ''"),)
    MACHINE: ClassVar[Machine] = E_PRESCRIPTION

    prescription_id: Mapped[UUID] = stored(
        DataClass.OPERATIONAL, Uuid, ForeignKey("prescription.id"), unique=True
    )
    stream: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    state: Mapped[ERxState] = stored(DataClass.OPERATIONAL, State(ERxState), default=ERxState.WANTED)
    hi_rxno: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")
    trace_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), default="")
    signed: Mapped[SignedRx | None] = stored(
        DataClass.CONTENT, EncryptedJson("e_prescription.signed", SignedRx), nullable=True
    )
    wanted_at: Mapped[datetime] = moment()
    uploaded_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    problem: Mapped[str] = stored(DataClass.OPERATIONAL, String(160), default="")
