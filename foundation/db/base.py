"""The declarative base: ids are UUIDv7 of ours, every row names its hospital."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn

from foundation.db.columns import DataClass, UtcDateTime, stored
from foundation.ids import new_id


class _Tenant:
    """The hospital this process works for; one per process until several share a cluster."""

    bound: UUID | None = None


def bind_hospital(hospital_id: UUID) -> None:
    """Set the value of `hospital_id` for rows made by this process."""
    _Tenant.bound = hospital_id


def hospital_id() -> UUID:
    """The bound hospital; `RuntimeError` before `bind_hospital`."""
    if _Tenant.bound is None:
        raise RuntimeError("no hospital bound")
    return _Tenant.bound


class Base(DeclarativeBase):
    """Base of the rows of both databases; each process imports only its own models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Row:
    """Columns of every table."""

    id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, primary_key=True, default=new_id, sort_order=-2)
    hospital_id: Mapped[UUID] = stored(DataClass.OPERATIONAL, Uuid, default=hospital_id, sort_order=-1)


def moment(*, nullable: bool = False, **options: Any) -> MappedColumn[Any]:
    """A UTC instant."""
    return stored(DataClass.OPERATIONAL, UtcDateTime, nullable=nullable, **options)


__all__ = ["Base", "Mapped", "Row", "bind_hospital", "datetime", "hospital_id", "moment"]
