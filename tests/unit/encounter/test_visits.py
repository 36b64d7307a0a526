from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.chat.service import say
from backend.context import Context
from backend.encounter import queries, service
from backend.encounter.model import Encounter, FollowUp
from backend.encounter.states import EncounterState
from backend.escalation import service as escalation
from backend.notification.model import Message
from backend.payment.model import Refund
from backend.payment.rules import RefundReason
from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.schedule.model import Slot
from contracts.events import Diagnosis
from foundation.actor import SYSTEM
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.errors import AppError, Conflict, Forbidden, IllegalMove, Invalid, NotFound
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    accepted,
    booked,
    eligible,
    on_shift,
    pays,
    requested,
    visit_of,
    waiting,
)
from tests.database import SharedClock, moves_on
from tests.policies import numbers
from tests.small_world import DAUGHTER, DOCTOR, DUTY_DESK, OTHER, SECOND_DOCTOR

pytestmark = pytest.mark.anyio


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def accepts(
    session: AsyncSession, visit: Encounter, *, confirmed: bool = True, guardian: bool = False
) -> bool:
    return await service.accept(
        session, DOCTOR.actor, visit, follow_up_confirmed=confirmed, guardian_present=guardian
    )


async def reported(session: AsyncSession, visit: Encounter) -> list[str]:
    query = select(OutboxEvent.type).where(OutboxEvent.stream == visit.stream).order_by(OutboxEvent.sequence)
    return list(await session.scalars(query))


async def messages(session: AsyncSession) -> list[Message]:
    return list(await session.scalars(select(Message).order_by(Message.made_at, Message.id)))


async def refunds(session: AsyncSession) -> list[tuple[str, int]]:
    return [(row.reason, row.amount) for row in await session.scalars(select(Refund))]


async def open_intents(session: AsyncSession, *kinds: str) -> list[str]:
    query = select(Intent.kind).where(Intent.kind.in_(kinds), Intent.done_at.is_(None))
    return sorted(await session.scalars(query))


async def test_a_paid_place_has_a_planned_visit_with_the_diagnosis_it_is_for(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await booked(session, context, patient)
    visit = await visit_of(session, row)

    assert (row.state, row.encounter_id, visit.state) == ("booked", visit.id, "planned")
    assert (visit.original_code, visit.doctor_decides) == ("I10.x00", False)
    assert await reported(session, visit) == ["payment.confirmed", "appointment.booked"]
    steps = await open_intents(session, "writeback.send")
    assert len(steps) == 2


async def test_a_case_the_doctor_has_to_judge_is_marked(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """practice.md 4: doctor decides; judged before acceptance."""
    decision = await eligible(session, patient, "K21.000", found="K21.900")
    row = await requested(session, patient, decision=decision)
    await pays(session, context, row)

    assert (await visit_of(session, row)).doctor_decides


async def test_money_for_a_hold_that_was_over_goes_back(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    from backend.appointment.service import cancel

    row = await requested(session, patient)
    await cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")

    payment = await pays(session, context, row)

    assert (payment.state, row.state) == ("confirmed", "cancelled")
    assert await refunds(session) == [("paid_after_expiry", 5000)]
    assert (await session.scalars(select(Encounter))).all() == []


async def test_waiting_tells_the_doctor_and_starts_the_clock(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    visit = await waiting(session, context, patient)

    assert visit.acceptance_deadline is not None
    assert abs(visit.acceptance_deadline - clock.now() - timedelta(minutes=30)) < timedelta(minutes=1)
    await escalation.climb(session, DOCTOR.id)
    (message,) = await messages(session)
    assert (message.recipient_id, message.template) == (DOCTOR.id, "TPL_VISIT_WAITING")
    assert message.data["thing1"] == "林** 在线复诊"
    assert "高血压" not in str(message.data)
    assert await open_intents(session, service.DEADLINE, service.LATE, "appointment.noshow") == [
        service.DEADLINE, service.LATE,
    ]  # fmt: skip


async def test_checking_in_twice_is_once(session: AsyncSession, context: Context, patient: Patient) -> None:
    visit = await waiting(session, context, patient)
    row = await session.get_one(Appointment, visit.appointment_id)

    assert await service.check_in(session, patient.actor, row) is visit
    await escalation.climb(session, DOCTOR.id)
    assert len(await messages(session)) == 1


@pytest.mark.parametrize(("hours", "code"), [(1, "too_early"), (-1, "too_late")])
async def test_nobody_waits_too_early_or_after_the_slot(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock, hours: int, code: str
) -> None:
    row = await booked(session, context, patient, await a_slot(session, hours=max(hours, 0)))
    if hours < 0:
        moves_on(clock, hours=1)

    with pytest.raises(Conflict) as refused:
        await service.check_in(session, patient.actor, row)

    assert refused.value.code == code
    assert row.state == "booked"


async def test_accepting_confirms_the_follow_up_and_tells_everybody(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """诊疗办法 Art 16: the doctor establishes that the same disease was clearly diagnosed."""
    visit = await accepted(session, context, patient)
    row = await session.get_one(Appointment, visit.appointment_id)

    assert (visit.state, row.state) == ("in-progress", "fulfilled")
    assert visit.follow_up_confirmed_at is not None
    assert [one.code for one in visit.diagnoses] == ["I10.x00"]
    assert (await reported(session, visit))[-1] == "encounter.started"
    assert (await messages(session))[-1].template == "TPL_VISIT_ACCEPTED"
    assert await open_intents(session, *service.CLOCKS) == []


@pytest.mark.parametrize("beside", [True, False])
async def test_the_supervisor_hears_whether_somebody_was_beside_a_child(
    session: AsyncSession, context: Context, patient: Patient, beside: bool
) -> None:
    """诊疗办法 Art 19."""
    visit = await waiting(session, context, patient)
    await on_shift(session, context, DOCTOR)
    await accepts(session, visit, guardian=beside)

    query = select(OutboxEvent.payload).where(OutboxEvent.type == "encounter.started")
    assert (await session.scalars(query)).one()["guardian_present"] is beside


async def test_a_doctor_without_a_shift_accepts_nobody(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """监管细则 2022, Art 13: authenticated before receiving patients."""
    visit = await waiting(session, context, patient)

    with pytest.raises(Forbidden) as refused:
        await accepts(session, visit)

    assert refused.value.code == "no_shift"


async def test_a_doctor_who_does_not_confirm_the_follow_up_does_not_accept(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """诊疗办法 Art 16."""
    visit = await waiting(session, context, patient)
    await on_shift(session, context, DOCTOR)

    with pytest.raises(Conflict) as refused:
        await accepts(session, visit, confirmed=False)

    assert refused.value.issues[0].field == "follow_up_confirmed"


async def test_a_patient_who_is_not_there_is_not_accepted(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await visit_of(session, await booked(session, context, patient))
    await on_shift(session, context, DOCTOR)

    with pytest.raises(Conflict) as refused:
        await accepts(session, visit)

    assert refused.value.code == "not_waiting"


async def test_a_suspended_doctor_accepts_nobody(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """诊疗办法 Art 14; 医院办法 Art 16."""
    visit = await waiting(session, context, patient)
    await on_shift(session, context, DOCTOR)
    await session.execute(update(Practitioner).where(Practitioner.id == DOCTOR.id).values(active=False))

    with pytest.raises(Forbidden) as refused:
        await accepts(session, visit)

    assert refused.value.code == "not_licensed"


async def test_accepting_twice_is_quiet(session: AsyncSession, context: Context, patient: Patient) -> None:
    visit = await accepted(session, context, patient)

    assert not await accepts(session, visit)
    assert (await reported(session, visit)).count("encounter.started") == 1


async def test_a_visit_is_seen_by_its_doctor_and_its_patient_alone(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit, stranger = await waiting(session, context, patient), await a_patient(session, OTHER)

    assert await queries.visible(session, patient.actor, visit.id) is visit
    assert await queries.doctors_own(session, DOCTOR.actor, visit.id) is visit
    for actor in (stranger.actor, SECOND_DOCTOR.actor):
        with pytest.raises(NotFound):
            await queries.visible(session, actor, visit.id)
    with pytest.raises(NotFound):
        await queries.doctors_own(session, SECOND_DOCTOR.actor, visit.id)


@pytest.mark.parametrize("cause", [RefundReason.DECLINED, RefundReason.NOT_A_FOLLOW_UP])
async def test_a_declined_visit_gives_place_and_money_back(
    session: AsyncSession, context: Context, patient: Patient, cause: RefundReason
) -> None:
    """practice.md 4: "no" refunds everything."""
    visit = await waiting(session, context, patient)

    assert await service.decline(session, DOCTOR.actor, visit, reason="病情不适合", cause=cause)

    row = await session.get_one(Appointment, visit.appointment_id)
    slot = await session.get_one(Slot, row.slot_id)
    await session.refresh(slot)
    assert (visit.state, row.state, slot.remaining) == ("cancelled", "cancelled", slot.capacity)
    assert await refunds(session) == [(cause.value, 5000)]
    assert (await reported(session, visit))[-2:] == ["encounter.declined", "appointment.cancelled"]
    last = (await messages(session))[-1]
    assert (last.template, last.recipient_id) == ("TPL_CANCELLED", patient.account)
    assert not await service.decline(session, DOCTOR.actor, visit, reason="再次", cause=cause)


async def test_nobody_accepting_is_reported_as_such(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await waiting(session, context, patient)

    await service.decline(session, SYSTEM, visit, reason="医生未接诊", cause=RefundReason.NOBODY_ACCEPTED)

    query = select(OutboxEvent).where(OutboxEvent.type == "encounter.declined")
    assert (await session.scalars(query)).one().payload["refuse_type"] == "2"


async def test_a_running_visit_is_not_declined(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await accepted(session, context, patient)

    with pytest.raises(IllegalMove):
        await service.decline(session, DOCTOR.actor, visit, reason="晚了", cause=RefundReason.DECLINED)
    assert await refunds(session) == []


@pytest.mark.parametrize(("spoke", "expected"), [(False, [("referred_before_advice", 5000)]), (True, [])])
async def test_stopping_and_referring_gives_the_money_back_unless_advice_was_given(
    session: AsyncSession, context: Context, patient: Patient, spoke: bool, expected: list[tuple[str, int]]
) -> None:
    """诊疗办法 Art 16: stop at once and refer to a physical hospital; practice.md 17."""
    visit = await accepted(session, context, patient)
    if spoke:
        await say(session, DOCTOR.actor, visit, client_id="c-0000001", kind="text", body="请减少盐的摄入")
        await session.flush()

    assert await service.refer_offline(session, DOCTOR.actor, visit, reason="请到急诊")

    assert (visit.state, visit.end_reason) == ("discontinued", "请到急诊")
    assert await refunds(session) == expected
    assert (await reported(session, visit))[-1] == "encounter.discontinued"


async def test_the_patient_cancels_before_the_start(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await booked(session, context, patient, await a_slot(session, hours=2))
    visit = await visit_of(session, row)

    assert await service.cancel_by_patient(session, patient.actor, row)

    assert (row.state, visit.state) == ("cancelled", "cancelled")
    assert await refunds(session) == [("patient_cancelled", 5000)]


async def test_the_patient_cancels_while_she_waits_and_nobody_accepted(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await waiting(session, context, patient)
    row = await session.get_one(Appointment, visit.appointment_id)

    assert await service.cancel_by_patient(session, patient.actor, row)

    assert (row.state, visit.state) == ("cancelled", "cancelled")
    assert await open_intents(session, *service.CLOCKS) == []


async def test_after_start_and_grace_a_patient_who_never_waited_does_not_cancel(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    row = await booked(session, context, patient, await a_slot(session, hours=0))
    moves_on(clock, minutes=16)

    with pytest.raises(Conflict) as refused:
        await service.cancel_by_patient(session, patient.actor, row)

    assert refused.value.code == "too_late"
    assert row.state == "booked"


async def test_an_accepted_visit_is_not_cancelled_by_its_patient(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await accepted(session, context, patient)
    row = await session.get_one(Appointment, visit.appointment_id)

    with pytest.raises(IllegalMove):
        await service.cancel_by_patient(session, patient.actor, row)


async def test_a_visit_pauses_and_goes_on(session: AsyncSession, context: Context, patient: Patient) -> None:
    visit = await accepted(session, context, patient)

    assert await service.hold(session, DOCTOR.actor, visit)
    assert visit.state == "on-hold"
    assert await service.resume(session, DOCTOR.actor, visit)
    assert visit.state == "in-progress"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], ["wrong_number"]),
        (["I10.x00", "I10.x00"], ["twice"]),
        (["XYZ"], ["unknown_code"]),
        (["I10.x00", "高血压"], ["unknown_code"]),
    ],
)
async def test_diagnoses_are_known_codes_each_once(
    session: AsyncSession, context: Context, patient: Patient, codes: list[str], expected: list[str]
) -> None:
    """医院办法 Art 20: what is prescribed for must have been diagnosed."""
    visit = await accepted(session, context, patient)

    with pytest.raises(Invalid) as refused:
        await service.confirm_diagnoses(session, DOCTOR.actor, visit, [Diagnosis(code, "") for code in codes])

    assert [issue.code for issue in refused.value.issues] == expected
    assert [one.code for one in visit.diagnoses] == ["I10.x00"]


async def test_the_doctor_may_add_a_diagnosis_while_the_visit_runs(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await accepted(session, context, patient)
    two = [Diagnosis("I10.x00", "高血压"), Diagnosis("E11.900", "2型糖尿病")]

    await service.confirm_diagnoses(session, DOCTOR.actor, visit, two)
    assert visit.diagnoses == two

    await service.refer_offline(session, DOCTOR.actor, visit, reason="请到医院")
    with pytest.raises(Conflict):
        await service.confirm_diagnoses(session, DOCTOR.actor, visit, two[:1])


async def test_a_doctor_runs_five_visits_side_by_side(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """practice.md 8: parallel chats have a maximum."""
    visit = await waiting(session, context, patient)
    await on_shift(session, context, DOCTOR)
    others = [await a_patient(session, one) for one in (OTHER, DAUGHTER)]
    most = policy().parallel_visits
    for hours in range(1, most + 1):
        with numbers(quota_doctor_day=most, quota_person_day=most):
            row = await requested(session, others[hours % 2], await a_slot(session, hours=hours))
        session.add(
            FollowUp(
                appointment_id=row.id, person_id=row.person_id, practitioner_id=DOCTOR.id, original_code="I10.x00",
                state=EncounterState.ON_HOLD, diagnoses=[], doctor_decides=False,
            )
        )  # fmt: skip

    with pytest.raises(AppError) as refused:
        await accepts(session, visit)

    assert refused.value.code == "too_many_visits"


async def test_the_doctors_list_shows_who_has_waited_longest(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    other = await a_patient(session, OTHER)
    later = await booked(session, context, other, await a_slot(session, hours=2))
    visit = await waiting(session, context, patient)

    found = await queries.doctors_list(session, DOCTOR.id, clock.today())

    assert [pair[0].id for pair in found] == [visit.id, later.encounter_id]


async def test_the_duty_desk_hears_of_the_desk(session: AsyncSession) -> None:
    assert list(await escalation.duty_desk(session)) == [DUTY_DESK.id]
