"""Registering persons, granting, consenting."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.content.service import current_document
from backend.outside.identity import PROVIDER, Verification
from backend.patient import queries, rules
from backend.patient.model import HOSPITAL_ID_DIGEST, Consent, GrantCode, IdentityCheck, Person, PersonGrant
from contracts import events
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.columns import blind_index
from foundation.db.locks import lock, lock_stream
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Invalid, NotFound, invalid
from foundation.ids import new_id

CODE_LIFE = timedelta(minutes=10)


async def ask_identity(
    session: AsyncSession, account_id: UUID, name: str, id_number: str, relation: str
) -> tuple[IdentityCheck, rules.IdNumber]:
    """First half: check what can be checked here and write down that we ask. `Invalid` names every wrong field."""
    today = clock_of(session).today()
    parsed, issues = rules.parse_id_number(id_number, today)
    issues = rules.name_issues(name) + issues
    has_self = await queries.has_self(session, account_id)
    if parsed is not None:
        issues += rules.grant_issues(relation, parsed.birth_date, today, has_self=has_self)
    if issues or parsed is None:
        raise Invalid(issues=issues)
    return _asked(session, account_id, parsed), parsed


async def ask_identity_for(
    session: AsyncSession, staff_id: UUID, name: str, id_number: str
) -> tuple[IdentityCheck, rules.IdNumber]:
    """The same for somebody who stands at the counter with her card."""
    parsed, issues = rules.parse_id_number(id_number, clock_of(session).today())
    issues = rules.name_issues(name) + issues
    if issues or parsed is None:
        raise Invalid(issues=issues)
    return _asked(session, staff_id, parsed), parsed


def _asked(session: AsyncSession, asker_id: UUID, parsed: rules.IdNumber) -> IdentityCheck:
    check = IdentityCheck(
        id=new_id(), account_id=asker_id, asked_at=clock_of(session).now(),
        id_number_index=blind_index("person.id_number", parsed.number),
    )  # fmt: skip
    session.add(check)
    return check


async def record_identity(session: AsyncSession, check_id: UUID, answer: Verification) -> None:
    """Write down what the service said, whatever it was."""
    check = await lock(session, IdentityCheck, check_id)
    check.result, check.serial, check.answered_at = answer.result, answer.serial, clock_of(session).now()


def require_match(answer: Verification) -> None:
    """`Invalid` unless name and number belong together."""
    if answer.result == "mismatch":
        raise invalid("name", "identity_mismatch", "姓名与身份证号不一致，请核对")
    if answer.result != "match":
        raise invalid("id_number", "identity_not_found", "没有查到该身份证号")


async def register(
    session: AsyncSession, actor: Actor, parsed: rules.IdNumber, *, name: str, phone: str, kind: str, relation: str,
    answer: Verification,
) -> Person:  # fmt: skip
    """Second half: the person (made once, found again by number) and this account's grant on them."""
    assert actor.id is not None
    await lock_stream(session, f"account:{actor.id}")
    if (
        kind == "self"
        and (own := await queries.own_person(session, actor.id))
        and own.id_number != parsed.number
    ):
        raise Conflict("本账号已有本人信息", code="already_self")
    person = await enter(session, parsed, name=name, phone=phone, answer=answer)
    await _grant(session, actor.id, person.id, kind, relation)
    audit(session, actor, "patient.verify", "person", person.id, detail={"kind": kind})
    return person


async def enter(
    session: AsyncSession, parsed: rules.IdNumber, *, name: str, phone: str, answer: Verification
) -> Person:
    """A person whom the real-name service confirmed, made once and found again by number; the supervisor is told."""
    now = clock_of(session).now()
    statement = insert(Person).values(
        id=new_id(), hospital_id=hospital_id(), name=name.strip(), id_number=parsed.number,
        id_number_index=blind_index("person.id_number", parsed.number), birth_date=parsed.birth_date.isoformat(),
        sex=parsed.sex, phone=phone, verified_at=now,
    )  # fmt: skip
    await session.execute(statement.on_conflict_do_nothing())
    person = await queries.by_id_number(session, parsed.number)
    snapshot = queries.snapshot(person)
    await publish(
        session,
        person.stream,
        events.IdentityVerified(
            person=snapshot, subject_kind="patient", method="id_number_and_name", result=answer.result,
            provider=PROVIDER, provider_serial=answer.serial, verified_at=now,
        ),
    )  # fmt: skip
    return person


async def _grant(
    session: AsyncSession, account_id: UUID, person_id: UUID, kind: str, relation: str,
    scope: Sequence[str] = rules.WHOLE,
) -> None:  # fmt: skip
    statement = insert(PersonGrant).values(
        id=new_id(), hospital_id=hospital_id(), account_id=account_id, person_id=person_id, kind=kind,
        relation=relation, scope=list(scope), granted_at=clock_of(session).now(),
    )  # fmt: skip
    await session.execute(statement.on_conflict_do_nothing())


async def make_grant_code(
    session: AsyncSession, actor: Actor, person_id: UUID, scope: Sequence[str] = rules.WHOLE
) -> str:
    """Six digits by which the adult herself lets another account act for her, within `scope` (practice.md 1)."""
    grant = await queries.grant_on(session, actor, person_id)
    if grant.kind != "self":
        raise Conflict("只有本人可以授权他人代办", code="only_oneself_grants")
    return await issue_grant_code(session, actor, person_id, scope)


async def issue_grant_code(session: AsyncSession, actor: Actor, person_id: UUID, scope: Sequence[str]) -> str:
    """The code itself; at the counter staff issue it for whom they have before them."""
    code = f"{secrets.randbelow(1_000_000):06d}"
    while not await _issue_code(session, person_id, code, scope):
        code = f"{secrets.randbelow(1_000_000):06d}"
    audit(session, actor, "patient.grant_code", "person", person_id, detail={"scope": " ".join(scope)})
    return code


async def _issue_code(session: AsyncSession, person_id: UUID, code: str, scope: Sequence[str]) -> bool:
    """False when somebody holds these very digits now; a used or outlived row takes the new code."""
    now = clock_of(session).now()
    fresh = {"person_id": person_id, "expires_at": now + CODE_LIFE, "scope": list(scope)}
    statement = (
        insert(GrantCode)
        .values(id=new_id(), hospital_id=hospital_id(), code_hash=_digest(code), **fresh)
        .on_conflict_do_update(
            index_elements=["code_hash"],
            set_={**fresh, "used_at": None},
            where=or_(GrantCode.used_at.is_not(None), GrantCode.expires_at <= now),
        )
        .returning(GrantCode.id)
    )
    return await session.scalar(statement) is not None


async def redeem_grant_code(session: AsyncSession, actor: Actor, code: str, relation: str) -> Person:
    """Become proxy of the person who gave the code."""
    assert actor.id is not None
    now = clock_of(session).now()
    statement = (
        update(GrantCode)
        .where(GrantCode.code_hash == _digest(code), GrantCode.used_at.is_(None), GrantCode.expires_at > now)
        .values(used_at=now)
        .returning(GrantCode.person_id, GrantCode.scope)
    )
    found = (await session.execute(statement)).first()
    if found is None:
        raise invalid("code", "code_refused", "授权码不正确或已过期")
    person_id: UUID = found.person_id
    await _grant(session, actor.id, person_id, "proxy", relation, found.scope)
    audit(session, actor, "patient.become_proxy", "person", person_id)
    return await lock(session, Person, person_id)


async def revoke_grant(session: AsyncSession, actor: Actor, person_id: UUID, grant_id: UUID) -> None:
    """The person herself (or the holder) takes a grant back."""
    own = await queries.grant_on(session, actor, person_id)
    grant = await session.get(PersonGrant, grant_id)
    known = grant is not None and grant.person_id == person_id and grant.revoked_at is None
    if grant is None or not known or (own.kind == "proxy" and own.id != grant_id):
        raise NotFound
    grant.revoked_at = clock_of(session).now()
    audit(session, actor, "patient.revoke_grant", "person", person_id)


async def give_consent(
    session: AsyncSession, actor: Actor, person_id: UUID, kind: str, version: str, document_hash: str
) -> Consent:
    """Agree to the current version; an older one is refused, so nobody agrees to what is no longer true."""
    assert actor.id is not None
    await queries.grant_on(session, actor, person_id)
    document = await current_document(session, kind)
    if (version, document_hash) != (document.version, document.content_hash):
        raise Conflict("知情同意书已更新，请重新阅读", code="consent_outdated")
    consent = Consent(
        id=new_id(), person_id=person_id, account_id=actor.id, document_kind=kind, document_version=version,
        document_hash=document_hash, given_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(consent)
    audit(
        session, actor, "patient.consent", "person", person_id, detail={"document": kind, "version": version}
    )
    return consent


async def paper_consent(
    session: AsyncSession, witness: Actor, person_id: UUID, kind: str, version: str, document_hash: str
) -> Consent:
    """She signed the current version on paper, before a member of staff."""
    document = await current_document(session, kind)
    if (version, document_hash) != (document.version, document.content_hash):
        raise Conflict("知情同意书已更新，请打印新版", code="consent_outdated")
    consent = Consent(
        id=new_id(), person_id=person_id, account_id=None, witness_id=witness.id, document_kind=kind,
        document_version=version, document_hash=document_hash, given_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(consent)
    detail = {"document": kind, "version": version, "medium": "paper"}
    audit(session, witness, "patient.consent", "person", person_id, detail=detail)
    return consent


async def withdraw_consent(session: AsyncSession, actor: Actor, person_id: UUID, kind: str) -> None:
    """Take it back; what was done before stays lawful."""
    await queries.grant_on(session, actor, person_id)
    await session.execute(
        update(Consent)
        .where(Consent.person_id == person_id, Consent.document_kind == kind, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock_of(session).now())
    )
    audit(session, actor, "patient.withdraw_consent", "person", person_id, detail={"document": kind})


async def having_hospital_ids(session: AsyncSession, digests: Sequence[str]) -> Sequence[Person]:
    """Persons one of whose numbers at the hospital, merged ones too, has one of these digests (SHA-256 of "Patient/<number>", hex); by id."""
    merged = Person.hospital_merged_digests.overlap(list(digests))
    query = select(Person).where(or_(HOSPITAL_ID_DIGEST.in_(digests), merged)).order_by(Person.id)
    return (await session.scalars(query)).all()


async def forget_hospital_ids(
    session: AsyncSession, persons: Sequence[Person], digests: Sequence[str]
) -> None:
    """The hospital is asked for their numbers again when they are next needed.

    Until then they are still found by the digests of the numbers they had, and by those that were named with the news.
    """
    for one in persons:
        had = [_number_digest(one.hospital_patient_id)] if one.hospital_patient_id else []
        one.hospital_merged_digests = sorted({*one.hospital_merged_digests, *had, *digests})
        one.hospital_patient_id, one.hospital_merged_ids, one.hospital_asked_on = None, [], None
    await session.flush()


async def remember_hospital_id(
    session: AsyncSession, person_id: UUID, patient_id: str, merged: Sequence[str] = ()
) -> None:
    """Keep the hospital's opaque patient id, and those merged into it: evidence, not content."""
    known = {
        "hospital_patient_id": patient_id, "hospital_merged_ids": list(merged),
        "hospital_merged_digests": [_number_digest(one) for one in merged],
    }  # fmt: skip
    today = clock_of(session).today()
    await session.execute(
        update(Person).where(Person.id == person_id).values(**known, hospital_asked_on=today)
    )


async def verified_person(session: AsyncSession, actor: Actor, person_id: UUID) -> Person:
    """The person, if this account may act for them."""
    await queries.grant_on(session, actor, person_id)
    query = select(Person).where(Person.id == person_id)
    return (await session.scalars(query)).one()


def _number_digest(number: str) -> str:
    """What the gateway calls a number of the hospital's."""
    return hashlib.sha256(f"Patient/{number}".encode()).hexdigest()


def _digest(code: str) -> bytes:
    return hashlib.sha256(f"grant:{code}".encode()).digest()


def birth_date(person: Person) -> date:
    """As a date."""
    return date.fromisoformat(person.birth_date)
