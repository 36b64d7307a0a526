"""Drugs as stored."""

from datetime import datetime

from sqlalchemy import Boolean, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, Fen, stored


class DrugRow(Row, Base):
    """A drug with its facts; withdrawn drugs stay, so that old prescriptions can be read."""

    __tablename__ = "drug"
    __table_args__ = (Index("ix_drug_valid_name", "valid", "generic_name"),)

    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(30), unique=True)
    generic_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    pinyin: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    price: Mapped[int] = stored(DataClass.MONEY, Fen)
    facts: Mapped[dict[str, object]] = stored(DataClass.OPERATIONAL, JSONB)
    valid: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=True)
    catalogue_version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    changed_at: Mapped[datetime] = moment()
