"""Helping somebody without a phone: who helped, on what authority, and somebody else's money."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.content.service import current_document
from backend.context import Context
from backend.counter import queries, service
from backend.counter.model import AssistedBooking, CounterCase
from backend.counter.rules import Authority
from backend.eligibility.rules import Fact, decide
from backend.eligibility.service import keep
from backend.encounter.model import Encounter
from backend.outside.identity import Verification
from backend.patient import queries as patients
from backend.patient import service as registry
from backend.patient.model import Consent
from backend.patient.rules import parse_id_number
from backend.payment import queries as payments
from backend.schedule.model import Slot
from backend.schedule.rules import Channel
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import clock_of, unit_of_work
from foundation.errors import Conflict, Forbidden, Invalid, NotFound
from foundation.ids import new_id
from tests.builders.requests import patient_session, staff_session
from tests.builders.visits import a_patient, a_slot, pays
from tests.small_world import CLERK, DAUGHTER, DOCTOR, PATIENT, Resident

pytestmark = pytest.mark.anyio


async def a_case(
    session: AsyncSession, resident: Resident = PATIENT, *, consenting: bool = True
) -> CounterCase:
    """Somebody without an account, known to the real-name service, who came herself."""
    parsed, _ = parse_id_number(resident.id_number, clock_of(session).today())
    assert parsed is not None
    answer = Verification(str(new_id()), "s-1", "match", clock_of(session).now())
    person = await registry.enter(session, parsed, name=resident.name, phone="", answer=answer)
    if consenting:
        document = await current_document(session, patients.INFORMED_CONSENT)
        await registry.paper_consent(
            session, CLERK.actor, person.id, document.kind, document.version, document.content_hash
        )
    return await service.open_case(
        session, CLERK.actor, person, authority=Authority.IN_PERSON, callback_phone="", proxy_name="", note=""
    )


async def books(session: AsyncSession, case: CounterCase, slot: Slot | None = None) -> Appointment:
    person = await patients.person(session, case.person_id)
    today = clock_of(session).today()
    facts = [
        Fact("V-1", "ab" * 32, today - timedelta(days=10), "I10.x00", "confirmed", "finished", "offline")
    ]
    decision = await keep(
        session, CLERK.actor, person, "I10.x00", facts, decide("I10.x00", facts, today), day=today
    )
    return await service.book(
        session, CLERK.actor, case, slot_id=(slot or await a_slot(session, hours=0)).id, eligibility_id=decision.id,
        complaint="头晕", mode="text",
    )  # fmt: skip


async def test_a_place_is_booked_for_somebody_without_an_account(session: AsyncSession) -> None:
    """N14; practice.md 1: the person's own booking, the actor is recorded."""
    case = await a_case(session)

    row = await books(session, case)

    assert (row.account_id, row.person_id, row.booked_by, row.state) == (
        None,
        case.person_id,
        "counter",
        "pending",
    )
    assert row.channel is Channel.STAFF_ASSISTED
    lines = (await session.scalars(select(AuditEvent).where(AuditEvent.subject_id == str(row.id)))).all()
    assert {(one.action, one.actor_id) for one in lines} == {
        ("appointment.request", CLERK.id), ("counter.book", CLERK.id),
    }  # fmt: skip
    detail = next(one.detail for one in lines if one.action == "counter.book")
    assert detail == {"on_behalf_of": str(case.person_id), "case": str(case.id), "authority": "in_person"}
    assert (await session.scalars(select(AssistedBooking.staff_id))).one() == CLERK.id


async def test_the_place_comes_from_the_share_kept_for_the_counter(session: AsyncSession) -> None:
    slot = await a_slot(session, hours=0)
    slot.remaining, slot.held_staff, slot.held_follow_up, slot.held_referral = 1, 1, 0, 0
    slot.shares_end_at = clock_of(session).now() + timedelta(hours=5)
    await session.flush()

    row = await books(session, await a_case(session), slot)

    assert row.place is Channel.STAFF_ASSISTED
    await session.refresh(slot)
    assert (slot.remaining, slot.held_staff) == (0, 0)


async def test_paper_consent_names_its_witness_and_no_account(session: AsyncSession) -> None:
    """医院办法 Art 18."""
    case = await a_case(session)

    (consent,) = (await session.scalars(select(Consent))).all()
    assert (consent.account_id, consent.witness_id) == (None, CLERK.id)
    assert await patients.consented(session, case.person_id)


async def test_without_consent_nobody_is_booked_at_the_counter_either(session: AsyncSession) -> None:
    with pytest.raises(Forbidden) as refused:
        await books(session, await a_case(session, consenting=False))

    assert refused.value.code == "no_consent"


async def test_an_outdated_paper_is_not_taken(session: AsyncSession) -> None:
    case = await a_case(session, consenting=False)

    with pytest.raises(Conflict) as refused:
        await registry.paper_consent(
            session, CLERK.actor, case.person_id, patients.INFORMED_CONSENT, "0.9", "0" * 64
        )

    assert refused.value.code == "consent_outdated"


async def test_the_place_is_held_longer_but_not_beyond_the_visit(session: AsyncSession) -> None:
    """Somebody has to be found who pays."""
    now = clock_of(session).now()
    far = await books(session, await a_case(session), await a_slot(session, hours=9))
    near = await books(session, await a_case(session, DAUGHTER), await a_slot(session, hours=1))

    assert timedelta(minutes=119) < far.hold_expires_at - now <= timedelta(minutes=121)
    assert near.hold_expires_at <= near.starts_at


async def test_who_has_the_code_pays_and_sees_nothing_else(session: AsyncSession, context: Context) -> None:
    row = await books(session, await a_case(session))
    payment = await payments.of_subject(session, "appointment", row.id)
    assert payment is not None
    code = await queries.code_of(session, payment.id)
    assert code is not None
    daughter = await a_patient(session, DAUGHTER)

    taken = await service.take_bill(session, daughter.actor, code.code.lower())

    assert taken.account_id == daughter.account
    assert (await payments.own_payment(session, daughter.actor, payment.id)).id == payment.id
    with pytest.raises(NotFound):
        await patients.grant_on(session, daughter.actor, row.person_id)
    await pays(session, context, row)
    assert row.state == "booked"
    assert (await session.scalars(select(Encounter))).one().person_id == row.person_id


async def test_the_first_who_comes_with_the_code_has_the_bill(session: AsyncSession) -> None:
    row = await books(session, await a_case(session))
    payment = await payments.of_subject(session, "appointment", row.id)
    assert payment is not None
    code = await queries.code_of(session, payment.id)
    assert code is not None
    first, second = await a_patient(session, DAUGHTER), await a_patient(session, PATIENT)
    for _ in range(2):
        await service.take_bill(session, first.actor, code.code)

    with pytest.raises(Conflict) as refused:
        await service.take_bill(session, second.actor, code.code)

    assert refused.value.code == "pay_code_taken"


async def test_a_new_code_makes_the_old_one_worthless(session: AsyncSession) -> None:
    row = await books(session, await a_case(session))
    payment = await payments.of_subject(session, "appointment", row.id)
    assert payment is not None
    code = await queries.code_of(session, payment.id)
    assert code is not None
    old = code.code
    daughter = await a_patient(session, DAUGHTER)
    await service.take_bill(session, daughter.actor, old)

    new = (await service.make_pay_code(session, CLERK.actor, row)).code

    with pytest.raises(NotFound):
        await service.take_bill(session, daughter.actor, old)
    assert (await service.take_bill(session, daughter.actor, new)).account_id == daughter.account


async def test_staff_check_in_and_give_back_for_her(session: AsyncSession, context: Context) -> None:
    case = await a_case(session)
    row = await books(session, case)
    with pytest.raises(Conflict) as early:
        await service.check_in(session, CLERK.actor, row)
    assert early.value.code == "not_booked"
    await pays(session, context, row)

    visit = await service.check_in(session, CLERK.actor, row)

    assert (row.state, visit.practitioner_id) == ("checked-in", DOCTOR.id)
    with pytest.raises(Conflict):
        await service.cancel(session, CLERK.actor, case, row)


async def test_staff_give_an_unpaid_place_back(session: AsyncSession) -> None:
    case = await a_case(session)
    row = await books(session, case)

    await service.cancel(session, CLERK.actor, case, row)

    assert row.state == "cancelled"


def test_a_case_needs_its_authority() -> None:
    with pytest.raises(Invalid) as refused:
        service.check(Authority.PHONE, "", "")

    assert [one.field for one in refused.value.issues] == ["callback_phone"]


async def test_the_card_is_checked_with_the_real_name_service(
    api: httpx.AsyncClient, running: Context
) -> None:
    """A name that does not belong to the number opens no case, and the refusal is written down."""
    headers = await staff_session(running, CLERK)
    body = {"name": PATIENT.name, "id_number": PATIENT.id_number}

    wrong = await api.post("/counter/cases", json=body | {"name": "林秀芳"}, headers=headers)
    right = await api.post("/counter/cases", json=body, headers=headers)

    assert (wrong.status_code, wrong.json()["issues"][0]["code"]) == (422, "identity_mismatch")
    assert right.status_code == 201, right.text
    assert right.json()["person_name"] == "林**"
    assert PATIENT.id_number not in right.text
    async with unit_of_work(running.db) as session:
        actions = select(AuditEvent.action, AuditEvent.outcome).where(AuditEvent.action == "counter.open")
        assert sorted(tuple(one) for one in await session.execute(actions)) == [
            ("counter.open", "ok"), ("counter.open", "refused"),
        ]  # fmt: skip


async def test_patients_have_no_counter(api: httpx.AsyncClient, running: Context) -> None:
    _, headers = await patient_session(running)

    assert (await api.get("/counter/cases", headers=headers)).status_code == 403
    assert (await api.get("/pay-codes/AAAAAAAAAA", headers=headers)).status_code == 404
