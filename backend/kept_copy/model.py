"""Copies at the hospital."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from backend.kept_copy.states import KEPT_COPY, KeptState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, State, stored
from foundation.states import Machine


class KeptCopy(Row, Base):
    """One object that is to lie, or lies, at the hospital under the same key.

    `head` is what stands before the chunks of the copy (the data key, wrapped for us and for the hospital), made once; `size` and
    `sha256` are of the whole sealed copy. `subject_id` is the record, sheet, recording or attachment.
    """

    __tablename__ = "kept_copy"
    __table_args__ = (
        UniqueConstraint("object_key"),
        Index("ix_kept_copy_verified", "verified_at", postgresql_where="state = 'verified'"),
        Index("ix_kept_copy_subject", "subject_id"),
    )
    MACHINE: ClassVar[Machine] = KEPT_COPY

    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    encounter_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, index=True)
    state: Mapped[KeptState] = stored(DataClass.OPERATIONAL, State(KeptState), default=KeptState.REQUESTED)
    head: Mapped[bytes] = stored(DataClass.SECRET, LargeBinary, default=b"")
    size: Mapped[int] = stored(DataClass.OPERATIONAL, BigInteger, default=0)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")
    refused_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    asked_at: Mapped[datetime] = moment()
    copied_at: Mapped[datetime | None] = moment(nullable=True)
    verified_at: Mapped[datetime | None] = moment(nullable=True)
    dropped_at: Mapped[datetime | None] = moment(nullable=True)

    @property
    def stream(self) -> str:
        """Stream of its changes."""
        return "kept_copies"
