from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.content.model import Document
from backend.outside.identity import Verification
from backend.patient import queries, service
from backend.patient.model import Consent, GrantCode, IdentityCheck, Person, PersonGrant
from foundation.actor import Actor
from foundation.db.outbox import OutboxEvent
from foundation.errors import Conflict, Invalid, NotFound
from tests.builders.visits import a_patient, an_account, consents, registered
from tests.database import MORNING, SharedClock, moves_on
from tests.small_world import CHILD, DAUGHTER, OTHER, PATIENT, SCHOOLCHILD

pytestmark = pytest.mark.anyio


async def grants(session: AsyncSession, person: Person) -> list[tuple[UUID, str]]:
    query = select(PersonGrant).where(PersonGrant.person_id == person.id, PersonGrant.revoked_at.is_(None))
    return [(row.account_id, row.kind) for row in await session.scalars(query.order_by(PersonGrant.id))]


async def asks(session: AsyncSession, actor: Actor, name: str, number: str, kind: str = "self") -> None:
    assert actor.id is not None
    await service.ask_identity(session, actor.id, name, number, kind)


async def test_a_person_exists_once_whoever_registers_her(session: AsyncSession) -> None:
    """practice.md 1: a person exists once; several accounts may hold grants on her."""
    mother = await a_patient(session)
    another_phone = await an_account(session, "o-second-phone")

    again = await registered(session, another_phone, PATIENT)

    assert again.id == mother.person.id
    assert await session.scalar(select(func.count()).select_from(Person)) == 1
    assert await grants(session, again) == [(mother.actor.id, "self"), (another_phone.id, "self")]


async def test_registering_twice_is_one_grant(session: AsyncSession) -> None:
    mother = await a_patient(session)

    await registered(session, mother.actor, PATIENT)

    assert await grants(session, mother.person) == [(mother.actor.id, "self")]


async def test_what_the_id_number_says_is_kept_and_the_supervisor_hears_of_it(session: AsyncSession) -> None:
    person = (await a_patient(session)).person

    assert (person.birth_date, person.sex, person.id_number) == ("1958-03-15", "female", PATIENT.id_number)
    event = (
        await session.scalars(select(OutboxEvent).where(OutboxEvent.stream == f"person:{person.id}"))
    ).one()
    assert (event.type, event.payload["person"]["id_number"]) == ("identity.verified", PATIENT.id_number)


async def test_every_wrong_field_of_a_person_is_named_and_nothing_is_asked(session: AsyncSession) -> None:
    actor = await an_account(session, "o-1")

    with pytest.raises(Invalid) as refused:
        await asks(session, actor, "林1", "310114195803150019")

    assert {issue.field for issue in refused.value.issues} == {"name", "id_number"}
    assert await session.scalar(select(func.count()).select_from(IdentityCheck)) == 0


async def test_a_question_to_the_real_name_service_is_written_down_with_its_answer(
    session: AsyncSession,
) -> None:
    actor = await an_account(session, "o-1")
    assert actor.id is not None
    check, parsed = await service.ask_identity(session, actor.id, PATIENT.name, PATIENT.id_number, "self")
    await session.flush()
    assert (check.result, check.answered_at) == ("", None)

    await service.record_identity(session, check.id, Verification(str(check.id), "S-1", "mismatch", MORNING))

    assert (check.result, check.serial) == ("mismatch", "S-1")
    assert parsed.number == PATIENT.id_number


@pytest.mark.parametrize(
    ("result", "field", "code"),
    [("mismatch", "name", "identity_mismatch"), ("not_found", "id_number", "identity_not_found")],
)
def test_whoever_does_not_match_is_refused_by_the_field(result: str, field: str, code: str) -> None:
    """监管细则 2022: verified by real name before booking."""
    with pytest.raises(Invalid) as refused:
        service.require_match(Verification("1", "S", result, MORNING))

    assert [(issue.field, issue.code) for issue in refused.value.issues] == [(field, code)]


def test_a_match_is_no_refusal() -> None:
    service.require_match(Verification("1", "S", "match", MORNING))


async def test_an_account_is_one_person(session: AsyncSession) -> None:
    mother = await a_patient(session)

    with pytest.raises(Invalid) as refused:
        await asks(session, mother.actor, OTHER.name, OTHER.id_number)
    assert refused.value.issues[0].code == "already_self"

    with pytest.raises(Conflict) as late:
        await registered(session, mother.actor, OTHER)
    assert late.value.code == "already_self"


async def test_a_child_is_registered_by_a_verified_adult(session: AsyncSession) -> None:
    nobody = await an_account(session, "o-1")
    with pytest.raises(Invalid) as refused:
        await asks(session, nobody, CHILD.name, CHILD.id_number, "guardian")
    assert refused.value.issues[0].code == "self_first"

    mother = await a_patient(session, DAUGHTER)
    await asks(session, mother.actor, CHILD.name, CHILD.id_number, "guardian")
    child = await registered(session, mother.actor, CHILD, "guardian", "母亲")

    assert await grants(session, child) == [(mother.actor.id, "guardian")]
    found = await queries.persons_of(session, mother.account)
    assert [person.name for person, _ in found] == [DAUGHTER.name, CHILD.name]


async def test_an_adult_is_nobodys_ward(session: AsyncSession) -> None:
    daughter = await a_patient(session, DAUGHTER)

    with pytest.raises(Invalid) as refused:
        await asks(session, daughter.actor, PATIENT.name, PATIENT.id_number, "guardian")

    assert refused.value.issues[0].code == "not_a_minor"


async def test_other_peoples_persons_are_not_there(session: AsyncSession) -> None:
    mother, stranger = await a_patient(session), await a_patient(session, OTHER)

    with pytest.raises(NotFound):
        await service.verified_person(session, stranger.actor, mother.person.id)
    with pytest.raises(NotFound):
        await consents(session, stranger.actor, mother.person)


async def test_a_daughter_becomes_proxy_by_her_mothers_code_once(session: AsyncSession) -> None:
    """practice.md 1: an adult's proxy needs her own account's consent."""
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    code = await service.make_grant_code(session, mother.actor, mother.person.id)

    person = await service.redeem_grant_code(session, daughter.actor, code, "女儿")

    assert person.id == mother.person.id
    assert (await queries.grant_on(session, daughter.actor, person.id)).kind == "proxy"
    with pytest.raises(Invalid) as refused:
        await service.redeem_grant_code(session, daughter.actor, code, "女儿")
    assert refused.value.issues[0].code == "code_refused"


async def test_a_code_lives_ten_minutes(session: AsyncSession, clock: SharedClock) -> None:
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    code = await service.make_grant_code(session, mother.actor, mother.person.id)
    moves_on(clock, minutes=10, seconds=1)

    with pytest.raises(Invalid):
        await service.redeem_grant_code(session, daughter.actor, code, "女儿")


async def test_a_proxy_and_a_guardian_give_no_codes(session: AsyncSession) -> None:
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    code = await service.make_grant_code(session, mother.actor, mother.person.id)
    await service.redeem_grant_code(session, daughter.actor, code, "女儿")
    child = await registered(session, daughter.actor, SCHOOLCHILD, "guardian", "母亲")

    for person_id in (mother.person.id, child.id):
        with pytest.raises(Conflict) as refused:
            await service.make_grant_code(session, daughter.actor, person_id)
        assert refused.value.code == "only_oneself_grants"


async def test_the_digits_of_an_old_code_may_be_given_again(
    session: AsyncSession, clock: SharedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    drawn = iter([7, 7, 7, 8])
    monkeypatch.setattr("secrets.randbelow", lambda _: next(drawn))
    assert await service.make_grant_code(session, mother.actor, mother.person.id) == "000007"
    moves_on(clock, minutes=11)

    assert await service.make_grant_code(session, mother.actor, mother.person.id) == "000007"
    assert await service.make_grant_code(session, daughter.actor, daughter.person.id) == "000008"
    found = await service.redeem_grant_code(session, daughter.actor, "000007", "女儿")
    assert found.id == mother.person.id
    assert await session.scalar(select(func.count()).select_from(GrantCode)) == 2


async def test_the_person_takes_a_proxys_grant_back(session: AsyncSession) -> None:
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    code = await service.make_grant_code(session, mother.actor, mother.person.id)
    await service.redeem_grant_code(session, daughter.actor, code, "女儿")
    grant = await queries.grant_on(session, daughter.actor, mother.person.id)

    await service.revoke_grant(session, mother.actor, mother.person.id, grant.id)
    await session.flush()

    with pytest.raises(NotFound):
        await service.verified_person(session, daughter.actor, mother.person.id)
    with pytest.raises(NotFound):
        await service.revoke_grant(session, mother.actor, mother.person.id, grant.id)


async def test_a_proxy_takes_back_her_own_grant_and_nobody_elses(session: AsyncSession) -> None:
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    code = await service.make_grant_code(session, mother.actor, mother.person.id)
    await service.redeem_grant_code(session, daughter.actor, code, "女儿")
    hers = await queries.grant_on(session, daughter.actor, mother.person.id)
    mothers = await queries.grant_on(session, mother.actor, mother.person.id)

    with pytest.raises(NotFound):
        await service.revoke_grant(session, daughter.actor, mother.person.id, mothers.id)
    await service.revoke_grant(session, daughter.actor, mother.person.id, hers.id)

    assert await grants(session, mother.person) == [(mother.actor.id, "self")]


async def test_a_revoked_grant_can_be_given_anew(session: AsyncSession) -> None:
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    for _ in range(2):
        code = await service.make_grant_code(session, mother.actor, mother.person.id)
        await service.redeem_grant_code(session, daughter.actor, code, "女儿")
        grant = await queries.grant_on(session, daughter.actor, mother.person.id)
        await service.revoke_grant(session, daughter.actor, mother.person.id, grant.id)
        await session.flush()

    assert await grants(session, mother.person) == [(mother.actor.id, "self")]


async def test_consent_is_to_the_text_that_is_current(session: AsyncSession, clock: SharedClock) -> None:
    """医院办法 Art 18: informed consent, checked and not assumed."""
    mother = await a_patient(session, consenting=False)
    assert not await queries.consented(session, mother.person.id)
    await consents(session, mother.actor, mother.person)
    assert await queries.consented(session, mother.person.id)

    old = (await session.scalars(select(Consent))).one()
    session.add(
        Document(kind=queries.INFORMED_CONSENT, version="9.0", title="知情同意书", body="新", content_hash="0" * 64,
                 published_at=clock.now() + timedelta(hours=1))
    )  # fmt: skip
    await session.flush()

    assert not await queries.consented(session, mother.person.id)
    with pytest.raises(Conflict) as refused:
        await service.give_consent(
            session,
            mother.actor,
            mother.person.id,
            queries.INFORMED_CONSENT,
            old.document_version,
            old.document_hash,
        )
    assert refused.value.code == "consent_outdated"
    await consents(session, mother.actor, mother.person)
    assert await queries.consented(session, mother.person.id)


async def test_consent_withdrawn_is_no_consent_and_what_was_given_stays_on_record(
    session: AsyncSession,
) -> None:
    mother = await a_patient(session)

    await service.withdraw_consent(session, mother.actor, mother.person.id, queries.INFORMED_CONSENT)

    assert not await queries.consented(session, mother.person.id)
    row = (await session.scalars(select(Consent))).one()
    assert row.withdrawn_at is not None
    assert row.account_id == mother.actor.id


async def test_a_document_that_does_not_exist_cannot_be_agreed_to(session: AsyncSession) -> None:
    mother = await a_patient(session)

    with pytest.raises(NotFound) as refused:
        await service.give_consent(session, mother.actor, mother.person.id, "nothing", "1.0", "0" * 64)

    assert refused.value.code == "document_not_found"
