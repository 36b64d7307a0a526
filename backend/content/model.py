"""Versions of public documents."""

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row, moment
from foundation.db.columns import DataClass, stored


class Document(Row, Base):
    """One version of one document; the newest is the current one. `content_hash` is SHA-256 hex over the body."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("kind", "version"),)

    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    version: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    title: Mapped[str] = stored(DataClass.OPERATIONAL, String(100))
    body: Mapped[str] = stored(DataClass.OPERATIONAL, Text)
    content_hash: Mapped[str] = stored(DataClass.OPERATIONAL, String(64))
    published_at: Mapped[datetime] = moment()


class HospitalProfile(Row, Base):
    """The hospital itself: the legal entity, its second name online, where parcels are sent from."""

    __tablename__ = "hospital_profile"

    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(40), unique=True)
    name: Mapped[str] = stored(DataClass.OPERATIONAL, String(80))
    short_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    address: Mapped[str] = stored(DataClass.OPERATIONAL, String(200))
    phone: Mapped[str] = stored(DataClass.OPERATIONAL, String(30))
