"""Signatures."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Signature(Row, Base):
    """One signature: `digest` is SHA-256 of the canonical bytes, `value` base64 DER; empty until the CA answered.

    `time_stamp` is an RFC 3161 token over the signature's bytes; empty until a time-stamp service answered.
    """

    __tablename__ = "signature"
    __table_args__ = (Index("ix_signature_subject", "subject_kind", "subject_id"),)

    subject_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    purpose: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    signer_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    algorithm: Mapped[str] = stored(DataClass.OPERATIONAL, String(30), default="")
    value: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    certificate_pem: Mapped[str] = stored(DataClass.OPERATIONAL, Text, default="")
    time_stamp: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary, default=b"")
    requested_at: Mapped[datetime] = moment()
    signed_at: Mapped[datetime | None] = moment(nullable=True)
    voided_at: Mapped[datetime | None] = moment(nullable=True)
