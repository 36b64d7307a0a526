"""A hospital with many doctors and a crowd of patients who are ready to book, written in bulk.

Everybody is numbered: person 7, her account, her decision of today and slot 9 have ids and tokens that any process can work
out again. What is personal is sealed as the application seals it; nothing of it stands for anybody.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Account, SessionToken
from backend.content.service import current_document, publish_folder
from backend.eligibility.model import EligibilityDecision
from backend.patient.model import Consent, Person, PersonGrant
from backend.patient.queries import INFORMED_CONSENT
from backend.practitioner.model import Department, Filing, Practitioner
from backend.pricing.service import FOLLOW_UP
from backend.schedule.model import Slot
from backend.seeding import seed_prices
from foundation.clock import LOCAL, Clock
from foundation.db.base import Base, hospital_id
from foundation.db.columns import blind_index
from foundation.db.unit_of_work import Database, unit_of_work

ACCOUNT, PERSON, DECISION, SLOT, DOCTOR = range(0xA1, 0xA6)
DEPARTMENT = "0310"
HOURS = range(7, 21)


def numbered(kind: int, number: int) -> UUID:
    """The id of the so-many-th of a kind."""
    return UUID(int=kind << 96 | 7 << 76 | 2 << 62 | number)


def token_of(number: int) -> str:
    """The session token of an account."""
    return hashlib.sha256(f"load-{number}".encode()).hexdigest()[:43]


@dataclass(frozen=True)
class Plan:
    """So many doctors with slots of `capacity` places on `days`, one for each hour of `hours`, and so many patients."""

    doctors: int
    days: int
    capacity: int
    patients: int
    hours: range = HOURS

    @property
    def slots(self) -> int:
        """How many."""
        return self.doctors * self.days * len(self.hours)

    def slot(self, doctor: int, day: int, hour: int) -> int:
        """Number of the slot of a doctor at the so-many-th hour of the so-many-th day (0: tomorrow)."""
        return (doctor * self.days + day) * len(self.hours) + hour


def first_day() -> date:
    """Day 0 of a plan: tomorrow in Shanghai."""
    return Clock().today() + timedelta(days=1)


async def furnish(db: Database, plan: Plan) -> None:
    """Departments, doctors, prices, documents and slots."""
    async with unit_of_work(db) as session:
        session.add(
            Department(code=DEPARTMENT, name="老年科", subject_code="03.10", subject_name="老年病专业")
        )
        await seed_prices(session)
        await publish_folder(session)
        await session.flush()
        session.add_all(_doctor(number) for number in range(plan.doctors))
        await session.flush()
        session.add_all(
            Filing(practitioner_id=numbered(DOCTOR, number), department_code=DEPARTMENT, filed_until=None)
            for number in range(plan.doctors)
        )
    await copy(db, Slot, _slots(plan))


def _doctor(number: int) -> Practitioner:
    return Practitioner(
        id=numbered(DOCTOR, number), code=f"L{number:04d}", kind="doctor", name=f"示范医生{number}", id_number="3101140000",
        licence_number=f"L{number:05d}", title_code="233", title_name="主治医师", years_of_experience=12, active=True,
    )  # fmt: skip


def _slots(plan: Plan) -> Iterable[dict[str, Any]]:
    for doctor in range(plan.doctors):
        for day in range(plan.days):
            for place, hour in enumerate(plan.hours):
                on = first_day() + timedelta(days=day)
                start = datetime.combine(on, time(hour), LOCAL)
                yield {
                    "id": numbered(SLOT, plan.slot(doctor, day, place)), "practitioner_id": numbered(DOCTOR, doctor),
                    "department_code": DEPARTMENT, "day": on, "starts_at": start, "ends_at": start + timedelta(hours=1),
                    "capacity": plan.capacity, "remaining": plan.capacity, "price_code": FOLLOW_UP,
                }  # fmt: skip


async def people(db: Database, count: int) -> None:
    """Accounts that are logged in, each with herself registered, consenting and eligible today."""
    now, today = db.clock.now(), db.clock.today()
    async with unit_of_work(db) as session:
        consent = await _consent(session)
    numbers = range(count)
    await copy(
        db,
        Account,
        (
            {"id": numbered(ACCOUNT, n), "appid": "wx", "openid": f"o-load-{n}", "made_at": now}
            for n in numbers
        ),
    )
    await copy(db, Person, (_person(n, now) for n in numbers))
    own = [{"account_id": numbered(ACCOUNT, n), "person_id": numbered(PERSON, n)} for n in numbers]
    await copy(db, PersonGrant, (one | {"kind": "self", "granted_at": now} for one in own))
    await copy(db, Consent, (one | consent | {"given_at": now} for one in own))
    decision = {
        "diagnosis_code": "I10.x00", "outcome": "eligible", "reason": "", "rule_version": "2026.1", "booking_day": today,
        "facts": "[]", "decided_at": now,
    }  # fmt: skip
    decided = (one | decision | {"id": numbered(DECISION, n)} for n, one in enumerate(own))
    await copy(db, EligibilityDecision, decided)
    life = now + timedelta(days=30)
    session_of = {
        "holder_kind": "account",
        "role": "patient",
        "made_at": now,
        "seen_at": now,
        "expires_at": life,
    }
    await copy(
        db,
        SessionToken,
        (
            session_of
            | {
                "token_hash": hashlib.sha256(token_of(n).encode()).digest(),
                "holder_id": numbered(ACCOUNT, n),
            }
            for n in numbers
        ),
    )


async def _consent(session: AsyncSession) -> dict[str, str]:
    document = await current_document(session, INFORMED_CONSENT)
    return {
        "document_kind": document.kind,
        "document_version": document.version,
        "document_hash": document.content_hash,
    }


def _person(number: int, now: datetime) -> dict[str, Any]:
    id_number = f"load{number:014d}"
    return {
        "id": numbered(PERSON, number), "name": f"示范病人{number}", "id_number": id_number,
        "id_number_index": blind_index("person.id_number", id_number), "birth_date": "1958-03-15", "sex": "female",
        "phone": "19900000000", "verified_at": now,
    }  # fmt: skip


async def copy(db: Database, model: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    """Rows through COPY, with the model's own column types and defaults."""
    dialect = db.engine.dialect
    columns = list(model.__table__.columns)
    bind = {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns}

    def value(column: Any, row: dict[str, Any]) -> Any:
        if column.name in row:
            found = row[column.name]
        elif column.name == "hospital_id":
            found = hospital_id()
        elif column.default is not None:
            found = column.default.arg(None) if column.default.is_callable else column.default.arg
        else:
            found = None
        sealed = hasattr(column.type, "field") and found is not None
        process = bind[column.name]
        return process(found) if sealed and process else found

    records: Sequence[tuple[Any, ...]] = [tuple(value(column, row) for column in columns) for row in rows]
    connection = await direct(db)
    try:
        await connection.copy_records_to_table(
            model.__tablename__, records=records, columns=[column.name for column in columns], timeout=600
        )
    finally:
        await connection.close()


async def direct(db: Database) -> Any:
    """A connection of its own, without SQLAlchemy."""
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(url, server_settings={"statement_timeout": "0"})
