"""Reads about departments and practitioners."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner import rules
from backend.practitioner.model import Department, Filing, Practitioner
from contracts import events
from foundation.db.unit_of_work import clock_of
from foundation.errors import Forbidden, NotFound


async def practitioner(session: AsyncSession, practitioner_id: UUID) -> Practitioner:
    """By id; `NotFound` otherwise."""
    row = await session.get(Practitioner, practitioner_id)
    if row is None:
        raise NotFound("没有找到该医生")
    return row


async def department(session: AsyncSession, code: str) -> Department:
    """By code; `NotFound` otherwise."""
    row = await session.scalar(select(Department).where(Department.code == code))
    if row is None:
        raise NotFound("没有找到该科室")
    return row


async def departments(session: AsyncSession) -> Sequence[Department]:
    """All, in the order of their codes."""
    return (await session.scalars(select(Department).order_by(Department.code))).all()


async def doctors(
    session: AsyncSession, department_code: str | None = None
) -> Sequence[tuple[Practitioner, str]]:
    """Active doctors with a department they are filed for."""
    query = (
        select(Practitioner, Filing.department_code)
        .join(Filing, Filing.practitioner_id == Practitioner.id)
        .where(Practitioner.kind == "doctor", Practitioner.active)
        .order_by(Practitioner.title_code, Practitioner.code)
    )
    if department_code:
        query = query.where(Filing.department_code == department_code)
    return [(row, code) for row, code in (await session.execute(query)).all()]


async def require_filed(
    session: AsyncSession, practitioner_id: UUID, department_code: str, day: date | None = None
) -> Practitioner:
    """The doctor, if she may practise in the department on `day` (today); `Forbidden` naming every reason otherwise."""
    row = await practitioner(session, practitioner_id)
    filing = await session.scalar(
        select(Filing).where(
            Filing.practitioner_id == practitioner_id, Filing.department_code == department_code
        )
    )
    issues = rules.may_practise(
        active=row.active, years=row.years_of_experience, filed_until=filing.filed_until if filing else None,
        filed=filing is not None, today=day or clock_of(session).today(),
    )  # fmt: skip
    if issues:
        raise Forbidden(issues[0].message, code="not_licensed", issues=issues)
    return row


def snapshot(row: Practitioner) -> events.Practitioner:
    """The block events carry."""
    return events.Practitioner(
        practitioner_id=row.id, code=row.code, name=row.name, id_number=row.id_number,
        licence_number=row.licence_number, title_code=row.title_code, title_name=row.title_name,
    )  # fmt: skip


def department_snapshot(row: Department) -> events.Department:
    """The block events carry."""
    return events.Department(
        code=row.code, name=row.name, subject_code=row.subject_code, subject_name=row.subject_name
    )
