"""Reads about dispenses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispensing import rules
from backend.dispensing.model import Dispense, ParcelLine, PickupAttempt, TraceCode
from backend.dispensing.states import DispenseState
from backend.formulary import queries as formulary
from backend.formulary.facts import Drug
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.practitioner import queries as practitioners
from backend.prescription.model import PrescriptionRow
from backend.prescription.service import SUBJECT
from foundation.actor import Actor
from foundation.errors import Issue, NotFound


async def dispense(session: AsyncSession, dispense_id: UUID) -> Dispense:
    """By id, for callers that have checked who asks."""
    row = await session.get(Dispense, dispense_id)
    if row is None:
        raise NotFound("没有找到该订单")
    return row


async def visible(session: AsyncSession, actor: Actor, dispense_id: UUID) -> Dispense:
    """For accounts with a grant on the patient, and the pharmacy."""
    row = await dispense(session, dispense_id)
    if actor.kind == "account":
        await patients.grant_on(session, actor, row.person_id)
    elif not actor.has("pharmacist") and not actor.has("clerk"):
        raise NotFound("没有找到该订单")
    return row


async def of_prescription(session: AsyncSession, prescription_id: UUID) -> Dispense | None:
    """The order of a prescription."""
    return await session.scalar(select(Dispense).where(Dispense.prescription_id == prescription_id))


async def to_prepare(session: AsyncSession) -> Sequence[Dispense]:
    """Paid orders the pharmacy has to prepare, oldest first."""
    query = (
        select(Dispense)
        .where(Dispense.state == DispenseState.PREPARATION, Dispense.paid_at.is_not(None))
        .order_by(Dispense.paid_at)
        .limit(200)
    )
    return (await session.scalars(query)).all()


async def to_judge(session: AsyncSession) -> Sequence[Dispense]:
    """Orders whose drugs came back and about which no pharmacist has said why, oldest first."""
    query = (
        select(Dispense)
        .where(Dispense.state == DispenseState.STOPPED, Dispense.return_cause == "")
        .order_by(Dispense.ended_at)
        .limit(100)
    )
    return (await session.scalars(query)).all()


async def way(session: AsyncSession, dispense_id: UUID) -> Sequence[ParcelLine]:
    """The parcel's timeline."""
    query = select(ParcelLine).where(ParcelLine.dispense_id == dispense_id).order_by(ParcelLine.sequence)
    return (await session.scalars(query)).all()


async def by_waybill(session: AsyncSession, waybill: str) -> Dispense | None:
    """Which order a parcel belongs to."""
    return await session.scalar(select(Dispense).where(Dispense.waybill == waybill))


async def trace_codes(session: AsyncSession, dispense_id: UUID) -> Sequence[TraceCode]:
    """Codes of the packs of an order, by line."""
    query = select(TraceCode).where(TraceCode.dispense_id == dispense_id, TraceCode.void.is_(False))
    return (await session.scalars(query.order_by(TraceCode.line, TraceCode.code))).all()


async def facts(session: AsyncSession, row: PrescriptionRow) -> dict[str, Drug]:
    """What the formulary says of the drugs of a prescription, also of those withdrawn since."""
    return await formulary.facts_of(session, [item.drug_code for item in row.content.items])


async def leaving_issues(
    session: AsyncSession, row: PrescriptionRow, method: str, *, retail_ban: bool
) -> list[Issue]:
    """Why these drugs may not go this way, by what the formulary says now: at the order, at the bench, at the door."""
    drugs, content = await facts(session, row), row.content
    issues = rules.retail_issues(content.written, content.items, drugs, ban=retail_ban)
    return issues + rules.cold_issues(method, content.items, drugs)


async def wrong_codes(
    session: AsyncSession, since: datetime, *, dispense_id: UUID | None = None, actor_id: UUID | None = None
) -> Sequence[datetime]:
    """When a wrong pick-up code was typed for this order, or by this person, after `since`; newest first."""
    query = select(PickupAttempt.at).where(PickupAttempt.fits.is_(False), PickupAttempt.at > since)
    if dispense_id is not None:
        query = query.where(PickupAttempt.dispense_id == dispense_id)
    if actor_id is not None:
        query = query.where(PickupAttempt.actor_id == actor_id)
    return (await session.scalars(query.order_by(PickupAttempt.at.desc()))).all()


async def facts_of(session: AsyncSession, row: Dispense) -> tuple[dict[UUID, str], dict[str, int]]:
    """Names of who prepared and who handed over, and by what it was paid."""
    ids = {one for one in (row.prepared_by, row.pharmacist_id) if one is not None}
    names = {one: (await practitioners.practitioner(session, one)).name for one in ids}
    payment = await payments.of_subject(session, SUBJECT, row.prescription_id)
    return names, await payments.tenders(session, payment.id) if payment else {}
