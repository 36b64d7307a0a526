"""Reads about persons, grants and consents."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from backend.content.service import current_document
from backend.patient.model import Consent, Person, PersonGrant
from backend.patient.rules import SCOPES, may
from contracts import events
from foundation.actor import Actor
from foundation.db.columns import blind_index
from foundation.errors import Forbidden, NotFound

INFORMED_CONSENT = "informed_consent"


async def grant_on(session: AsyncSession, actor: Actor, person_id: UUID) -> PersonGrant:
    """The actor's open grant on a person; `NotFound` for everybody else."""
    query = select(PersonGrant).where(
        PersonGrant.account_id == actor.id,
        PersonGrant.person_id == person_id,
        PersonGrant.revoked_at.is_(None),
    )
    grant = await session.scalar(query)
    if grant is None:
        raise NotFound
    return grant


async def has_scope(session: AsyncSession, actor: Actor, person_id: UUID, wanted: str) -> bool:
    """Whether the actor's grant includes `wanted`; who is no account is not held to grants."""
    if actor.kind != "account":
        return True
    grant = await grant_on(session, actor, person_id)
    return may(grant.kind, grant.scope, wanted)


async def require_scope(session: AsyncSession, actor: Actor, person_id: UUID, wanted: str) -> PersonGrant:
    """The actor's grant, if it includes `wanted`; `Forbidden` when the adult did not give that."""
    grant = await grant_on(session, actor, person_id)
    if not may(grant.kind, grant.scope, wanted):
        raise Forbidden(f"本人没有授权您{SCOPES[wanted]}", code="scope_missing")
    return grant


async def accounts_that_may(
    session: AsyncSession, pairs: Iterable[tuple[UUID, UUID]], wanted: str
) -> set[tuple[UUID, UUID]]:
    """Of these (account, person) those whose grant includes `wanted`."""
    query = select(PersonGrant.account_id, PersonGrant.person_id, PersonGrant.kind, PersonGrant.scope).where(
        tuple_(PersonGrant.account_id, PersonGrant.person_id).in_(set(pairs)),
        PersonGrant.revoked_at.is_(None),
    )
    rows = (await session.execute(query)).all()
    return {(row.account_id, row.person_id) for row in rows if may(row.kind, row.scope, wanted)}


async def has_self(session: AsyncSession, account_id: UUID) -> bool:
    """Whether the account's owner is verified."""
    query = select(PersonGrant.id).where(
        PersonGrant.account_id == account_id, PersonGrant.kind == "self", PersonGrant.revoked_at.is_(None)
    )
    return await session.scalar(query) is not None


async def own_person(session: AsyncSession, account_id: UUID) -> Person | None:
    """The person the account's owner is."""
    query = (
        select(Person)
        .join(PersonGrant, PersonGrant.person_id == Person.id)
        .where(
            PersonGrant.account_id == account_id, PersonGrant.kind == "self", PersonGrant.revoked_at.is_(None)
        )
    )
    return await session.scalar(query)


async def persons_of(session: AsyncSession, account_id: UUID) -> Sequence[tuple[Person, PersonGrant]]:
    """Everybody the account may act for, herself first."""
    query = (
        select(Person, PersonGrant)
        .join(PersonGrant, PersonGrant.person_id == Person.id)
        .where(PersonGrant.account_id == account_id, PersonGrant.revoked_at.is_(None))
        .order_by(PersonGrant.granted_at)
    )
    return [(person, grant) for person, grant in (await session.execute(query)).all()]


async def accounts_for(session: AsyncSession, person_id: UUID) -> Sequence[UUID]:
    """Accounts that hear about this person's visits."""
    query = select(PersonGrant.account_id).where(
        PersonGrant.person_id == person_id, PersonGrant.revoked_at.is_(None)
    )
    return (await session.scalars(query)).all()


async def by_id_number(session: AsyncSession, id_number: str) -> Person:
    """The person with this number."""
    query = select(Person).where(Person.id_number_index == blind_index("person.id_number", id_number))
    return (await session.scalars(query)).one()


async def person(session: AsyncSession, person_id: UUID) -> Person:
    """A person by id, for callers that have checked who asks."""
    return (await session.scalars(select(Person).where(Person.id == person_id))).one()


async def consented(session: AsyncSession, person_id: UUID, kind: str = INFORMED_CONSENT) -> bool:
    """Whether there is a standing consent to the current version."""
    document = await current_document(session, kind)
    query = select(Consent.id).where(
        Consent.person_id == person_id, Consent.document_kind == kind, Consent.withdrawn_at.is_(None),
        Consent.document_hash == document.content_hash,
    )  # fmt: skip
    return await session.scalar(query.limit(1)) is not None


def snapshot(row: Person) -> events.Person:
    """The block events carry."""
    return events.Person(
        person_id=row.id, name=row.name, id_number=row.id_number, sex=row.sex,
        birth_date=date.fromisoformat(row.birth_date), phone=row.phone,
    )  # fmt: skip
