"""Price lists."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, Fen, stored


class PriceItem(Row, Base):
    """One price in one version of the list; the newest version in force counts."""

    __tablename__ = "price_item"
    __table_args__ = (UniqueConstraint("version", "code"),)

    version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    in_force_from: Mapped[datetime] = moment()
    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    name: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    basis: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")
