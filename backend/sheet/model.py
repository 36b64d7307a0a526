"""Sheets that were made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Sheet(Row, Base):
    """One PDF: `digest` is of the content it shows, `stage` how many have signed it; an edit makes a new row."""

    __tablename__ = "sheet"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "digest", "stage"),)

    subject_kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
    subject_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    digest: Mapped[bytes] = stored(DataClass.OPERATIONAL, LargeBinary)
    stage: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    object_key: Mapped[str] = stored(DataClass.OPERATIONAL, String(120))
    size: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    sha256: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    made_at: Mapped[datetime] = moment()
