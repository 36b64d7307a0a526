"""What callers told us became of our cards."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, EncryptedText, stored


class CdsFeedback(Row, Base):
    """Feedback of one card of one caller; told again, the first stands."""

    __tablename__ = "cds_feedback"
    __table_args__ = (UniqueConstraint("issuer", "card"),)

    issuer: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    service: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    card: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid)
    outcome: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    reason_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(60), default="")
    comment: Mapped[str] = stored(DataClass.CONTENT, EncryptedText("cds_feedback.comment"), default="")
    outcome_at: Mapped[datetime] = moment()
    at: Mapped[datetime] = moment()
