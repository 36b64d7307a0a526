"""Departments, practitioners, filings. A practitioner's id is the id of the staff login."""

from datetime import date
from uuid import UUID

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped

from foundation.db.base import Base, Row
from foundation.db.columns import DataClass, EncryptedText, stored


class Department(Row, Base):
    """A department with its licensed subject (诊疗科目)."""

    __tablename__ = "department"

    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), unique=True)
    name: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    subject_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    subject_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))


class Practitioner(Row, Base):
    """A doctor or pharmacist. The name is public; the id number is not."""

    __tablename__ = "practitioner"

    code: Mapped[str] = stored(DataClass.OPERATIONAL, String(30), unique=True)
    kind: Mapped[str] = stored(DataClass.OPERATIONAL, String(12))
    name: Mapped[str] = stored(DataClass.OPERATIONAL, String(60))
    id_number: Mapped[str] = stored(DataClass.PERSONAL, EncryptedText("practitioner.id_number"))
    licence_number: Mapped[str] = stored(DataClass.OPERATIONAL, String(40))
    title_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(10))
    title_name: Mapped[str] = stored(DataClass.OPERATIONAL, String(20))
    years_of_experience: Mapped[int] = stored(DataClass.OPERATIONAL, Integer)
    introduction: Mapped[str] = stored(DataClass.OPERATIONAL, String(300), default="")
    active: Mapped[bool] = stored(DataClass.OPERATIONAL, Boolean, default=True)

    @property
    def stream(self) -> str:
        """Stream of the practitioner's events."""
        return f"practitioner:{self.id}"


class Filing(Row, Base):
    """A practitioner filed for a department until a day (备案)."""

    __tablename__ = "practitioner_filing"
    __table_args__ = (UniqueConstraint("practitioner_id", "department_code"),)

    practitioner_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, ForeignKey("practitioner.id"))
    department_code: Mapped[str] = stored(DataClass.OPERATIONAL, String(20), ForeignKey("department.code"))
    filed_until: Mapped[date | None] = stored(DataClass.OPERATIONAL, Date, nullable=True)
