"""Keeping a hint, and what follows from it in the same transaction. Nobody is asked anything here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING, EncounterState
from backend.hospital_hint.model import HintedPerson, HospitalHint
from backend.patient.model import Person
from backend.patient.service import forget_hospital_ids, having_hospital_ids
from contracts import hints
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

SUBJECT = "hospital_hint"
NEWS = frozenset({hints.HintKind.REPORT_READY, hints.HintKind.ORDER_CHANGED})
MOVED = frozenset({hints.HintKind.PATIENT_CHANGED, hints.HintKind.PATIENT_MERGED})


@dataclass(frozen=True)
class Taken:
    """What followed: whose display cache is to be forgotten, and which doctors are to be told. Nothing of a hint that was there."""

    fresh: bool
    persons: Sequence[UUID] = ()
    doctors: Sequence[UUID] = field(default_factory=tuple)


async def take(session: AsyncSession, actor: Actor, hint: hints.HospitalHint) -> Taken:
    """Keep `hint` once; the same one again changes nothing."""
    now, row_id = clock_of(session).now(), new_id()
    statement = insert(HospitalHint).values(
        id=row_id, hospital_id=hospital_id(), key=hint.key, source=hint.source, kind=hint.kind, subject=hint.subjects[0],
        sent_at=hint.at, received_at=now,
    )  # fmt: skip
    kept = await session.scalar(statement.on_conflict_do_nothing().returning(HospitalHint.id))
    if kept is None:
        return Taken(fresh=False)
    persons = await having_hospital_ids(session, hint.subjects)
    session.add_all(
        HintedPerson(hint_id=row_id, person_id=one.id, seen_at=None if hint.kind in NEWS else now)
        for one in persons
    )
    if hint.kind in MOVED:
        await forget_hospital_ids(session, persons, hint.subjects)
    audit(
        session,
        actor,
        f"hospital.{hint.kind.value}",
        SUBJECT,
        row_id,
        detail={"persons": str(len(persons))},
    )
    return Taken(True, [one.id for one in persons], await _doctors(session, persons))


async def _doctors(session: AsyncSession, persons: Sequence[Person]) -> list[UUID]:
    """Doctors of visits of theirs that are open."""
    if not persons:
        return []
    query = select(Encounter.practitioner_id).where(
        Encounter.person_id.in_([one.id for one in persons]),
        Encounter.state.in_([EncounterState.PLANNED, *RUNNING]),
    )
    return sorted(set(await session.scalars(query)))


async def news(session: AsyncSession, person_id: UUID) -> datetime | None:
    """When the newest result came that the doctor has not looked at; None without any."""
    query = (
        select(func.max(HospitalHint.received_at))
        .join(HintedPerson, HintedPerson.hint_id == HospitalHint.id)
        .where(HintedPerson.person_id == person_id, HintedPerson.seen_at.is_(None))
    )
    found: datetime | None = await session.scalar(query)
    return found


async def seen(session: AsyncSession, person_id: UUID, before: datetime) -> None:
    """The doctor has been shown the records as they were at `before`."""
    older = select(HospitalHint.id).where(HospitalHint.received_at <= before)
    await session.execute(
        update(HintedPerson)
        .where(
            HintedPerson.person_id == person_id,
            HintedPerson.seen_at.is_(None),
            HintedPerson.hint_id.in_(older),
        )
        .values(seen_at=clock_of(session).now())
    )
