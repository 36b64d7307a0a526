"""Published reports."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class FairnessReport(Row, Base):
    """The figures as they stood on a day; of a past day, as they stood at its end."""

    __tablename__ = "fairness_report"

    day: Mapped[date] = stored(DataClass.OPERATIONAL, Date, unique=True)
    first_day: Mapped[date] = stored(DataClass.OPERATIONAL, Date)
    made_at: Mapped[datetime] = moment()
    figures: Mapped[dict[str, Any]] = stored(DataClass.OPERATIONAL, JSONB)
