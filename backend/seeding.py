"""Reads a generated world into the backend: departments, staff, drugs, prices, documents, slots. Safe to run twice."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.account.service import hash_password
from backend.content.model import HospitalProfile
from backend.content.service import publish_folder
from backend.formulary.facts import builtin_csv, builtin_limits
from backend.formulary.service import import_csv
from backend.practitioner.model import Department, Filing, Practitioner
from backend.practitioner.service import announce
from backend.pricing import service as pricing
from backend.pricing.model import PriceItem, PriceList
from backend.pricing.rules import CONSULTATION, CONSULTATION_SENIOR, Price, next_version
from backend.timetable.demo import seed_timetable
from foundation.actor import SYSTEM
from foundation.db.unit_of_work import clock_of

PRICES = (
    (pricing.FOLLOW_UP, "互联网复诊诊查费", 3000),
    (pricing.FOLLOW_UP_SENIOR, "互联网复诊诊查费（副主任及以上医师）", 5000),
    (CONSULTATION, "健康咨询费", 0),
    (CONSULTATION_SENIOR, "健康咨询费（副主任及以上医师）", 1000),
    (pricing.DELIVERY, "药品配送费", 800),
)
BASIS = "示范价格，非真实物价"
CLINICAL = ("doctor", "pharmacist")


async def seed_world(session: AsyncSession, folder: Path) -> None:
    """Everything; what is there already stays."""
    await _hospital(session, _read(folder, "hospital.json"))
    await _departments(session, _read(folder, "departments.json"))
    await _staff(session, _read(folder, "staff.json"))
    await seed_prices(session)
    await publish_folder(session)
    await import_csv(session, SYSTEM, builtin_csv(), builtin_limits())
    await session.flush()
    await seed_timetable(session)


def _read(folder: Path, name: str) -> Any:
    return msgspec.json.decode((folder / name).read_bytes())


async def _hospital(session: AsyncSession, row: Mapping[str, str]) -> None:
    if await session.scalar(select(HospitalProfile.id).where(HospitalProfile.code == row["code"])) is None:
        name = f"{row['name']}互联网医院"
        session.add(
            HospitalProfile(
                code=row["code"],
                name=name,
                short_name=row["short_name"],
                address=row["address"],
                phone=row["phone"],
            )
        )


async def _departments(session: AsyncSession, rows: Sequence[Mapping[str, str]]) -> None:
    known = set(await session.scalars(select(Department.code)))
    session.add_all(
        Department(
            code=row["code"],
            name=row["name"],
            subject_code=row["subject_code"],
            subject_name=row["subject_name"],
        )
        for row in rows
        if row["code"] not in known
    )
    await session.flush()


def staff_id(code: str) -> UUID:
    """The same id on every start: the id of the login is the id of the practitioner."""
    return uuid5(NAMESPACE_OID, f"internet-hospital:staff:{code}")


async def _staff(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    known = set(await session.scalars(select(Staff.login)))
    for row in rows:
        if row["login"] not in known:
            await _add_staff(session, row)


async def _add_staff(session: AsyncSession, row: Mapping[str, Any]) -> None:
    row_id = staff_id(row["id"])
    session.add(
        Staff(
            id=row_id, login=row["login"], role=row["role"], display_name=row["name"], openid=row.get("openid", ""),
            password_hash=hash_password(row["password"]), totp_secret=row["totp_secret"], phone=row["phone"],
            ca_holder=row.get("ca_holder", ""),
        )
    )  # fmt: skip
    if row["role"] not in CLINICAL:
        return
    practitioner = Practitioner(
        id=row_id, code=row["id"], kind=row["role"], name=row["name"], id_number=row["id_number"],
        licence_number=row["licence_number"], title_code=row["title_code"], title_name=row["title_name"],
        years_of_experience=row["years_of_experience"], active=True,
    )  # fmt: skip
    session.add(practitioner)
    await session.flush()
    until = date.fromisoformat(row["filed_until"]) if row.get("filed_until") else None
    session.add_all(
        Filing(practitioner_id=row_id, department_code=code, filed_until=until) for code in row["departments"]
    )
    await session.flush()
    await announce(session, practitioner)


async def seed_prices(session: AsyncSession) -> None:
    """What the list in force lacks comes in a new version; with none there, that is the first."""
    there = await pricing.current_prices(session)
    missing = [one for one in PRICES if one[0] not in {row.code for row in there}]
    if not missing:
        return
    now = clock_of(session).now()
    day = clock_of(session).today() - timedelta(days=0 if there else 1)
    known = list(await session.scalars(select(PriceList.version)))
    row = PriceList(version=next_version(2026, known), prepared_at=now, note=BASIS)
    session.add(row)
    await session.flush()
    prices = [one.price for one in there] + [
        Price(code, name, amount, BASIS) for code, name, amount in missing
    ]
    session.add_all(
        PriceItem(version=row.version, code=one.code, name=one.name, amount=one.amount, basis=one.basis)
        for one in prices
    )
    await session.flush()
    await pricing.come_into_force(session, SYSTEM, row, day)
