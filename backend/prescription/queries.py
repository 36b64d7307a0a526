"""Reads about prescriptions."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.encounter import queries as encounters
from backend.encounter.model import FollowUp
from backend.formulary import queries as formulary
from backend.patient import queries as patients
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.states import WAITING, PrescriptionState
from contracts import events
from foundation.actor import Actor
from foundation.errors import NotFound


async def prescription(session: AsyncSession, prescription_id: UUID) -> PrescriptionRow:
    """By id, for callers that have checked who asks."""
    row = await session.get(PrescriptionRow, prescription_id)
    if row is None:
        raise NotFound("没有找到该处方")
    return row


async def visible(session: AsyncSession, actor: Actor, prescription_id: UUID) -> PrescriptionRow:
    """For its patient once signed, its doctor, and pharmacists once it is signed; `NotFound` for everybody else."""
    row = await prescription(session, prescription_id)
    if actor.kind == "account":
        granted = await patients.has_scope(session, actor, row.person_id, "records")
        if not granted or row.state in (PrescriptionState.DRAFT, PrescriptionState.RETURNED):
            raise NotFound("没有找到该处方")
    elif actor.has("doctor"):
        if row.prescriber_id != actor.id:
            raise NotFound("没有找到该处方")
    elif actor.has("pharmacist"):
        if row.state is PrescriptionState.DRAFT:
            raise NotFound("没有找到该处方")
    else:
        raise NotFound("没有找到该处方")
    return row


async def doctors_own(session: AsyncSession, actor: Actor, prescription_id: UUID) -> PrescriptionRow:
    """Only for its prescriber."""
    row = await prescription(session, prescription_id)
    if row.prescriber_id != actor.id:
        raise NotFound("没有找到该处方")
    return row


async def of_encounter(session: AsyncSession, encounter_id: UUID) -> Sequence[PrescriptionRow]:
    """All prescriptions of a visit, in the order they were written."""
    query = (
        select(PrescriptionRow)
        .where(PrescriptionRow.encounter_id == encounter_id)
        .order_by(PrescriptionRow.id)
    )
    return (await session.scalars(query)).all()


async def taken_elsewhere(session: AsyncSession, row: PrescriptionRow | None) -> dict[str, str]:
    """Names by code of what the doctor states that the patient takes from elsewhere."""
    stated = row.content.stated if row is not None else None
    return await formulary.names(session, stated.taking) if stated and stated.taking else {}


async def review_queue(session: AsyncSession) -> Sequence[tuple[PrescriptionRow, FollowUp]]:
    """What waits for a pharmacist, longest first."""
    query = (
        select(PrescriptionRow, FollowUp)
        .join(FollowUp, FollowUp.id == PrescriptionRow.encounter_id)
        .where(PrescriptionRow.state.in_(WAITING))
        .order_by(PrescriptionRow.signed_at)
        .limit(200)
    )
    return [(row, visit) for row, visit in (await session.execute(query)).all()]


async def last_review(session: AsyncSession, prescription_id: UUID) -> Review | None:
    """The newest verdict."""
    query = (
        select(Review).where(Review.prescription_id == prescription_id).order_by(Review.at.desc()).limit(1)
    )
    return await session.scalar(query)


async def visit_of(session: AsyncSession, row: PrescriptionRow) -> events.Visit:
    """The visit block of the prescription's events."""
    return await encounters.snapshot(session, await encounters.encounter(session, row.encounter_id))


def snapshot(row: PrescriptionRow) -> events.Prescription:
    """The prescription block events carry."""
    content = row.content
    signed_at = row.signed_at or row.written_at
    return events.Prescription(
        prescription_id=row.id, number=row.number, lookup_id=row.lookup_id, kind="1", diagnoses=content.diagnoses,
        items=content.items, total=content.total, allergies=content.allergies,
        disease_history=content.disease_history, valid_from=signed_at, valid_until=row.valid_until or signed_at,
        content_digest=row.digest.hex(), reason=content.reason,
    )  # fmt: skip


RENEWABLE = (PrescriptionState.APPROVED, PrescriptionState.COMPLETED, PrescriptionState.EXPIRED)


async def renewed(
    session: AsyncSession, person_id: UUID, encounter_id: UUID, wanted: Iterable[UUID]
) -> Mapping[UUID, PrescriptionRow]:
    """Those of `wanted` that a line may continue, by id: this person's, passed by a pharmacist, of another visit."""
    query = select(PrescriptionRow).where(
        PrescriptionRow.id.in_(set(wanted)), PrescriptionRow.person_id == person_id,
        PrescriptionRow.encounter_id != encounter_id, PrescriptionRow.state.in_(RENEWABLE),
    )  # fmt: skip
    return {row.id: row for row in await session.scalars(query)}


async def earlier(
    session: AsyncSession, person_id: UUID, encounter_id: UUID, limit: int = 5
) -> Sequence[PrescriptionRow]:
    """What this person was prescribed here before and a pharmacist passed, newest first; not that of this visit."""
    query = (
        select(PrescriptionRow)
        .where(
            PrescriptionRow.person_id == person_id, PrescriptionRow.encounter_id != encounter_id,
            PrescriptionRow.state.in_((PrescriptionState.APPROVED, PrescriptionState.COMPLETED)),
        )
        .order_by(PrescriptionRow.signed_at.desc())
        .limit(limit)
    )  # fmt: skip
    return (await session.scalars(query)).all()
