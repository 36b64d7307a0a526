"""Versions of the price list, and their lines."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Date, Index, String, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from backend.pricing.rules import Price
from backend.pricing.states import PRICE_LIST, PriceListState
from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, Fen, State, stored
from foundation.states import Machine


class PriceList(Row, Base):
    """One version. `effective_from` is the midnight in Shanghai with which `effective_on` begins.

    `editors` are all who wrote it, the preparer first: none of them may approve it.
    """

    __tablename__ = "price_list"
    __table_args__ = (
        UniqueConstraint("version"),
        Index("uq_price_list_day", "effective_on", unique=True, postgresql_where="state = 'approved'"),
    )
    MACHINE: ClassVar[Machine] = PRICE_LIST

    version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    state: Mapped[PriceListState] = stored(
        DataClass.OPERATIONAL, State(PriceListState), default=PriceListState.DRAFT
    )
    note: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")
    editors: Mapped[list[UUID]] = stored(DataClass.OPERATIONAL, ARRAY(Uuid), default=list)
    prepared_at: Mapped[datetime] = moment()
    effective_on: Mapped[date | None] = stored(DataClass.OPERATIONAL, Date, nullable=True)
    effective_from: Mapped[datetime | None] = moment(nullable=True)
    approved_by: Mapped[UUID | None] = stored(DataClass.OPERATIONAL, Uuid, nullable=True)
    approved_at: Mapped[datetime | None] = moment(nullable=True)
    content_hash: Mapped[str] = stored(DataClass.OPERATIONAL, String(64), default="")

    @property
    def stream(self) -> str:
        """Stream of its changes."""
        return "prices"


class PriceItem(Row, Base):
    """One price in one version. `in_force_from` repeats the list's, once that is approved."""

    __tablename__ = "price_item"
    __table_args__ = (UniqueConstraint("version", "code"),)

    version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    in_force_from: Mapped[datetime | None] = moment(nullable=True)
    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    name: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    amount: Mapped[int] = stored(DataClass.MONEY, Fen)
    basis: Mapped[str] = stored(DataClass.OPERATIONAL, String(200), default="")

    @property
    def price(self) -> Price:
        """The line as rules know it."""
        return Price(self.code, self.name, self.amount, self.basis)
