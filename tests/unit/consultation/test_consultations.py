"""A health consultation is a visit kind of its own (practice.md 6): who may ask, what it costs, how it ends."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.chat.service import say
from backend.consultation import service
from backend.consultation.service import ask, finish
from backend.context import Context
from backend.encounter import service as visiting
from backend.encounter.model import Consultation, Encounter
from backend.payment import queries as payments
from backend.payment.model import Payment, Refund
from backend.payment.rules import RefundReason
from backend.pricing import service as pricing
from backend.pricing.rules import CONSULTATION
from backend.writeback.model import WriteBack
from contracts import events
from foundation.actor import SYSTEM
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import clock_of
from foundation.errors import AppError, Conflict, Forbidden, IllegalMove, NotFound
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    advised,
    an_account,
    asked,
    booked,
    consents,
    on_shift,
    pays,
    registered,
)
from tests.small_world import CHILD, CLERK, DAUGHTER, DOCTOR, OTHER, SECOND_DOCTOR

pytestmark = pytest.mark.anyio


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def the_visit(session: AsyncSession, row: Appointment) -> Encounter:
    return (await session.scalars(select(Encounter).where(Encounter.appointment_id == row.id))).one()


async def reported(session: AsyncSession, stream: str) -> list[OutboxEvent]:
    query = select(OutboxEvent).where(OutboxEvent.stream == stream).order_by(OutboxEvent.sequence)
    return list(await session.scalars(query))


async def test_what_costs_nothing_is_booked_at_once_without_a_bill(
    session: AsyncSession, patient: Patient
) -> None:
    row = await asked(session, patient)

    assert (row.state, row.kind, row.eligibility_id) == ("booked", "consultation", None)
    assert await payments.of_subject(session, "appointment", row.id) is None
    visit = await the_visit(session, row)
    assert isinstance(visit, Consultation)
    (event,) = await reported(session, row.stream)
    assert event.type == "appointment.booked"
    told = (await appointments.visit_snapshot(session, row)).kind
    assert told == "consultation"


async def test_what_costs_something_is_held_until_it_is_paid(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await asked(session, patient, DOCTOR)
    assert row.state == "pending"

    payment = await pays(session, context, row)

    assert (payment.amount, payment.description) == (1000, "健康咨询费")
    assert (row.state, type(await the_visit(session, row))) == ("booked", Consultation)


async def test_the_hospitals_books_hear_nothing_of_a_consultation(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """It is no treatment, and the hospital may not know the person at all."""
    await pays(session, context, await asked(session, patient, DOCTOR))

    assert (await session.scalars(select(WriteBack))).all() == []


async def test_a_place_of_the_hospitals_own_schedule_is_not_for_questions(
    session: AsyncSession, patient: Patient
) -> None:
    """Nothing is written back of it: the hospital's window would sell the place again."""
    slot = await a_slot(session, SECOND_DOCTOR, hours=0)
    slot.source = "his"

    with pytest.raises(Conflict) as refused:
        await asked(session, patient)

    assert refused.value.code == "follow_up_only"
    assert "院内系统的号源，只用于复诊" in refused.value.detail
    assert refused.value.issues[0].field == "slot_id"


async def test_no_diagnosis_is_needed_to_ask(session: AsyncSession) -> None:
    """No eligibility: somebody whom the hospital has never seen may ask."""
    stranger = await a_patient(session, OTHER)

    assert (await asked(session, stranger)).state == "booked"


async def test_only_who_consented_asks(session: AsyncSession) -> None:
    newcomer = await a_patient(session, OTHER, consenting=False)

    with pytest.raises(Forbidden) as refused:
        await asked(session, newcomer)

    assert refused.value.code == "no_consent"


async def test_nobody_asks_for_a_stranger(session: AsyncSession, patient: Patient) -> None:
    other = await a_patient(session, OTHER)
    slot = await a_slot(session, SECOND_DOCTOR, hours=0)

    with pytest.raises(NotFound):
        await ask(
            session, other.actor, person_id=patient.person.id, slot_id=slot.id, question="问一下", mode="text"
        )


async def test_a_child_under_six_needs_her_guardian(session: AsyncSession) -> None:
    """诊疗办法 Art 19."""
    actor = await an_account(session, DAUGHTER.openid)
    child = await registered(session, actor, CHILD, "proxy")
    await consents(session, actor, child)
    slot = await a_slot(session, SECOND_DOCTOR, hours=0)

    with pytest.raises(AppError) as refused:
        await ask(session, actor, person_id=child.id, slot_id=slot.id, question="宝宝挑食", mode="text")

    assert refused.value.code in ("guardian_needed", "scope_missing")


async def test_the_same_slot_is_not_asked_twice(session: AsyncSession, patient: Patient) -> None:
    await asked(session, patient)

    with pytest.raises(Conflict) as refused:
        await asked(session, patient)

    assert refused.value.code in ("already_booked", "doctor_quota_used")


async def test_a_follow_up_and_a_question_share_the_quota_of_a_person(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    await booked(session, context, patient)

    with pytest.raises(Conflict) as refused:
        await asked(session, patient, DOCTOR)

    assert refused.value.code in ("already_booked", "doctor_quota_used")


async def test_a_hospital_without_a_price_offers_none(session: AsyncSession, patient: Patient) -> None:
    row = await pricing.prepare(session, CLERK.actor, "不再提供健康咨询")
    await pricing.remove_price(session, CLERK.actor, row.id, CONSULTATION)
    await pricing.come_into_force(session, SYSTEM, row, clock_of(session).today())

    with pytest.raises(Conflict) as refused:
        await asked(session, patient)

    assert refused.value.code == "consultation_not_offered"


async def test_a_doctor_takes_a_question_without_confirming_a_follow_up_and_answers_it(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await advised(session, context, patient)
    await say(session, SECOND_DOCTOR.actor, visit, client_id="client-1", kind="text", body="平时口味重吗")

    assert await finish(session, SECOND_DOCTOR.actor, visit, "少盐，多吃蔬菜。")

    assert (visit.state, visit.answer) == ("completed", "少盐，多吃蔬菜。")
    sent = await reported(session, visit.stream)
    assert [one.type for one in sent] == [
        "appointment.booked", "consultation.started", "consultation.completed",
    ]  # fmt: skip


async def test_the_report_has_question_answer_and_price(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await advised(session, context, patient)
    await finish(session, SECOND_DOCTOR.actor, visit, "少盐，多吃蔬菜。")
    row = await appointments.appointment(session, visit.appointment_id)

    money = await service.paid(session, row)

    assert money == events.Money(0, "9", "", "2026.1")
    assert "original_diagnosis" not in events.ConsultationCompleted.__struct_fields__


async def test_nobody_takes_it_in_time_and_the_money_goes_back(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await asked(session, patient, DOCTOR)
    await pays(session, context, row)
    visit = await visiting.check_in(session, patient.actor, row)

    await visiting.decline(
        session, SYSTEM, visit, reason="医生未在规定时间内接诊", cause=RefundReason.NOBODY_ACCEPTED
    )

    assert [(one.reason, one.amount) for one in await session.scalars(select(Refund))] == [
        ("nobody_accepted", 1000)
    ]
    assert (await reported(session, visit.stream))[-2].type == "consultation.declined"


async def test_a_free_question_that_is_declined_pays_nothing_back(
    session: AsyncSession, patient: Patient, context: Context
) -> None:
    row = await asked(session, patient)
    visit = await visiting.check_in(session, patient.actor, row)
    await on_shift(session, context, SECOND_DOCTOR)

    await visiting.decline(
        session, SECOND_DOCTOR.actor, visit, reason="请到医院就诊", cause=RefundReason.DECLINED
    )

    assert (await session.scalars(select(Refund))).all() == []
    assert (await session.scalars(select(Payment))).all() == []


async def test_stopping_sends_to_the_hospital(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await advised(session, context, patient)

    await visiting.refer_offline(session, SECOND_DOCTOR.actor, visit, reason="胸痛须当面检查")

    assert visit.state == "discontinued"
    assert (await reported(session, visit.stream))[-1].type == "consultation.discontinued"


async def test_it_is_answered_once(session: AsyncSession, context: Context, patient: Patient) -> None:
    visit = await advised(session, context, patient)
    await finish(session, SECOND_DOCTOR.actor, visit, "少盐，多吃蔬菜。")

    assert not await finish(session, SECOND_DOCTOR.actor, visit, "别的答复。")

    assert visit.answer == "少盐，多吃蔬菜。"
    with pytest.raises(IllegalMove):
        await visiting.refer_offline(session, SECOND_DOCTOR.actor, visit, reason="晚了")
