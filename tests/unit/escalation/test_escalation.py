"""Told louder and louder until somebody looks: each rung with its message and what became of it (practice.md 7, 8, 14)."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.encounter import service as visiting
from backend.encounter.model import Encounter
from backend.escalation import queries, service
from backend.escalation.model import Escalation, EscalationStep
from backend.escalation.rules import Kind
from backend.notification.model import Message
from backend.payment.rules import RefundReason
from backend.prescription import reviewing
from backend.prescription import service as prescribing
from foundation.actor import SYSTEM
from foundation.db.intents import Intent
from foundation.errors import Forbidden
from tests.builders.visits import Patient, a_patient, accepted, drafted, on_shift, signs, waiting
from tests.database import SharedClock, moves_on
from tests.small_world import DAUGHTER, DOCTOR, DUTY_DESK, OTHER, PHARMACIST

pytestmark = pytest.mark.anyio


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def climbs(session: AsyncSession) -> None:
    await service.climb(session, DOCTOR.id)


async def the_one(session: AsyncSession) -> Escalation:
    return (await session.scalars(select(Escalation).execution_options(populate_existing=True))).one()


async def rungs(session: AsyncSession) -> list[str]:
    query = select(EscalationStep.rung).order_by(EscalationStep.at, EscalationStep.id)
    return [rung.value for rung in await session.scalars(query)]


async def sent(session: AsyncSession) -> list[tuple[UUID, str, str, int]]:
    query = select(Message).where(Message.recipient_kind == "staff").order_by(Message.made_at, Message.id)
    return [(one.recipient_id, one.template, one.channels, one.count) for one in await session.scalars(query)]


async def test_nobody_looks_and_it_grows_louder_rung_by_rung(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    await waiting(session, context, patient)
    await climbs(session)
    await climbs(session)
    assert await rungs(session) == ["wechat"]

    moves_on(clock, minutes=2)
    await climbs(session)
    moves_on(clock, minutes=3)
    await climbs(session)
    await climbs(session)

    assert await rungs(session) == ["wechat", "sms", "duty_desk"]
    assert await sent(session) == [
        (DOCTOR.id, "TPL_VISIT_WAITING", "wechat sms", 1),
        (DOCTOR.id, "TPL_VISIT_WAITING", "sms", 1),
        (DUTY_DESK.id, "TPL_DUTY", "wechat sms", 1),
    ]
    wake = await session.scalar(
        select(Intent.due_at).where(Intent.kind == service.CLIMB, Intent.done_at.is_(None))
    )
    assert wake is None or wake <= clock.now()


async def test_looking_makes_it_quiet(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    visit = await waiting(session, context, patient)
    await climbs(session)

    await service.see(session, DOCTOR.actor, Kind.VISIT, visit.id)
    moves_on(clock, minutes=6)
    await climbs(session)

    assert await rungs(session) == ["wechat"]
    row = await the_one(session)
    assert (row.state, row.seen_by) == ("seen", DOCTOR.id)


async def test_seen_and_left_alone_it_comes_back_to_the_duty_desk(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    visit = await waiting(session, context, patient)
    await climbs(session)
    await service.see(session, DOCTOR.actor, Kind.VISIT, visit.id)

    moves_on(clock, minutes=10)
    await service.unseen_again(session, await the_one(session))
    await climbs(session)

    assert await rungs(session) == ["wechat", "duty_desk"]
    assert (await the_one(session)).state == "open"


async def test_the_duty_desk_takes_care_of_it_and_nobody_else_does(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await waiting(session, context, patient)

    with pytest.raises(Forbidden):
        await service.see(session, PHARMACIST.actor, Kind.VISIT, visit.id)
    await service.see(session, DUTY_DESK.actor, Kind.VISIT, visit.id)

    assert (await the_one(session)).seen_by == DUTY_DESK.id


@pytest.mark.parametrize("how", ["accepted", "cancelled", "declined", "refund"])
async def test_it_ends_with_the_waiting(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock, how: str
) -> None:
    visit = await waiting(session, context, patient)
    await on_shift(session, context, DOCTOR)
    match how:
        case "accepted":
            await visiting.accept(
                session, DOCTOR.actor, visit, follow_up_confirmed=True, guardian_present=False
            )
        case "cancelled":
            from backend.appointment.queries import appointment

            await visiting.cancel_by_patient(
                session, patient.actor, await appointment(session, visit.appointment_id)
            )
        case "declined":
            await visiting.decline(
                session, DOCTOR.actor, visit, reason="请到医院", cause=RefundReason.DECLINED
            )
        case "refund":
            await visiting.decline(session, SYSTEM, visit, reason="超时", cause=RefundReason.NOBODY_ACCEPTED)
    moves_on(clock, minutes=6)
    await climbs(session)

    row = await the_one(session)
    assert (row.state, row.close_reason) == ("closed", how)
    assert await rungs(session) == (["refund"] if how == "refund" else [])


async def test_several_who_wait_are_one_notice(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """practice.md 8: notices are bundled, parallel to a list that shows who has waited longest."""
    await waiting(session, context, patient)
    await climbs(session)
    for resident in (OTHER, DAUGHTER):
        moves_on(clock, seconds=10)
        await waiting(session, context, await a_patient(session, resident))
        await climbs(session)
    assert len(await sent(session)) == 1

    moves_on(clock, seconds=41)
    await climbs(session)

    assert (await sent(session))[1] == (DOCTOR.id, "TPL_VISIT_WAITING", "wechat sms", 2)
    bundled = (await session.scalars(select(Message).order_by(Message.made_at.desc()))).first()
    assert bundled is not None
    assert (bundled.data["thing1"], bundled.link) == ("2 位患者正在候诊", "/doctor")
    assert await rungs(session) == ["wechat"] * 3


async def test_a_notice_names_no_patient_in_full_and_no_disease(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """practice.md 9."""
    await waiting(session, context, patient)
    moves_on(clock, minutes=6)
    await climbs(session)

    for message in await session.scalars(select(Message)):
        assert "林秀兰" not in str(message.data)
        assert "高血压" not in str(message.data)


async def test_a_return_reaches_the_doctor_by_the_same_ladder_and_the_patient_sees_why_it_takes_longer(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """practice.md 14."""
    from backend.chat.service import after

    visit = await accepted(session, context, patient)
    row = await signs(session, context, await drafted(session, visit))
    await on_shift(session, context, PHARMACIST)
    await reviewing.return_to_doctor(
        session, PHARMACIST.actor, row, category="appropriateness", item=0, reason="剂量请核对"
    )
    for minutes in (0, 10, 20):
        moves_on(clock, minutes=minutes)
        await climbs(session)

    assert [one[1:3] for one in await sent(session) if one[1] != "TPL_VISIT_WAITING"] == [
        ("TPL_RX_RETURNED", "wechat sms"), ("TPL_RX_RETURNED", "sms"), ("TPL_DUTY", "wechat sms"),
    ]  # fmt: skip
    cards = [one for one in await after(session, visit.id, 0) if one.kind == "prescription"]
    assert ['"stage":"signed"' in cards[0].body, '"stage":"returned"' in cards[1].body] == [True, True]
    assert "氨氯地平" not in cards[0].body + cards[1].body

    await drafted(session, visit, row=row)
    await on_shift(session, context, DOCTOR)
    await signs(session, context, row)

    open_one = await service.open_one(session, Kind.RETURNED, row.id)
    assert open_one is None


async def test_a_stopped_visit_takes_back_what_was_prescribed_in_it(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """诊疗办法 Art 16: stop at once; nothing of the visit is dispensed then."""
    visit = await accepted(session, context, patient)
    row = await signs(session, context, await drafted(session, visit))

    await visiting.refer_offline(session, DOCTOR.actor, visit, reason="胸痛须当面检查")
    await prescribing.on_stopped(session, context, visit.id)

    assert row.state == "cancelled"
    told = select(Message.template).where(Message.recipient_kind == "account")
    assert "TPL_REFERRED" in list(await session.scalars(told))


async def test_the_desk_sees_who_was_told_and_what_became_of_it(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    await waiting(session, context, patient)
    await climbs(session)

    (row,) = await queries.listed(session, closed=False)
    (line,) = (await queries.lines(session, [row]))[row.id]

    assert (line.step.rung, line.step.recipient_id, line.outcome) == ("wechat", DOCTOR.id, "pending")
    assert await queries.listed(session, closed=True) == []


async def test_a_visit_handed_over_calls_the_colleague_instead(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    from tests.small_world import SECOND_DOCTOR

    visit: Encounter = await waiting(session, context, patient)

    await service.raise_one(
        session,
        Kind.VISIT,
        visit.id,
        SECOND_DOCTOR.id,
        about="林** 在线复诊",
        link=f"/doctor/visits/{visit.id}",
    )

    found = {row.practitioner_id: row.state for row in await session.scalars(select(Escalation))}
    assert found == {DOCTOR.id: "closed", SECOND_DOCTOR.id: "open"}
